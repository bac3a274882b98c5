// A stack in a test, seen and touched as a user or a colleague would: what is there, what is done by hand,
// and what must hold afterwards.
#pragma once

#include <string>

#include "support/stage.h"

namespace nbform {

inline const std::string kZone = "projects/acme-ml/zones/us-central1-b/";

Value vm_of(Stage& stage, const std::string& name = "train");
std::int64_t disk_id(Stage& stage, const std::string& name);  // 0: there is none
void wait(Stage& stage, Duration d);
// As a colleague would, with gcloud; `path` below the zone.
void by_hand(Stage& stage, const std::string& method, const std::string& path, Value body = {});

// A run that dies before its first request to such a path.
void apply_until(Stage& stage, std::string_view path, const DiffOptions& options = {});

std::string text_of(const Outcome& outcome);
void expect_done(const Outcome& outcome);
void expect_empty(Stage& stage, const DiffOptions& options = {});

Disk data_disk(Keep keep = Keep::always);
Notebook& train(Stage& stage);  // the first that was declared
void other_image(Stage& stage);

}  // namespace nbform
