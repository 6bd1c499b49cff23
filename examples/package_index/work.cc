// SPDX-License-Identifier: Apache-2.0

#include "work.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace package_index {

using scree::Status;

namespace {

// What the threads of one job share.
class Job {
 public:
  Job(Store& store, std::span<const Stanza> stanzas, const WorkOptions& options)
      : store_(store), stanzas_(stanzas), options_(options) {}

  // Writer `number` has every `threads`th slot to itself, so no one changes a package between its read and its write.
  void write_slots(unsigned number) {
    std::vector<Turn> turns;
    for (std::uint32_t slot = number; slot < slot_count(stanzas_); slot += options_.threads) {
      std::optional<std::uint32_t> last;
      if (Status status = store_.last_pass(nullptr, slot, &last); !status.is_ok()) return fail("progress", status);
      if (!options_.final_pass) {
        turns.push_back({slot, last ? *last + 1 : 0});
      } else if (last != options_.final_pass) {
        turns.push_back({slot, *options_.final_pass});
      }
    }
    do {
      for (Turn& turn : turns) {
        if (stop_) return;
        const BatchId id{turn.slot, turn.pass++};
        if (Status status = store_.write_slot(slot_of(stanzas_, id.slot), id); !status.is_ok()) {
          return fail("batch " + progress_key(id), status);
        }
        ++batches_;
        if (options_.acknowledged && !options_.acknowledged(id)) stop_ = true;
      }
    } while (!options_.final_pass && !turns.empty());
  }

  void check_until_stopped() {
    std::mt19937_64 random(std::random_device{}());
    do {
      Disagreements found;
      check_a_part(store_, stanzas_, random, &found);
      ++checks_;
      if (!found.none()) return fail(found);
    } while (!stop_);
  }

  void stop() { stop_ = true; }
  WorkTotals totals() const { return {batches_, checks_}; }
  const Disagreements& found() const { return found_; }

 private:
  struct Turn {
    std::uint32_t slot;
    std::uint32_t pass;
  };

  void fail(const std::string& what, const Status& status) {
    Disagreements found;
    found.add(what, status);
    fail(found);
  }

  // The first failure is the one that is told: the others may follow from it.
  void fail(const Disagreements& found) {
    const std::lock_guard lock(mutex_);
    if (found_.none()) found_ = found;
    stop_ = true;
  }

  Store& store_;
  const std::span<const Stanza> stanzas_;
  const WorkOptions& options_;
  std::atomic<bool> stop_{false};
  std::atomic<std::uint64_t> batches_{0};
  std::atomic<std::uint64_t> checks_{0};
  std::mutex mutex_;
  Disagreements found_;
};

}  // namespace

WorkTotals work(Store& store, std::span<const Stanza> stanzas, const WorkOptions& options, Disagreements* found) {
  Job job(store, stanzas, options);
  std::vector<std::thread> writers;
  std::vector<std::thread> checkers;
  for (unsigned i = 0; i < options.threads; ++i) writers.emplace_back([&job, i] { job.write_slots(i); });
  for (unsigned i = 0; i < std::max(1u, options.threads / 2); ++i) {
    checkers.emplace_back([&job] { job.check_until_stopped(); });
  }
  for (std::thread& thread : writers) thread.join();
  job.stop();
  for (std::thread& thread : checkers) thread.join();
  *found = job.found();
  return job.totals();
}

}  // namespace package_index
