// SPDX-License-Identifier: Apache-2.0

#pragma once

#include "config.h"
#include "registry.h"

namespace scree::bench {

// Reads and checks the command line; touches no file. An unknown flag ends the process with exit code 1 and --help with
// 0; everything else that is wrong is InvalidArgument with the accepted values in its message.
Status parse_command_line(int argc, char** argv, const Registry& registry, Config* config);

}  // namespace scree::bench
