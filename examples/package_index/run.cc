// SPDX-License-Identifier: Apache-2.0

#include "run.h"

#include <algorithm>
#include <chrono>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "work.h"

namespace package_index {

using scree::Status;

namespace {

// A line of progress, with the seconds since the start.
__attribute__((format(printf, 1, 2))) void say(const char* format, ...) {
  static const auto start = std::chrono::steady_clock::now();
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  std::printf("[%6.1f s] ", elapsed.count());
  va_list arguments;
  va_start(arguments, format);
  std::vprintf(format, arguments);
  va_end(arguments);
  std::printf("\n");
  std::fflush(stdout);
}

bool complain(const std::string& what) {
  std::fprintf(stderr, "package_index: %s\n", what.c_str());
  return false;
}

struct Child {
  pid_t pid = -1;
  int reports = -1;
};

// Starts this program again, as a worker.
bool start_child(const RunOptions& options, Child* child) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return complain(std::string("pipe: ") + std::strerror(errno));
  const std::string threads = std::to_string(options.threads);
  const std::string reports = std::to_string(STDOUT_FILENO);
  const pid_t pid = fork();
  if (pid == 0) {
    dup2(ends[1], STDOUT_FILENO);
    execl("/proc/self/exe", "package_index", "--data", options.data.c_str(), "work", "--threads", threads.c_str(),
          "--reports", reports.c_str(), nullptr);
    _exit(127);
  }
  close(ends[1]);
  if (pid < 0) {
    close(ends[0]);
    return complain(std::string("fork: ") + std::strerror(errno));
  }
  *child = {pid, ends[0]};
  return true;
}

// Takes the child's next report; false when there is none any more, or none in a minute.
bool next_report(const Child& child, BatchId* id) {
  pollfd waiting{child.reports, POLLIN, 0};
  if (poll(&waiting, 1, 60'000) != 1) return false;
  return read(child.reports, id, sizeof *id) == static_cast<ssize_t>(sizeof *id);
}

// Lets the child work until it has reported `enough` batches, and a little longer; kills it. All that it has
// reported goes to `*acknowledged`. False if it ended before.
bool kill_after(const Child& child, std::size_t enough, unsigned microseconds, std::vector<BatchId>* acknowledged) {
  BatchId id;
  for (std::size_t i = 0; i < enough && next_report(child, &id); ++i) acknowledged->push_back(id);
  usleep(microseconds);
  kill(child.pid, SIGKILL);
  while (next_report(child, &id)) acknowledged->push_back(id);
  close(child.reports);
  int status = 0;
  waitpid(child.pid, &status, 0);
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) return true;
  return complain(WIFSIGNALED(status) ? "the child died of signal " + std::to_string(WTERMSIG(status))
                                      : "the child ended by itself, with " + std::to_string(WEXITSTATUS(status)));
}

std::unique_ptr<Store> open_store(const std::string& data) {
  std::unique_ptr<Store> store;
  if (Status status = Store::open(store_directory(data), /*create=*/true, &store); !status.is_ok()) {
    complain("cannot open the store: " + status.to_string());
  }
  return store;
}

bool check_and_say(const Store& store, std::span<const Stanza> stanzas, const char* when) {
  Disagreements found;
  const Totals totals = check_everything(store, stanzas, &found);
  found.print();
  if (found.none()) {
    say("%s: all indexes agree: %zu packages, %zu section entries, %zu dependant entries", when, totals.packages,
        totals.section_entries, totals.dependant_entries);
  }
  return found.none();
}

// One child killed, one look at what it left.
bool run_round(const RunOptions& options, std::span<const Stanza> stanzas, unsigned round, std::mt19937_64& random,
               std::vector<BatchId>* acknowledged) {
  const std::uint32_t slots = slot_count(stanzas);
  const std::size_t enough = 1 + random() % (2 * std::size_t{slots});
  Child child;
  if (!start_child(options, &child)) return false;
  say("round %u of %u: child %d indexes with %u threads", round, options.rounds, static_cast<int>(child.pid),
      options.threads);
  const std::size_t before = acknowledged->size();
  if (!kill_after(child, enough, static_cast<unsigned>(random() % 5000), acknowledged)) return false;
  say("round %u: killed after %zu acknowledged batches, each of %zu packages", round, acknowledged->size() - before,
      kSlotSize);

  const auto start = std::chrono::steady_clock::now();
  const std::unique_ptr<Store> store = open_store(options.data);
  if (store == nullptr) return false;
  const std::chrono::duration<double> opening = std::chrono::steady_clock::now() - start;
  const scree::RecoveryReport& report = store->engine().recovery_report();
  say("round %u: reopened in %.2f s, %llu log records replayed", round, opening.count(),
      static_cast<unsigned long long>(report.records_replayed));

  Disagreements lost;
  check_acknowledged(*store, *acknowledged, &lost);
  lost.print();
  if (!lost.none()) return false;
  say("round %u: all %zu acknowledged batches are there", round, acknowledged->size());
  return check_and_say(*store, stanzas, "after the kill");
}

// The first pass that gives the input as it is and that no slot is past.
bool choose_final_pass(const Store& store, std::span<const Stanza> stanzas, std::uint32_t* pass) {
  *pass = 0;
  for (std::uint32_t slot = 0; slot < slot_count(stanzas); ++slot) {
    std::optional<std::uint32_t> last;
    if (Status status = store.last_pass(nullptr, slot, &last); !status.is_ok()) return complain(status.to_string());
    if (last) *pass = std::max(*pass, *last);
  }
  *pass = (*pass + 3) / 4 * 4;
  return true;
}

bool finish(const RunOptions& options, std::span<const Stanza> stanzas) {
  const std::unique_ptr<Store> store = open_store(options.data);
  if (store == nullptr) return false;
  std::uint32_t pass = 0;
  if (!choose_final_pass(*store, stanzas, &pass)) return false;
  WorkOptions rest;
  rest.threads = options.threads;
  rest.final_pass = pass;
  Disagreements found;
  const WorkTotals totals = work(*store, stanzas, rest, &found);
  found.print();
  if (!found.none()) return false;
  say("indexing finished: %llu more batches, %llu checks meanwhile", static_cast<unsigned long long>(totals.batches),
      static_cast<unsigned long long>(totals.checks));
  if (!check_and_say(*store, stanzas, "compared with the input")) return false;

  if (Status status = store->engine().flush(); !status.is_ok()) return complain("flush: " + status.to_string());
  if (!check_and_say(*store, stanzas, "after a flush")) return false;
  const scree::EngineStats stats = store->engine().stats();
  say("the last process made %llu commits of %llu operations, %llu freezes and %llu flushes",
      static_cast<unsigned long long>(stats.commits), static_cast<unsigned long long>(stats.operations),
      static_cast<unsigned long long>(stats.freezes), static_cast<unsigned long long>(stats.flushes));
  if (Status status = store->engine().close(); !status.is_ok()) return complain("close: " + status.to_string());
  return true;
}

// A run starts from nothing, and its children read the very list that it read.
bool prepare(const RunOptions& options, std::string* list, std::vector<Stanza>* stanzas) {
  std::string error;
  if (!read_list(options.input, list, &error) || !split_list(*list, stanzas, &error)) {
    return complain((options.input.empty() ? "package list" : options.input) + ": " + error);
  }
  std::error_code failed;
  if (std::filesystem::exists(store_directory(options.data), failed) &&
      !std::filesystem::exists(list_file(options.data), failed)) {
    return complain(store_directory(options.data) + " is there, but not from an earlier run: not overwritten");
  }
  std::filesystem::create_directories(options.data, failed);
  if (!failed) std::filesystem::remove_all(store_directory(options.data), failed);
  if (failed) return complain(options.data + ": " + failed.message());
  std::ofstream copy(list_file(options.data), std::ios::binary | std::ios::trunc);
  copy << *list << std::flush;
  return copy.good() || complain("cannot write " + list_file(options.data));
}

}  // namespace

std::string store_directory(const std::string& data) { return data + "/store"; }
std::string list_file(const std::string& data) { return data + "/packages.txt"; }

int run(const RunOptions& options) {
  say("reading %s", options.input.empty() ? "apt-cache dumpavail" : options.input.c_str());
  std::string list;
  std::vector<Stanza> stanzas;
  if (!prepare(options, &list, &stanzas)) return 1;
  say("%zu packages, %.1f MB", stanzas.size(), static_cast<double>(list.size()) / 1e6);
  std::mt19937_64 random(std::random_device{}());
  std::vector<BatchId> acknowledged;
  for (unsigned round = 1; round <= options.rounds; ++round) {
    if (!run_round(options, stanzas, round, random, &acknowledged)) return 1;
  }
  if (!finish(options, stanzas)) return 1;
  say("every check passed; the store is in %s", store_directory(options.data).c_str());
  return 0;
}

int work_until_killed(const std::string& data, unsigned threads, int reports) {
  std::string list;
  std::string error;
  std::vector<Stanza> stanzas;
  if (!read_list(list_file(data), &list, &error) || !split_list(list, &stanzas, &error)) {
    complain(error);
    return 1;
  }
  const std::unique_ptr<Store> store = open_store(data);
  if (store == nullptr) return 1;
  WorkOptions options;
  options.threads = threads;
  // A report is smaller than PIPE_BUF: the threads' reports do not mix.
  options.acknowledged = [&](BatchId id) { return write(reports, &id, sizeof id) == static_cast<ssize_t>(sizeof id); };
  Disagreements found;
  work(*store, stanzas, options, &found);
  found.print();
  return found.none() ? 0 : 1;
}

}  // namespace package_index
