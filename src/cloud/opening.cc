#include "cloud/opening.h"

namespace nbform {

std::vector<Opening> left_behind(const std::vector<Opening>& all, const Opening& mine, Time now,
                                 const std::function<bool(const std::string& notebook)>& connected) {
  std::vector<Opening> out;
  for (const Opening& one : all) {
    bool of_caller = one.caller == mine.caller;
    bool unused = one.notebook == mine.notebook ? one.source != mine.source : !connected(one.notebook);
    if (one.until <= now || (of_caller && unused)) out.push_back(one);
  }
  return out;
}

}  // namespace nbform
