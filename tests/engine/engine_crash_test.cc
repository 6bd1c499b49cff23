// SPDX-License-Identifier: Apache-2.0
//
// Kills a program that writes, at a random moment, and opens its store: every acknowledged write is there, of what was
// under way each operation whole or not at all, and the indexes agree. Freezes, flushes and ingests are under way all
// the time.

#include <array>
#include <csignal>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include <scree/engine.h>

#include "engine/crash_workload.h"
#include "engine/engine_support.h"

namespace scree::test {
namespace {

using Violation = std::optional<std::string>;

// A writer in a process of its own.
class Writer {
 public:
  Writer(const std::string& path, CrashWriterMode mode, const std::vector<std::uint64_t>& first) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) ADD_FAILURE() << "pipe2";
    std::vector<std::string> words{SCREE_CRASH_WRITER, path, "3", std::to_string(static_cast<int>(mode))};
    for (const std::uint64_t n : first) words.push_back(std::to_string(n));
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    child_ = ::fork();
    if (child_ == 0) {
      // A descriptor that is its own copy would keep its mark to be closed.
      ends[1] == 3 ? ::fcntl(3, F_SETFD, 0) : ::dup2(ends[1], 3);
      ::execv(arguments.front(), arguments.data());
      ::_exit(127);
    }
    ::close(ends[1]);
    out_ = ends[0];
  }
  ~Writer() {
    if (child_ > 0) kill();
    ::close(out_);
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // Waits for one acknowledgement, at most so long.
  bool await(CrashAcknowledgement* acknowledgement, int milliseconds) {
    pollfd ready{out_, POLLIN, 0};
    return ::poll(&ready, 1, milliseconds) == 1 && next(acknowledgement);
  }
  // False at the end.
  bool next(CrashAcknowledgement* acknowledgement) {
    return ::read(out_, acknowledgement, sizeof *acknowledgement) == sizeof *acknowledgement;
  }
  // What was acknowledged before it died can still be read. False if it had ended by itself.
  bool kill() {
    ::kill(child_, SIGKILL);
    int status = 0;
    ::waitpid(std::exchange(child_, 0), &status, 0);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
  }

 private:
  pid_t child_ = 0;
  int out_ = -1;
};

class CrashStore {
 public:
  explicit CrashStore(const std::string& parent, std::uint64_t seed) : directory_(parent), random_(seed) {}

