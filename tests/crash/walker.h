// One walk under way: the lines that mean the same on every cloud. Each cloud's own walker adds its words for
// files, console and weather. Judges nothing itself.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "dice.h"
#include "repertoire.h"
#include "walk.h"

namespace nbform::crash {

class Walker {
 public:
  Walker(const Rehearsal& start, const Repertoire& repertoire) : stage_(start), repertoire_(repertoire) {}
  virtual ~Walker() = default;

  void keep_log() { stage_.keep_log(); }
  bool take(const std::string& line);  // false: the line makes no sense
  // Everything calms down, the user applies once more, and nothing is left to do.
  Walked finish();

 protected:
  virtual bool edit_more(const std::string& verb, Notebook& notebook) = 0;
  virtual bool weather_more(const std::string& verb) = 0;
  virtual void calm();
  virtual void preempt() = 0;
  virtual void console(const std::string& what) = 0;
  // Does what the errors advise; a machine that lost what says whose it is, as `adopt` names it, or "".
  virtual std::string heed_console() = 0;

  std::string word(std::size_t i) const { return i < words_.size() ? words_[i] : std::string(); }
  bool has(std::string_view word) const;
  Notebook* notebook() { return stage_.declares("train") ? &stage_.notebook("train") : nullptr; }

  Rehearsal stage_;
  std::vector<std::string> words_;

 private:
  std::string option(std::string_view name) const;
  std::string expected(const Ending& last);
  Ending heed();
  Ending replace();
  bool edit(const std::string& verb);
  void declare();
  void change_power(Notebook& n);
  void change_spot(Notebook& n);
  Wish wish() const;
  void apply();
  void misbehave(int which);
  bool weather(const std::string& verb);
  void schedule(std::function<void()> what);
  void disturb();

  const Repertoire& repertoire_;
  Walked out_;
  Time restless_until_;  // what was clicked may take effect in the middle of a run
  Notebook undeclared_;
};

std::unique_ptr<Walker> gce_walker();
std::unique_ptr<Walker> ec2_walker();
Steps gce_steps(Dice& dice);
Steps ec2_steps(Dice& dice);

// "apply stop consent bad=3 die=heard@2": so many kinds of trouble there are.
std::string apply_line(Dice& dice, std::size_t troubles);

}  // namespace nbform::crash
