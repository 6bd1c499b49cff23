// SPDX-License-Identifier: Apache-2.0

#include "memory_use.h"

#include <sys/wait.h>
#include <unistd.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>

namespace scree::bench {
namespace {

void give_back_what_malloc_has_free() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

// Of the pages that no other process has, those that were written.
Status own_bytes(double* bytes) {
  give_back_what_malloc_has_free();
  constexpr const char* kPath = "/proc/self/smaps_rollup";
  std::ifstream file(kPath);
  for (std::string word; file >> word;) {
    double kilobytes = 0;
    if (word != "Private_Dirty:" || !(file >> kilobytes)) continue;
    *bytes = kilobytes * 1024;
    return Status::ok();
  }
  return Status::not_supported(std::string(kPath) + " does not tell this process's own memory");
}

// In the child. Writes a number for each step to `out`, or the message of what failed.
void do_steps(const std::vector<std::function<Status()>>& steps, std::ostream& out) {
  double before = 0;
  Status status = own_bytes(&before);
  for (const auto& step : steps) {
    double after = 0;
    if (status.is_ok()) status = step();
    if (status.is_ok()) status = own_bytes(&after);
    if (!status.is_ok()) break;
    out << after - before << '\n';
  }
  if (!status.is_ok()) out << status.to_string();
}

std::string read_all(int from) {
  std::string text;
  std::array<char, 4096> some;
  for (;;) {
    const ssize_t size = ::read(from, some.data(), some.size());
    if (size > 0) text.append(some.data(), static_cast<std::size_t>(size));
    if (size == 0 || (size < 0 && errno != EINTR)) return text;
  }
}

}  // namespace

Status memory_after(const std::vector<std::function<Status()>>& steps, std::vector<double>* bytes) {
  give_back_what_malloc_has_free();
  int ends[2];
  if (::pipe(ends) != 0) return Status::io_error(std::string("no pipe to a child process: ") + std::strerror(errno));
  const pid_t child = ::fork();
  if (child == 0) {
    std::ostringstream out;
    out.precision(17);
    do_steps(steps, out);
    const std::string text = out.str();
    const bool told = ::write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size());
    ::_exit(told ? 0 : 1);
  }
  ::close(ends[1]);
  const std::string text = child > 0 ? read_all(ends[0]) : std::string();
  ::close(ends[0]);
  if (child < 0) return Status::io_error(std::string("no child process: ") + std::strerror(errno));
  ::waitpid(child, nullptr, 0);

  bytes->clear();
  std::istringstream in(text);
  for (double value = 0; in >> value;) bytes->push_back(value);
  if (bytes->size() == steps.size()) return Status::ok();
  return Status::aborted("the child process that was to be measured failed: " + text);
}

}  // namespace scree::bench
