// What a person declared, typed: a Notebook after includes, variables, profiles, `each` and merging. Plain
// data. Knows no YAML (see yaml.h), no merging (load.h) and no cloud; the tables that decode, document and
// emit every field stand in notebook_schema.cc.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/diagnostic.h"

namespace nbform {

// A value in place.
template <class T>
class Inline {
 public:
  Inline() = default;
  Inline(T value) : value_(value) {}
  const T& get() const { return value_; }
  T& get() { return value_; }

 private:
  T value_{};
};

// A value on the heap, copied with its owner; none until one is given or changed.
template <class T>
class Boxed {
 public:
  Boxed() = default;
  Boxed(T value) : value_(std::make_unique<T>(std::move(value))) {}
  Boxed(const Boxed& other) : value_(other.value_ ? std::make_unique<T>(*other.value_) : nullptr) {}
  Boxed(Boxed&&) noexcept = default;
  Boxed& operator=(Boxed other) noexcept {
    value_ = std::move(other.value_);
    return *this;
  }
  const T& get() const {
    static const T kNone{};
    return value_ ? *value_ : kNone;
  }
  T& get() {
    if (!value_) value_ = std::make_unique<T>();
    return *value_;
  }

 private:
  std::unique_ptr<T> value_;
};

// A manifest field: absent (not managed), null (remove what is there), or a value. What does not fit into a
// word stands on the heap, so that a notebook costs what it declares and not what it could.
template <class T>
class Setting {
 public:
  Setting() = default;
  Setting(T value) : state_(State::set), value_(std::move(value)) {}
  static Setting removal() {
    Setting s;
    s.state_ = State::removed;
    return s;
  }

  bool absent() const { return state_ == State::absent; }
  bool removed() const { return state_ == State::removed; }
  bool set() const { return state_ == State::set; }
  const T& operator*() const { return value_.get(); }
  const T* operator->() const { return &value_.get(); }
  T& get() { return value_.get(); }
  T value_or(T fallback) const { return set() ? value_.get() : std::move(fallback); }
  bool operator==(const Setting& other) const {
    return state_ == other.state_ && value_.get() == other.value_.get();
  }

 private:
  enum class State : std::uint8_t { absent, removed, set };
  using Store = std::conditional_t<sizeof(T) <= sizeof(void*), Inline<T>, Boxed<T>>;
  State state_ = State::absent;
  Store value_;
};

using Text = Setting<std::string>;
using Number = Setting<std::int64_t>;
using Flag = Setting<bool>;
using Texts = Setting<std::vector<std::string>>;

// A file named in a manifest, relative to the file that names it; its text is read by the loader.
struct FileRef {
  std::string path;      // as written
  std::string resolved;  // as opened
  std::string text;
  bool operator==(const FileRef&) const = default;
};

struct Machine {
  Text type;
  Text min_cpu_platform;
};

enum class Driver { install, image };
struct Gpu {
  Text model;    // as written: t4, nvidia-tesla-t4, ...
  Number count;  // >= 1
  Setting<Driver> driver;
};

enum class Track { pinned, latest };
struct Image {
  Text family, project, name, owner, ami, ssm, container;
  Text word;  // the words of design: "pytorch", "base"
  Setting<Track> track;
};

enum class Keep { always, until_destroy, never };
struct Disk {
  Number size_gb;  // GiB
  Text type;       // standard, balanced, ssd, gp3, or the cloud's own name
  Text mount;
  Setting<Keep> keep;
  Number iops, throughput;
  Text kms_key;
  Text source;  // disk:NAME, snapshot:NAME, image:NAME
  Text moved_from;
};

struct Mount {
  Text source;  // gs://bucket/prefix or s3://...
  Text mode;    // ro, rw
  Flag implicit_dirs;
  Text cache;
  Flag required;
};

enum class Market { on_demand, spot, automatic };
enum class OnPreemption { stop, destroy };
struct Spot {
  Setting<Market> market;
  Setting<OnPreemption> on_preemption;
  Flag restart;
  Setting<double> max_price;  // USD an hour
};

enum class PowerState { running, stopped };
struct Schedule {
  Text start, stop;  // "08:00"
  Text days;         // mon-fri
  Text timezone;     // IANA
};
struct Power {
  Setting<PowerState> state;
  Number idle_stop_s, max_uptime_s;  // seconds
  Setting<Schedule> schedule;
};

// One entry of access.ssh.keys. A path under ~ only adds and may be missing; all else is the whole truth.
struct SshKey {
  std::string written;  // as in the manifest
  std::string line;     // "ssh-ed25519 AAAA... comment"; empty: the file under ~ is missing
  bool from_home = false;
  bool operator==(const SshKey&) const = default;
};
struct Ssh {
  Text user;
  Setting<std::vector<SshKey>> keys;
  Texts allow_from;  // CIDRs, or the one word "me"
  Number port;
};
struct TunnelPorts {
  int local = 0;       // 0: the image's own port
  int remote = 0;      // 0: the image's own port
  bool fixed = false;  // "L:R": another local port is not taken instead
  bool operator==(const TunnelPorts&) const = default;
};
struct Jupyter {
  Number port;
};
struct Access {
  Setting<TunnelPorts> tunnel;
  Ssh ssh;
  Jupyter jupyter;
  Flag colab;
  Setting<std::vector<std::int64_t>> public_ports;  // key `public`
  Texts owners;
  Flag proxy;
};

struct Identity {
  Text service_account;
  Texts scopes;
  Text role;
};

struct Network {
  Text network, subnet;
  Flag public_ip;
  Text address;  // ephemeral, static
  Texts tags;
  Texts security_groups;
};

struct Security {
  Flag secure_boot, vtpm, integrity_monitoring, deletion_protection;
};

struct EnvValue {
  std::string text;
  bool is_secret_ref = false;  // {secret: REF}: read by the guest with its own identity
  bool operator==(const EnvValue&) const = default;
};
struct Packages {
  Texts apt, pip;
};
struct Setup {
  Setting<FileRef> script, shutdown_script;
  Setting<FileRef> conda, requirements;
  Packages packages;
  Texts repos;
  std::map<std::string, Setting<EnvValue>> env;
  Text upload_to;
};

struct Budget {
  Setting<double> max_hourly, max_monthly;  // USD
};

// Where a value came from, for `show --expanded` and for the marks of plan lines.
struct Origin {
  Mark mark;
  std::string layer;  // "notebook", "defaults", "profile cheap", "each alice"
};

// The origins of one notebook's values, by path in its long form: "disks.boot.size", "labels.team". Files and
// layers are kept once each: a stack holds some ten origins for every notebook.
class Origins {
 public:
  void set(std::string_view path, const Mark& mark, std::string_view layer);
  std::optional<Origin> find(std::string_view path) const;

