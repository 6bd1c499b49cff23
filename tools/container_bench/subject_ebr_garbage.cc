// SPDX-License-Identifier: Apache-2.0
//
// What a writer pays for scree::ebr: instances are made, published and replaced, and each is freed later.
//
// allocate_publish_retire stores over what was published; allocate_swap_drop takes it out and drops it; stalled_reader
// stores while a thread sits inside a barrier, so that nothing can be freed before it leaves.

#include <scree/ebr.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include <atomic>
#include <cstdint>
#include <latch>
#include <limits>
#include <string>
#include <thread>
#include <utility>

#include "collect.h"
#include "garbage.h"
#include "keep.h"
#include "registry.h"
#include "timed_threads.h"

namespace scree::bench {
namespace {

struct Value {
  explicit Value(std::uint64_t number) : words{number} {}
  std::uint64_t words[kGarbageValueBytes / sizeof(std::uint64_t)];
};

// Values whose destructor has run on this thread; not shared, so that counting costs next to nothing.
constinit thread_local std::uint64_t destroyed_here = 0;

struct CountedValue : Value {
  using Value::Value;
  ~CountedValue() { ++destroyed_here; }
};

struct Store {
  static std::uint64_t stores(std::uint64_t operations) { return operations; }
  template <class T>
  [[gnu::noinline]] static void loop(ebr::AtomicArc<T>* published, std::uint64_t operations) {
    for (std::uint64_t i = 0; i < operations; ++i) {
      published->store(ebr::Arc<T>::make(i), ebr::Tag::kNone);
    }
  }
};

struct SwapAndDrop {
  template <class T>
  [[gnu::noinline]] static void loop(ebr::AtomicArc<T>* published, std::uint64_t operations) {
    for (std::uint64_t i = 0; i < operations; ++i) {
      // The old owner ends with the statement: that retires the instance.
      published->swap(ebr::Arc<T>::make(i), ebr::Tag::kNone, std::memory_order_acq_rel);
    }
  }
};

// 19 reads of what is published for each replacement of it.
struct ReadAndSometimesStore {
  template <class T>
  [[gnu::noinline]] static void loop(ebr::AtomicArc<T>* published, std::uint64_t operations) {
    for (std::uint64_t i = 0; i < operations; ++i) {
      if (i % kReadsAndStore == 0) {
        published->store(ebr::Arc<T>::make(i), ebr::Tag::kNone);
      } else {
        const ebr::Barrier barrier;
        keep(&published->load(std::memory_order_acquire, barrier)->words[0]);
      }
    }
  }
  // How many of so many operations store.
  static std::uint64_t stores(std::uint64_t operations) { return (operations + kReadsAndStore - 1) / kReadsAndStore; }

  static constexpr std::uint64_t kReadsAndStore = 20;
};

// Every run finds the memory that the warm-up round took from the system: what the system takes to give it is not in
// question.
void keep_freed_memory() {
#ifdef __GLIBC__
  mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
#endif
}

// Replaces what each thread publishes until `request.n` instances were made. `destroyed` counts those freed meanwhile.
template <class Replace, class T>
double replace_on_threads(const RunRequest& request, std::atomic<std::uint64_t>* destroyed) {
  return run_on_threads(request.threads, [&](Lap& lap) {
    const std::uint64_t operations = request.operations_per_thread();
    {
      ebr::AtomicArc<T> published = ebr::AtomicArc<T>::make(0u);
      lap.start();
      Replace::loop(&published, operations);
      lap.stop();
    }
    ebr::suspend();
    destroyed->fetch_add(std::exchange(destroyed_here, 0), std::memory_order_relaxed);
  });
}

template <class Replace>
Status replace_with_nobody_reading(const RunRequest& request, double* nanoseconds) {
  keep_freed_memory();
  std::atomic<std::uint64_t> ignored{0};
  Status status = collect_everything();
  if (status.is_ok()) *nanoseconds = replace_on_threads<Replace, Value>(request, &ignored);
  return status;
}

// Is inside a barrier from the end of its constructor to the beginning of its destructor.
class StalledReader {
 public:
  StalledReader()
      : thread_([this] {
          const ebr::Barrier barrier;
          inside_.count_down();
          may_leave_.wait();
        }) {
    inside_.wait();
  }
  ~StalledReader() {
    may_leave_.count_down();
    thread_.join();
  }
  StalledReader(const StalledReader&) = delete;
  StalledReader& operator=(const StalledReader&) = delete;

 private:
  std::latch inside_{1};
  std::latch may_leave_{1};
  std::thread thread_;
};

// What was made must be destroyed at the end, each instance once.
template <class Replace>
Status check_freed(const RunRequest& request, std::uint64_t destroyed) {
  // And those that were published first.
  const std::uint64_t made = request.threads * (Replace::stores(request.operations_per_thread()) + 1);
  if (destroyed == made) return Status::ok();
  return Status::corruption("of " + std::to_string(made) + " instances " + std::to_string(destroyed) + " were freed");
}

template <class Replace, bool kStalled>
Status beside_a_reader(const RunRequest& request, double* nanoseconds) {
  keep_freed_memory();
  Status status = collect_everything();
  if (!status.is_ok()) return status;
  destroyed_here = 0;
  std::atomic<std::uint64_t> destroyed{0};
  if constexpr (kStalled) {
    const StalledReader reader;
    *nanoseconds = replace_on_threads<Replace, CountedValue>(request, &destroyed);
    if (destroyed.load() != 0) return Status::corruption("an instance was freed while a reader could reach it");
  } else {
    *nanoseconds = replace_on_threads<Replace, CountedValue>(request, &destroyed);
  }
  status = collect_everything();
  return status.is_ok() ? check_freed<Replace>(request, destroyed.load() + destroyed_here) : status;
}

}  // namespace

void add_ebr_garbage(Registry* registry) {
  registry->add(
      {.name = "allocate_publish_retire", .container = {.name = "ebr", .run = replace_with_nobody_reading<Store>}});
  registry->add(
      {.name = "allocate_swap_drop", .container = {.name = "ebr", .run = replace_with_nobody_reading<SwapAndDrop>}});

  // The more waits, the less of it fits into the caches. An instance takes
  // about 100 bytes, its place among the garbage included: 200 MB, and half a GB at most.
  constexpr std::uint64_t kWaiting = 2'000'000;
  constexpr std::uint64_t kMaxWaiting = 5'000'000;
  registry->add_peer("no_stalled_reader", {});
  const auto add = [registry](const char* benchmark, RunFunction stalled, RunFunction not_stalled) {
    registry->add({.name = benchmark,
                   .container = {.name = "ebr", .run = std::move(stalled)},
                   .default_n = kWaiting,
                   .max_n = kMaxWaiting});
    registry->add_side("ebr", benchmark, {.name = "no_stalled_reader", .run = std::move(not_stalled)});
  };
  add("stalled_reader", beside_a_reader<Store, true>, beside_a_reader<Store, false>);
  add("stalled_reader_95_5", beside_a_reader<ReadAndSometimesStore, true>,
      beside_a_reader<ReadAndSometimesStore, false>);
}

}  // namespace scree::bench
