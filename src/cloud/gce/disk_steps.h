// What gce.disk lends to its VM's create call, and shared words about images. Pure.
#pragma once

#include <string>
#include <string_view>

#include "cloud/gce/gce.h"

namespace nbform::gce {

// initializeParams of a new data disk that rides in instances.insert.
Value carried_disk_params(const Resource& disk, std::string_view zone);

// Scheduling of an insert or of setScheduling; `on_preemption` "stop" or "delete", `max_run_s` 0 = none.
Value scheduling_body(bool spot, bool gpu, std::string_view on_preemption, std::int64_t max_run_s);

// The image attribute "kind project/reference", as lowered and as remembered in labels.
std::string image_text(std::string_view kind, std::string_view project, std::string_view reference);
void write_image_labels(Map& labels, std::string_view image_text);

}  // namespace nbform::gce
