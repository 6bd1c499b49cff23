// SPDX-License-Identifier: Apache-2.0
//
// Checks of what a command line says, and their messages.

#pragma once

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include <gflags/gflags.h>

#include <scree/status.h>

namespace scree::bench {

// ` (got "x")`, the end of a message about a value.
inline std::string got(std::string_view value) { return " (got \"" + std::string(value) + "\")"; }

// `value` as an unsigned number if it lies in [low, high].
template <typename To>
Status in_range(std::string_view flag, std::int64_t value, std::int64_t low, std::int64_t high, To* to) {
  if (value < low || value > high) {
    return Status::invalid_argument("--" + std::string(flag) + " must be from " + std::to_string(low) + " to " +
                                    std::to_string(high) + got(std::to_string(value)));
  }
  *to = static_cast<To>(value);
  return Status::ok();
}

// "a,,b" is "a", "" and "b"; "" is one empty piece.
inline std::vector<std::string_view> split_at_commas(std::string_view list) {
  std::vector<std::string_view> pieces;
  for (;;) {
    const std::size_t comma = list.find(',');
    pieces.push_back(list.substr(0, comma));
    if (comma == std::string_view::npos) return pieces;
    list.remove_prefix(comma + 1);
  }
}

// "a, b, c"
template <typename Names>
std::string joined(const Names& names) {
  std::string text;
  for (const auto& name : names) {
    if (!text.empty()) text += ", ";
    text += name;
  }
  return text;
}

// Reads flags into gflags' variables. --help shows those of the file flags.cc and ends the process with 0, an unknown
// flag or a value of the wrong type ends it with 1; InvalidArgument if anything but flags is there.
inline Status read_flags(int argc, char** argv, const std::string& usage) {
  gflags::SetUsageMessage(usage);
  gflags::ParseCommandLineNonHelpFlags(&argc, &argv, true);
  for (const char* name : {"help", "helpfull", "helpshort"}) {
    if (std::string value; gflags::GetCommandLineOption(name, &value) && value == "true") {
      gflags::ShowUsageWithFlagsRestrict(argv[0], "flags.cc");
      std::exit(0);
    }
  }
  gflags::HandleCommandLineHelpFlags();
  return argc > 1 ? Status::invalid_argument("only flags are understood" + got(argv[1])) : Status::ok();
}

}  // namespace scree::bench
