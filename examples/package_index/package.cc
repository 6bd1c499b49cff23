// SPDX-License-Identifier: Apache-2.0

#include "package.h"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <unordered_set>

namespace package_index {

namespace {

// Takes the next line off the front of `*text`, without its end.
std::string_view take_line(std::string_view* text) {
  const std::size_t end = text->find('\n');
  const std::string_view line = text->substr(0, end);
  text->remove_prefix(end == std::string_view::npos ? text->size() : end + 1);
  return line;
}

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\n") - first + 1);
}

// The value of a field with its continuation lines, a view into the stanza; nothing if the field is not there.
std::optional<std::string_view> field(std::string_view stanza, std::string_view name) {
  std::size_t at = 0;
  while (at < stanza.size()) {
    const std::string_view rest = stanza.substr(at);
    std::size_t end = rest.find('\n');
    while (end != std::string_view::npos && end + 1 < rest.size() && (rest[end + 1] == ' ' || rest[end + 1] == '\t')) {
      end = rest.find('\n', end + 1);
    }
    const std::string_view whole = rest.substr(0, end);
    if (whole.size() > name.size() && whole[name.size()] == ':' && whole.starts_with(name)) {
      return trim(whole.substr(name.size() + 1));
    }
    at = end == std::string_view::npos ? stanza.size() : at + end + 1;
  }
  return std::nullopt;
}

// "libc6:any (>= 2.34) [amd64] | libc6.1, zlib1g": libc6, libc6.1, zlib1g.
void append_dependencies(std::string_view relations, std::vector<std::string>* names) {
  while (!relations.empty()) {
    const std::size_t end = relations.find_first_of(",|");
    const std::string_view relation = trim(relations.substr(0, end));
    relations.remove_prefix(end == std::string_view::npos ? relations.size() : end + 1);
    const std::string_view name = relation.substr(0, relation.find_first_of(" \t\n(:["));
    if (!name.empty()) names->emplace_back(name);
  }
}

std::string replace_field(const std::string& stanza, std::string_view name, std::string_view value) {
  const std::optional<std::string_view> old = field(stanza, name);
  if (!old) return stanza;
  std::string result = stanza;
  return result.replace(static_cast<std::size_t>(old->data() - stanza.data()), old->size(), value);
}

// FNV-1a: the same in every process and on every machine.
std::uint64_t hash(std::string_view text, std::uint32_t salt) {
  std::uint64_t result = 14695981039346656037u ^ salt;
  for (const char c : text) result = (result ^ static_cast<unsigned char>(c)) * 1099511628211u;
  return result ^ (result >> 32);
}

}  // namespace

std::optional<Package> parse_stanza(std::string_view stanza) {
  Package package;
  package.name = field(stanza, "Package").value_or("");
  if (package.name.empty()) return std::nullopt;
  package.section = field(stanza, "Section").value_or("unknown");
  append_dependencies(field(stanza, "Depends").value_or(""), &package.dependencies);
  append_dependencies(field(stanza, "Pre-Depends").value_or(""), &package.dependencies);
  std::sort(package.dependencies.begin(), package.dependencies.end());
  package.dependencies.erase(std::unique(package.dependencies.begin(), package.dependencies.end()),
                             package.dependencies.end());
  return package;
}

bool split_list(std::string_view list, std::vector<Stanza>* stanzas, std::string* error) {
  std::unordered_set<std::string> seen;
  std::size_t line_number = 0;
  while (!list.empty()) {
    const std::size_t first_line = line_number + 1;
    const char* begin = list.data();
    std::size_t size = 0;
    while (!list.empty()) {
      const std::string_view line = take_line(&list);
      ++line_number;
      if (line.empty()) break;
      size = static_cast<std::size_t>(line.data() + line.size() - begin);
    }
    if (size == 0) continue;
    const std::string_view text(begin, size);
    const std::optional<std::string_view> name = field(text, "Package");
    if (!name || name->empty()) {
      *error = "line " + std::to_string(first_line) + ": a stanza without Package";
      return false;
    }
    if (seen.emplace(*name).second) stanzas->push_back({std::string(*name), std::string(text)});
  }
  if (stanzas->empty()) *error = "no packages";
  return !stanzas->empty();
}

bool read_list(const std::string& file, std::string* list, std::string* error) {
  if (!file.empty()) {
    std::ifstream in(file, std::ios::binary);
    list->assign(std::istreambuf_iterator<char>(in), {});
    if (in.is_open() && !in.bad()) return true;
    *error = "cannot read " + file;
    return false;
  }
  std::FILE* pipe = popen("apt-cache dumpavail", "r");
  if (pipe == nullptr) {
    *error = "cannot run apt-cache dumpavail";
    return false;
  }
  std::vector<char> buffer(1u << 16);
  while (const std::size_t got = std::fread(buffer.data(), 1, buffer.size(), pipe)) list->append(buffer.data(), got);
  if (pclose(pipe) == 0 && !list->empty()) return true;
  *error = "apt-cache dumpavail gave no packages; run apt-get update, or name a list with --input";
  return false;
}

std::optional<std::string> variant(const Stanza& stanza, std::uint32_t pass) {
  if (pass % 4 == 0) return stanza.text;
  const std::string suffix = "+pass" + std::to_string(pass);
  const std::uint64_t choice = hash(stanza.name, pass) % 16;
  if (choice == 0) return std::nullopt;
  if (choice <= 3) return replace_field(stanza.text, "Section", "moved" + suffix);
  if (choice <= 5) return replace_field(stanza.text, "Depends", "nothing" + suffix);
  const std::string version(field(stanza.text, "Version").value_or(""));
  return replace_field(stanza.text, "Version", version + suffix);
}

}  // namespace package_index
