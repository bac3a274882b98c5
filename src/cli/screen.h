// The two streams: stdout is data, stderr is talk. Says whether they are terminals, how wide, and whether
// colours are wanted. Knows no plan.
#pragma once

#include <string>
#include <string_view>

#include "base/diagnostic.h"
#include "base/ink.h"

namespace nbform::cli {

class Screen {
 public:
  // Colours: only on a terminal; NO_COLOR, CLICOLOR_FORCE and TERM=dumb are honoured.
  Screen();
  // Into texts, as if neither were a terminal.
  Screen(std::string& out, std::string& err) : out_text_(&out), err_text_(&err) {}

  void forbid_colour();
  const Style& out_style() const { return out_; }
  const Style& err_style() const { return err_; }
  bool talks_to_terminal() const { return err_terminal_; }  // stderr
  int width() const;                                        // of the terminal now; 0 = none
  int height() const;                                       // likewise, in rows

  void out(std::string_view text);              // data, as it is
  void err(std::string_view text);              // talk, as it is
  int out_error() const { return out_error_; }  // errno of the first data that was not taken, or 0
  void report(const Diagnostic& diagnostic);
  void report(const Diagnostics& diagnostics);

 private:
  std::string *out_text_ = nullptr, *err_text_ = nullptr;
  bool err_terminal_ = false;
  int out_error_ = 0;
  Style out_, err_;
};

}  // namespace nbform::cli