  // One life of a writer. Nothing, or what is wrong with what it left.
  Violation round(CrashWriterMode mode) {
    const std::size_t threads = 1 + random_() % kCrashThreads;
    Acknowledged acknowledged(threads);
    for (std::size_t t = 0; t < threads; ++t) acknowledged[t] = done_[t];
    {
      Writer writer(path(), mode, acknowledged);
      const auto note = [&](const CrashAcknowledgement& a) { acknowledged[a.thread] = a.n + 1; };
      CrashAcknowledgement next;
      if (random_() % 5 == 0) {
        // At any time, also while it opens the store.
        if (writer.await(&next, static_cast<int>(random_() % 40))) note(next);
      } else {
        for (std::uint64_t left = 1 + random_() % 400; left > 0; --left) {
          if (!writer.await(&next, 20'000)) return "the writer does not get on";
          note(next);
        }
      }
      if (!writer.kill()) return "the writer ended by itself";
      while (writer.next(&next)) note(next);
    }
    return verify(acknowledged);
  }

  std::uint64_t operations() const { return done_[0] + done_[1] + done_[2]; }

 private:
  using Acknowledged = std::vector<std::uint64_t>;
  using Stores = std::array<Entries, kCrashIndexes>;

  std::string path() const { return directory_ / "store"; }

  Violation verify(const Acknowledged& acknowledged) {
    std::unique_ptr<Engine> engine;
    if (Status status = Engine::open(crash_options(), path(), &engine); !status.is_ok()) return status.to_string();
    Stores found;
    for (std::size_t i = 0; i < kCrashIndexes; ++i) {
      Index index;
      const Status status = engine->open_index(kCrashIndexNames[i], kCrashIndexKinds[i], &index);
      if (status.is_ok()) {
        found[i] = scan(*engine, index);
      } else if (!status.is_not_found()) {
        return status.to_string();
      }
    }
    if (found[0] != found[1]) return "the two indexes differ that are always written together";

    for (std::size_t t = 0; t < acknowledged.size(); ++t) {
      for (; done_[t] < acknowledged[t]; ++done_[t]) apply(t, done_[t]);
      if (of_thread(found, t) == of_thread(expected_, t)) continue;
      // What it was doing when it died may have happened.
      apply(t, done_[t]++);
      if (of_thread(found, t) != of_thread(expected_, t)) {
        return "thread " + std::to_string(t) + " had " + std::to_string(acknowledged[t]) +
               " writes acknowledged; the store is neither as after them nor as after one more";
      }
    }
    if (found != expected_) return "what earlier lives left has changed";
    if (random_() % 4 == 0) {
      if (Status status = engine->flush(); !status.is_ok()) return status.to_string();
    }
    return std::nullopt;
  }

  void apply(std::size_t thread, std::uint64_t n) {
    for (CrashWrite& write : crash_operation(static_cast<int>(thread), n)) {
      Entries& entries = expected_[static_cast<std::size_t>(write.index)];
      if (write.value) {
        entries[write.key] = std::move(*write.value);
      } else {
        entries.erase(write.key);
      }
    }
  }

  static Stores of_thread(const Stores& stores, std::size_t thread) {
    const std::string prefix = crash_key_prefix(static_cast<int>(thread));
    Stores own;
    for (std::size_t i = 0; i < kCrashIndexes; ++i) {
      for (auto it = stores[i].lower_bound(prefix); it != stores[i].end() && it->first.starts_with(prefix); ++it) {
        own[i].insert(*it);
      }
    }
    return own;
  }

  const TemporaryDirectory directory_;
  std::mt19937_64 random_;
  Stores expected_;
  std::array<std::uint64_t, kCrashThreads> done_{};
};

void expect_survival(const std::string& parent, std::uint64_t seed, int stores, int rounds) {
  std::uint64_t operations = 0;
  for (int i = 0; i < stores; ++i, ++seed) {
    CrashStore store(parent, seed);
    for (int round = 0; round < rounds; ++round) {
      const Violation violation = store.round(CrashWriterMode::kRight);
      ASSERT_FALSE(violation) << "seed " << seed << ", round " << round << ": " << *violation;
    }
    operations += store.operations();
  }
  EXPECT_GT(operations, static_cast<std::uint64_t>(stores * rounds) * 20);
}

TEST(EngineCrash, loses_nothing_acknowledged_in_a_hundred_deaths) { expect_survival(memory_directory(), 1, 8, 13); }
TEST(EngineCrash, loses_nothing_acknowledged_on_a_disk) { expect_survival(testing::TempDir(), 100, 2, 6); }

bool is_caught(CrashWriterMode broken) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    CrashStore store(memory_directory(), seed);
    for (int round = 0; round < 8; ++round) {
      const Violation violation = store.round(broken);
      if (!violation) continue;
      EXPECT_TRUE(violation->find("writes acknowledged") != std::string::npos ||
                  violation->find("differ") != std::string::npos)
          << *violation;
      return true;
    }
  }
  return false;
}

TEST(EngineCrash, of_a_writer_that_does_not_wait_for_its_writes_is_caught) {
  EXPECT_TRUE(is_caught(CrashWriterMode::kBuffered));
}
TEST(EngineCrash, of_a_writer_that_splits_its_batches_is_caught) { EXPECT_TRUE(is_caught(CrashWriterMode::kInParts)); }

}  // namespace
}  // namespace scree::test
