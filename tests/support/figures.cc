#include "support/figures.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "base/json.h"

namespace nbform {

void report_figures(const std::string& name, const List& promises, Map figures, const std::string& input,
                    const std::string& run) {
  std::cout << name << ": " << to_json(figures) << std::endl;
  const char* directory = std::getenv("NBFORM_REPORT");
  if (directory == nullptr || *directory == 0) return;
  std::filesystem::create_directories(directory);
  Map out{
      {"name", name}, {"promise", promises}, {"figures", std::move(figures)}, {"input", input}, {"run", run}};
  std::ofstream(std::string(directory) + "/" + name + ".json") << to_pretty_json(out);
}

}  // namespace nbform