 private:
  struct Entry {
    std::string path;
    std::int32_t line, column, length;
    std::uint16_t file, layer;  // in names_
  };
  std::uint16_t name(std::string_view text);
  std::vector<Entry> entries_;  // sorted by path
  std::vector<std::string> names_;
};

struct Notebook {
  std::string key;                 // in `notebooks`, or NAME-KEY made by `each`
  std::string name;                // cloud-side: `name`, else the key
  std::string service;             // gce, workbench, ec2, sagemaker
  std::string cloud;               // entry of `clouds`
  std::vector<std::string> where;  // zones, regions, globs in order of preference
  Machine machine;
  Setting<Gpu> gpu;
  Setting<Image> image;
  std::map<std::string, Setting<Disk>> disks;  // "boot" and data disks
  std::map<std::string, Setting<Mount>> mounts;
  Setting<Spot> spot;
  Power power;
  Access access;
  Identity identity;
  Network network;
  Security security;
  Setup setup;
  std::map<std::string, Text> metadata, labels;  // a removed entry: the key must not be there
  Flag protect;
  Budget budget;
  Text moved_from, adopt;

  Mark mark;         // of its key
  std::string file;  // that declares it, for -f
  Origins origins;
  std::set<std::string> secret_paths;  // values made of a secret variable
  std::vector<std::string> dropped;    // paths inherited from `defaults` that the service can't do
};

// The nearest known mark of a path or of what encloses it ("spot.market" -> "spot" -> the notebook's key).
Mark mark_of(const Notebook& notebook, std::string_view path);

struct Cloud {
  std::string name, type;                      // type: gcp, aws
  Text project, bucket, impersonate;           // gcp
  Text region, account, profile, assume_role;  // aws (and bucket)
  Mark mark;
};

struct Stack {
  std::string name;
  std::string id;  // "" where there is none
  Mark mark;
  // What labels carry: name, or name_id.
  std::string label() const { return id.empty() ? name : name + "_" + id; }
};

struct Policy {
  Setting<double> max_hourly, max_monthly;
  Texts require_labels, allow_where, allow_machines;
  Text public_ports;
};

struct SourceFile {
  std::string path;  // as shown in messages
  std::string text;
};

// The stack as declared, whole and valid.
struct Manifest {
  Stack stack;
  Text lock;
  std::map<std::string, Cloud> clouds;
  std::vector<Notebook> notebooks;  // sorted by key
  std::vector<SourceFile> files;
  std::vector<Policy> policies;
  std::optional<SshKey> default_key;  // what access.ssh.keys means where absent: the first of ~/.ssh/id_*.pub

  const Notebook* find(std::string_view key) const;
};

}  // namespace nbform
