#include "cli/consent.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace nbform::cli {

namespace {

std::string what_is_lost(const Plan& plan, const std::string& name) {
  for (const NotebookPlan& notebook : plan.notebooks)
    if (notebook.key == name) return join(notebook.lost, ", ");
  return {};
}

int refused(Session& session, const std::vector<std::string>& names) {
  std::string flags;
  for (const std::string& name : names) flags += " --allow-data-loss " + name;
  session.shell().screen.report(
      error(Code::data_loss, "Data would be lost",
            fmt::format("Data of {} would be lost. Nothing was sent.", join(names, ", ")))
          .with_hint(fmt::format("If that is meant, add\n   {}", flags)));
  return kDataLoss;
}

int no_answer(Session& session, const Diagnostic& why) {
  if (why.code == Code::cancelled) {
    session.shell().screen.err("\nNothing was sent.\n");
    return session.interrupts() > 0 ? kInterrupted : kError;
  }
  session.shell().screen.report(
      error(Code::usage, "There is nobody to ask", why.detail + " Nothing was sent.")
          .with_hint("Add -y to apply without being asked."));
  return kError;
}

int ask_for_name(Session& session, const Plan& plan, const std::string& name) {
  auto answer = session.ask(fmt::format("{} would be lost for good: {}.\nType the notebook's name to agree: ",
                                        printable(what_is_lost(plan, name)), printable(name)));
  if (!answer.ok()) return no_answer(session, answer.error());
  if (trim(*answer) == name) return kFine;
  session.shell().screen.err("That is not its name. Nothing was sent.\n");
  return kDataLoss;
}

}  // namespace

int ask_consent(Session& session, const Plan& plan, const Consent& given) {
  std::vector<std::string> losing = plan.data_loss(given.data_loss);
  std::erase_if(losing, [&](const std::string& name) {
    return std::find(plan.blocked.begin(), plan.blocked.end(), name) != plan.blocked.end();
  });
  if (given.yes) return losing.empty() ? kFine : refused(session, losing);
  for (const std::string& name : losing)
    if (int code = ask_for_name(session, plan, name); code != kFine) return code;
  if (!losing.empty()) return kFine;
  auto answer = session.ask("Do this? Type yes: ");
  if (!answer.ok()) return no_answer(session, answer.error());
  if (trim(*answer) == "yes" || trim(*answer) == "y") return kFine;
  session.shell().screen.err("Nothing was sent.\n");
  return kError;
}

}  // namespace nbform::cli
