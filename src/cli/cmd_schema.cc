#include "cli/commands.h"
#include "cli/shell.h"
#include "manifest/emit.h"

namespace nbform::cli {

const Command kSchemaCommand{"schema", "Manifests:", "Print the JSON Schema of manifests, for editors",
                             "nbform schema > notebook.schema.json", [](Flags&) -> Run {
                               return [](Shell& shell) {
                                 shell.screen.out(json_schema());
                                 return static_cast<int>(kFine);
                               };
                             }};

}  // namespace nbform::cli
