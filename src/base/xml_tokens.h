// Well-formed XML as tags and texts, one after the other, without a copy of it. Knows no element's meaning.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace nbform {

struct XmlToken {
  enum class Sort { text, cdata, open, close, end } sort = Sort::end;
  std::string_view text;   // of a tag its name without a prefix, of a text its source
  bool is_closed = false;  // <a/>
  bool is_plain = true;    // a text that is meant as it stands
};

// Comments and instructions are left out, attributes checked and passed over.
class XmlTokens {
 public:
  explicit XmlTokens(std::string_view text);

  // The next one; every `open` is closed before the `end`. <a/> is opened and closed by one token. False: it
  // is not well-formed, has an unknown entity, a DTD or a million tags.
  bool next(XmlToken& out);
  // Notes why the text cannot be read, unless that is known already; false.
  bool fail(std::string why);
  bool fail_here(std::string_view what);  // "<what> at byte N."
  std::string take_why() { return std::move(why_); }

 private:
  std::string_view rest() const { return text_.substr(at_); }
  bool pass(std::string_view begin, std::string_view end);
  bool take_text(XmlToken& out);
  bool take_cdata(XmlToken& out);
  bool take_close(XmlToken& out);
  bool take_open(XmlToken& out);
  bool pass_attributes(XmlToken& out);
  bool pass_attribute();
  bool check_entities(std::string_view raw);
  bool has_returns(std::string_view raw) const;
  std::string_view take_name();
  bool take(char c);
  bool pass_blanks();

  std::string_view text_;
  std::size_t at_ = 0;
  int tags_ = 0;
  std::vector<std::string_view> open_;  // names of elements
  bool has_entities_, has_returns_;
  std::string why_;
};

// Appends a token's text as it is meant: lines end in \n, and entities but those of CDATA are replaced.
void append_text(std::string& out, const XmlToken& token);

}  // namespace nbform
