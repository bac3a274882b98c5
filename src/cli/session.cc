#include "cli/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "cli/aws_accounts.h"
#include "cli/endpoint_check.h"
#include "cli/stack_dir.h"
#include "cli/work_dir.h"
#include "net/logging_env.h"

namespace nbform::cli {

namespace {

// Says once of each server and reason what a run waits for, when that is not over in a moment.
std::function<void(const RetryNotice&)> waiting_lines(Screen& screen) {
  return [&screen, said = std::make_shared<std::set<std::string>>()](const RetryNotice& notice) {
    auto url = parse_url(notice.url);
    std::string line =
        fmt::format("waiting for {} ({})\n", url ? url->origin() : notice.url, printable(notice.reason));
    if (notice.attempts >= 3 && said->insert(line).second) screen.err(line);
  };
}

// What secret variables put into requests: it must not come out in a log.
std::vector<Secret> secrets_of(const Manifest& manifest) {
  std::vector<Secret> out;
  for (const Notebook& notebook : manifest.notebooks)
    for (const auto& [prefix, entries] :
         {std::pair{"metadata.", &notebook.metadata}, {"labels.", &notebook.labels}})
      for (const auto& [key, value] : *entries)
        if (value.set() && notebook.secret_paths.count(prefix + key) != 0) out.emplace_back(*value);
  return out;
}

}  // namespace

int exit_code_of(const Diagnostic& error) {
  switch (error.code) {
    case Code::lock_held:
      return kLockHeld;
    case Code::data_loss:
      return kDataLoss;
    case Code::cancelled:
      return kInterrupted;
    default:
      return kError;
  }
}

namespace {

// A key that this version does not act on is news at `validate`, where each has its own place; every other
// command names them all in one line.
Diagnostics with_unbuilt_folded(const Diagnostics& all) {
  Diagnostics out;
  std::vector<std::string> keys;
  for (const Diagnostic& d : all) {
    bool unbuilt =
        d.severity == Severity::warning && d.code == Code::unsupported && d.detail.starts_with('`');
    if (!unbuilt) {
      out.add(d);
      continue;
    }
    std::string key = d.detail.substr(1, d.detail.find('`', 1) - 1);
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) keys.push_back(key);
  }
  if (!keys.empty()) out.add(warning(Code::unsupported, "Not acted on in this version: " + join(keys, ", ")));
  return out;
}

}  // namespace

std::unique_ptr<Session> Session::open(Shell& shell, const StackFlags& flags, int& exit_code) {
  if (flags.no_color) shell.screen.forbid_colour();
  std::unique_ptr<Session> session(new Session(shell, flags));
  auto refuse = [&](const Diagnostic& why) {
    shell.screen.report(why);
    exit_code = exit_code_of(why);
    return nullptr;
  };
  if (auto entered = session->enter(); !entered.ok()) return refuse(entered.error());
  if (!session->load()) {
    exit_code = kError;
    return nullptr;
  }
  if (auto connected = session->connect(); !connected.ok()) return refuse(connected.error());
  session->count_interrupts();
  return session;
}

Session::~Session() {
  if (env_ != nullptr) env_->on_interrupt({});
  wire_.reset();
  if (sandbox_ != nullptr)
    if (auto saved = sandbox_->save(); !saved.ok()) shell_.screen.report(saved.error());
}

void Session::count_interrupts() {
  env_->on_interrupt([count = interrupts_] { ++*count; });
}

Result<> Session::step_until(const std::function<bool()>& done) {
  while (!done() && interrupts() == 0)
    if (!env().step()) bug("something is waited for and nothing can happen");
  return done() ? Result<>(Ok{}) : error(Code::cancelled, "Interrupted");
}

Result<> Session::leave_sandbox() {
  if (sandbox_ == nullptr) return Ok{};
  wire_.reset();
  NB_TRY(sandbox_->save());
  logging_.reset();
  sandbox_.reset();
  env_ = &shell_.env;
  count_interrupts();
  return Ok{};
}

Result<> Session::enter() {
  directory_ = NB_TRY(flags_.stack_directory());
  env_ = &shell_.env;
  bool asked = flags_.sandbox || shell_.env.env_var("NBFORM_SANDBOX").value_or("0") != "0";
  if (!asked) return Ok{};
  if (!shell_.env.file_info(directory_).ok()) return Ok{};  // load() says what is wrong
  flags_.sandbox = true;
  return Ok{};
}

bool Session::load() {
  auto variables = flags_.variables();
  if (!variables.ok()) {
    shell_.screen.report(variables.error());
    return false;
  }
  if (flags_.sandbox)
    variables->environment["CI"] = std::nullopt;  // its project is its own, wherever it runs
  Loaded loaded = load_directory(shell_.env, directory_, std::move(variables).value());
  shell_.screen.report(loaded.manifest ? with_unbuilt_folded(loaded.diagnostics) : loaded.diagnostics);
  if (!loaded.manifest) return false;
  manifest_ = std::move(*loaded.manifest);
  return true;
}

