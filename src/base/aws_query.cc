#include "base/aws_query.h"

#include <fmt/format.h>

#include "base/json.h"
#include "base/text.h"
#include "base/xml.h"

namespace nbform {

namespace {

class Flattener {
 public:
  explicit Flattener(QueryLists lists) : lists_(lists) {}

  void add(const std::string& name, const Value& value) {
    switch (value.type()) {
      case Value::Type::null:
        return;
      case Value::Type::list:
        return add_list(name, value.as_list());
      case Value::Type::map:
        for (const auto& [key, member] : value.as_map())
          add(name.empty() ? std::string(key) : name + "." + key, member);
        return;
      case Value::Type::text:
        query_.emplace_back(name, value.as_text());
        return;
      case Value::Type::ref:
        bug("a query parameter is not known yet: " + name);
      default:
        query_.emplace_back(name, to_json(value));
    }
  }

  Query take() { return std::move(query_); }

 private:
  void add_list(const std::string& name, const List& list) {
    bool flat = lists_ == QueryLists::flat;
    if (list.empty() && !flat) query_.emplace_back(name, "");
    for (std::size_t i = 0; i < list.size(); ++i)
      add(fmt::format("{}.{}{}", name, flat ? "" : "member.", i + 1), list[i]);
  }

  QueryLists lists_;
  Query query_;
};

// What AWS's documents are called: <DescribeInstancesResponse>, <ListBucketResult>, <LocationConstraint>.
bool is_root_of_aws(std::string_view root) {
  return root.ends_with("Response") || root.ends_with("Result") || root == "LocationConstraint";
}

}  // namespace

std::string query_body(std::string_view action, std::string_view version, const Value& parameters,
                       QueryLists lists) {
  Flattener flat(lists);
  flat.add("Action", Value(action));
  flat.add("Version", Value(version));
  flat.add("", parameters);
  return form_encode(flat.take());
}

Request query_request(std::string base, std::string_view action, std::string_view version,
                      const Value& parameters, QueryLists lists) {
  return {.method = "POST",
          .url = std::move(base),
          .headers = {{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}},
          .body = query_body(action, version, parameters, lists)};
}

Request json_request(std::string base, std::string_view target, const Value& parameters) {
  return {.method = "POST",
          .url = std::move(base),
          .headers = {{"Content-Type", "application/x-amz-json-1.1"}, {"X-Amz-Target", std::string(target)}},
          .body = parameters.is_null() ? "{}" : to_json(parameters)};
}

Result<Value> read_aws_body(std::string body, const Fields& fields) {
  if (!trim(body).starts_with('<')) return parse_json(trim(body));
  XmlDocument document =
      NB_TRY(read_xml(std::move(body), {.repeated = {"Contents", "CommonPrefixes"}, .fields = &fields}));
  if (!is_root_of_aws(document.root))
    return error(Code::io, "The answer is not one of AWS",
                 fmt::format("Its outermost element is <{}>.", printable(document.root)));
  // An answer without members is still an object.
  return document.content.is_null() ? Value(Map{}) : std::move(document.content);
}

}  // namespace nbform
