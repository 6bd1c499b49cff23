// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace package_index {

// What the indexes need to know of a stanza of a Debian package list.
struct Package {
  std::string name;
  std::string section;
  std::vector<std::string> dependencies;  // names in Depends and Pre-Depends, sorted, each once
};

// Nothing if the stanza names no package.
std::optional<Package> parse_stanza(std::string_view stanza);

struct Stanza {
  std::string name;
  std::string text;
};

// The stanzas of a list in its order; of several with one name the first counts. On a malformed list returns false
// and says where in `*error`.
bool split_list(std::string_view list, std::vector<Stanza>* stanzas, std::string* error);

// The list that is in `file`, or what `apt-cache dumpavail` prints if it is empty. False and a reason on failure.
bool read_list(const std::string& file, std::string* list, std::string* error);

// What a package looks like in one pass of the work: every fourth pass is the input as it is; the others bump its
// version, move it to another section, take away dependencies or remove it altogether (then it is nothing).
std::optional<std::string> variant(const Stanza& stanza, std::uint32_t pass);

}  // namespace package_index
