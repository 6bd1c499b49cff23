// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdio>
#include <fstream>
#include <string>

#include <scree/status.h>

namespace scree::bench {

// printf into a string.
template <typename... Args>
std::string format(const char* pattern, Args... args) {
  const int size = std::snprintf(nullptr, 0, pattern, args...);
  std::string text(static_cast<std::size_t>(size) + 1, '\0');
  std::snprintf(text.data(), text.size(), pattern, args...);
  text.pop_back();
  return text;
}

inline Status write_file(const std::string& path, std::ios::openmode mode, const std::string& text) {
  std::ofstream file(path, mode);
  file << text << std::flush;
  return file ? Status::ok() : Status::io_error("cannot write " + path);
}

}  // namespace scree::bench
