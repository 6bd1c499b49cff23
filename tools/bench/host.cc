// SPDX-License-Identifier: Apache-2.0

#include "host.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <ctime>
#include <fstream>
#include <thread>

namespace scree::bench {
namespace {

std::string cpu_model() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("model name")) {
      const std::size_t colon = line.find(": ");
      if (colon != std::string::npos) return line.substr(colon + 2);
    }
  }
  return "unknown";
}

std::string memory() {
  const long pages = sysconf(_SC_PHYS_PAGES);
  const long page_size = sysconf(_SC_PAGESIZE);
  return std::to_string((static_cast<unsigned long long>(pages) * static_cast<unsigned long long>(page_size)) >> 20) +
         " MiB";
}

std::string kernel() {
  utsname names{};
  if (uname(&names) != 0) return "unknown";
  return std::string(names.sysname) + " " + names.release + " " + names.machine;
}

std::string compiler() {
#if defined(__clang__)
  return "clang " __clang_version__;
#elif defined(__GNUC__)
  return "g++ " __VERSION__;
#else
  return "unknown";
#endif
}

std::string build() {
  std::string text;
#ifdef __OPTIMIZE__
  text = "optimized";
#else
  text = "not optimized: slower than it could be";
#endif
#ifdef NDEBUG
  return text + ", no assertions";
#else
  return text + ", with assertions: slower than it could be";
#endif
}

std::string date() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  char buffer[32];
  std::strftime(buffer, sizeof buffer, "%Y-%m-%dT%H:%M:%SZ", &utc);
  return buffer;
}

}  // namespace

Facts host_facts() {
  return {
      {"date", date()},     {"cpu", cpu_model()}, {"cores", std::to_string(std::thread::hardware_concurrency())},
      {"memory", memory()}, {"kernel", kernel()}, {"compiler", compiler()},
      {"build", build()},
  };
}

}  // namespace scree::bench