Result<> Session::connect() {
  if (flags_.sandbox) {
    sandbox_ = NB_TRY(Sandbox::open(shell_.env, directory_));
    env_ = &sandbox_->env();
  }
  bool to_stderr = shell_.env.env_var("NBFORM_LOG").value_or("") == "requests";
  if (!flags_.log_requests.empty()) {
    logging_ = make_logging_env(*env_, NB_TRY(open_log(flags_.log_requests)), secrets_of(manifest_));
  } else if (to_stderr) {
    Screen& screen = shell_.screen;
    logging_ = make_logging_env(
        *env_, [&screen](std::string_view line) { screen.err(std::string(line) + "\n"); },
        secrets_of(manifest_));
  }
  if (logging_ != nullptr) env_ = logging_.get();

  WireOptions options;
  options.on_retry = waiting_lines(shell_.screen);
  if (sandbox_ != nullptr) options.sandbox_token = Sandbox::kToken;
  for (const auto& [name, cloud] : manifest_.clouds)
    if (cloud.impersonate.set()) options.impersonate[name] = *cloud.impersonate;
  options.mixed_endpoints = flags_.mixed_endpoints;
  options.aws = aws_entries(manifest_, sandbox_.get());
  wire_ = std::make_unique<Wire>(*env_, std::move(options));
  NB_TRY(find_projects());
  NB_TRY(look_at_endpoints());
  return find_accounts();
}

// The metadata server is asked only where a notebook needs a project and nothing else names one.
GoogleDefaults Session::defaults_of_environment() {
  bool needed =
      std::any_of(manifest_.notebooks.begin(), manifest_.notebooks.end(), [&](const Notebook& notebook) {
        auto cloud = manifest_.clouds.find(notebook.cloud);
        bool google = cloud != manifest_.clouds.end() ? cloud->second.type == "gcp" : notebook.cloud == "gcp";
        return google && (cloud == manifest_.clouds.end() || !cloud->second.project.set());
      });
  if (!needed) return google_defaults(*env_);
  auto found = std::make_shared<std::optional<GoogleDefaults>>();
  google_defaults(*env_, [found](GoogleDefaults defaults) { *found = std::move(defaults); });
  while (!found->has_value())
    if (!env_->step()) bug("the project is being asked for and nothing can happen");
  return std::move(**found);
}

Result<> Session::find_projects() {
  std::string fallback = Sandbox::kProject;
  if (sandbox_ == nullptr) {
    fallback = defaults_of_environment().project;
    inventory_ = NB_TRY(read_inventory(*env_, directory_, manifest_.stack.label()));
  }
  for (const auto& [name, cloud] : manifest_.clouds)
    if (cloud.type == "gcp") accounts_[name] = cloud.project.value_or(fallback);
  if (manifest_.clouds.count("gcp") == 0 && !fallback.empty()) accounts_["gcp"] = fallback;
  return Ok{};
}

Result<> Session::find_accounts() {
  accounts_.merge(NB_TRY(aws_accounts(*env_, *wire_, manifest_, stop())));
  for (const Scope& before : inventory_)  // where nobody can say, it is the account that it was
    if (auto it = accounts_.find(before.cloud); it != accounts_.end() && it->second == kUnknownAccount)
      it->second = before.account;
  return Ok{};
}

Result<> Session::look_at_endpoints() {
  if (sandbox_ != nullptr) return Ok{};
  Lookup lookup = [this](const std::string& name) { return env_->env_var(name); };
  endpoints_ = NB_TRY(overridden_endpoints(*wire_, manifest_, lookup));
  return flags_.mixed_endpoints ? Result<>(Ok{}) : check_one_world(*wire_, manifest_, lookup);
}

PlanRequest Session::request() const {
  PlanRequest request;
  request.manifest = &manifest_;
  request.diff.stack = manifest_.stack.label();
  request.diff.bare_stack = manifest_.stack.name;
  request.accounts = accounts_;
  if (manifest_.default_key) request.default_keys = {*manifest_.default_key};
  request.inventory = inventory_;
  request.stop = stop();
  return request;
}

std::vector<std::string> Session::notebook_names() const {
  std::vector<std::string> names;
  for (const Notebook& notebook : manifest_.notebooks) names.push_back(notebook.key);
  return names;
}

void Session::complete(Diagnostic& d) const {
  if (!d.mark.known() || !d.source_line.empty()) return;
  for (const SourceFile& file : manifest_.files) {
    if (file.path != d.mark.file) continue;
    std::vector<std::string_view> lines = split(file.text, '\n');
    std::size_t line = static_cast<std::size_t>(d.mark.line - 1);
    if (line < lines.size()) d.source_line = lines[line];
  }
}

void Session::complete(Diagnostics& diagnostics) const {
  Diagnostics out;
  for (Diagnostic d : diagnostics) {
    complete(d);
    out.add(std::move(d));
  }
  diagnostics = std::move(out);
}

std::function<bool()> Session::stop() const {
  return [count = interrupts_] { return *count > 0; };
}

void Session::remember(const std::vector<Scope>& scopes) {
  if (in_sandbox()) return;
  auto written = remember_scopes(*env_, directory_, manifest_.stack.label(), scopes);
  if (!written.ok()) shell_.screen.report(written.error());
}

Result<std::string> Session::ask(const std::string& question) {
  auto answer = std::make_shared<std::optional<Result<std::string>>>();
  env_->prompt(question, [answer](Result<std::string> line) { *answer = std::move(line); });
  while (!answer->has_value()) {
    if (interrupts() > 0) return error(Code::cancelled, "Interrupted", "Nothing was sent.");
    if (!env_->step()) bug("a question is open and nothing can happen");
  }
  return std::move(**answer);
}

}  // namespace nbform::cli
