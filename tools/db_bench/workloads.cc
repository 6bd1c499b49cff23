// SPDX-License-Identifier: Apache-2.0

#include "workloads.h"

#include <algorithm>
#include <array>

namespace scree::bench {
namespace {

bool never() { return false; }

// Numbers of operations per thread.

std::uint64_t fill_operations(const Config& config) { return config.writes.value_or(config.num); }

std::uint64_t sync_operations(const Config& config) {
  constexpr std::uint64_t kEnoughToBeSteady = 3000;
  return config.writes.value_or(std::max(config.num / 1000, std::min(config.num, kEnoughToBeSteady)));
}

// A comparison repeats each benchmark, so it need not run long each time.
std::uint64_t default_operations(const Config& config) {
  return config.peer == nullptr ? config.num : std::max<std::uint64_t>(1, config.num * 3 / 10);
}

std::uint64_t write_operations(const Config& config) { return config.writes.value_or(default_operations(config)); }

std::uint64_t read_operations(const Config& config) { return config.reads.value_or(default_operations(config)); }

std::uint64_t scan_operations(const Config& config) { return config.reads.value_or(config.num); }

std::uint64_t seek_operations(const Config& config) {
  if (config.peer == nullptr) return read_operations(config);
  return config.reads.value_or(std::max<std::uint64_t>(1, config.num / 30));
}

std::uint64_t update_operations(const Config& config) {
  if (!config.reads && !config.writes) return default_operations(config);
  return std::max(config.reads.value_or(0), config.writes.value_or(0));
}

// Writes `batch_size` puts at a time, the keys taken from `next_key`, until the run or `stop` ends it; once at least,
// so that a background writer always has a rate.
template <typename NextKey, typename Stop>
Status write_until(WorkloadThread& thread, std::uint64_t batch_size, NextKey&& next_key, Stop&& stop) {
  const Config& config = thread.config;
  Key key(config.key_size);
  for (std::uint64_t left; (left = thread.run.left()) != 0;) {
    const std::uint64_t count = std::min(left, batch_size);
    Status status = thread.run.measure(count, [&] {
      if (count == 1) return thread.session.put(key.set(next_key()), thread.values.next());
      for (std::uint64_t i = 0; i < count; ++i) thread.session.add_put(key.set(next_key()), thread.values.next());
      return thread.session.write_batch();
    });
    if (!status.is_ok()) return status;
    const std::uint64_t bytes = count * (config.key_size + config.value_size);
    thread.run.add_bytes(bytes);
    thread.limiter.pace(bytes, stop);
    if (stop()) break;
  }
  return Status::ok();
}

Status write_sequential(WorkloadThread& thread, std::uint64_t batch_size) {
  std::uint64_t next = 0;
  const std::uint64_t num = thread.config.num;
  return write_until(
      thread, batch_size,
      [&] {
        const std::uint64_t number = next;
        next = next + 1 == num ? 0 : next + 1;
        return number;
      },
      never);
}

Status fill_sequential(WorkloadThread& thread) { return write_sequential(thread, thread.config.batch_size); }

Status fill_batch(WorkloadThread& thread) {
  constexpr std::uint64_t kDefaultBatch = 1000;
  const std::uint64_t batch_size = thread.config.batch_size;
  return write_sequential(thread, batch_size == 1 ? kDefaultBatch : batch_size);
}

Status write_random(WorkloadThread& thread) {
  return write_until(
      thread, thread.config.batch_size, [&] { return thread.random.below(thread.config.num); }, never);
}

Status write_random_beside_readers(WorkloadThread& thread) {
  return write_until(
      thread, thread.config.batch_size, [&] { return thread.random.below(thread.config.num); }, thread.readers_done);
}

// Gets random keys of [0, num), `key_size` bytes long.
Status get_random(WorkloadThread& thread, std::size_t key_size) {
  Key key(key_size);
  while (thread.run.left() != 0) {
    std::string_view value;
    Status status = thread.run.measure(
        1, [&] { return thread.session.get(key.set(thread.random.below(thread.config.num)), &value); });
    if (status.is_ok()) {
      thread.run.add_found();
      thread.run.add_bytes(key_size + value.size());
    } else if (!status.is_not_found()) {
      return status;
    }
  }
  return Status::ok();
}

Status read_random(WorkloadThread& thread) { return get_random(thread, thread.config.key_size); }

// Keys one byte longer than those that were written lie between them.
Status read_missing(WorkloadThread& thread) { return get_random(thread, thread.config.key_size + 1); }

Status scan(WorkloadThread& thread, void (Cursor::*begin)(), void (Cursor::*step)()) {
  const std::unique_ptr<Cursor> cursor = thread.session.cursor();
  for ((*cursor.*begin)(); thread.run.left() != 0 && cursor->valid();) {
    thread.run.measure(1, [&] {
      thread.run.add_bytes(cursor->key().size() + cursor->value().size());
      (*cursor.*step)();
      return true;
    });
  }
  return cursor->status();
}

Status read_sequential(WorkloadThread& thread) { return scan(thread, &Cursor::seek_to_first, &Cursor::next); }
Status read_reverse(WorkloadThread& thread) { return scan(thread, &Cursor::seek_to_last, &Cursor::prev); }

// A new cursor for each seek, as in RocksDB's db_bench; each value's first bytes are copied out.
Status seek_random(WorkloadThread& thread) {
  const Config& config = thread.config;
  const auto step = config.reverse_iterator ? &Cursor::prev : &Cursor::next;
  Key key(config.key_size);
  std::array<char, 256> copy;
  while (thread.run.left() != 0) {
    Status status = thread.run.measure(1, [&] {
      const std::unique_ptr<Cursor> cursor = thread.session.cursor();
      const std::string_view target = key.set(thread.random.below(config.num));
      cursor->seek(target);
      if (cursor->valid() && cursor->key() == target) thread.run.add_found();
      for (std::uint64_t i = 0; i < config.seek_nexts && cursor->valid(); ++i) {
        const std::string_view value = cursor->value();
        value.copy(copy.data(), copy.size());
        thread.run.add_bytes(cursor->key().size() + value.size());
        ((*cursor).*step)();
      }
      return cursor->status();
    });
    if (!status.is_ok()) return status;
  }
  return Status::ok();
}

Status update_random(WorkloadThread& thread) {
  const Config& config = thread.config;
  Key key(config.key_size);
  while (thread.run.left() != 0) {
    Status status = thread.run.measure(1, [&] {
      const std::string_view target = key.set(thread.random.below(config.num));
      std::string_view value;
      Status got = thread.session.get(target, &value);
      if (got.is_ok()) {
        thread.run.add_found();
        thread.run.add_bytes(target.size() + value.size());
      } else if (!got.is_not_found()) {
        return got;
      }
      return thread.session.put(target, thread.values.next());
    });
    if (!status.is_ok()) return status;
    const std::uint64_t bytes = config.key_size + config.value_size;
    thread.run.add_bytes(bytes);
    thread.limiter.pace(bytes, never);
  }
  return Status::ok();
}

Status delete_random(WorkloadThread& thread) {
  const Config& config = thread.config;
  Key key(config.key_size);
  for (std::uint64_t left; (left = thread.run.left()) != 0;) {
    const std::uint64_t count = std::min(left, config.batch_size);
    Status status = thread.run.measure(count, [&] {
      if (count == 1) return thread.session.erase(key.set(thread.random.below(config.num)));
      for (std::uint64_t i = 0; i < count; ++i) thread.session.add_erase(key.set(thread.random.below(config.num)));
      return thread.session.write_batch();
    });
    if (!status.is_ok()) return status;
    thread.run.add_bytes(count * config.key_size);
    thread.limiter.pace(count * config.key_size, never);
  }
  return Status::ok();
}

// In the order in which they run when none is named.
constexpr std::array kBenchmarks = {
    Benchmark{.name = "fillseq",
              .state = StoreState::kFresh,
              .operations = fill_operations,
              .body = fill_sequential,
              .counted = true},
    Benchmark{.name = "fillbatch",
              .state = StoreState::kFresh,
              .operations = fill_operations,
              .body = fill_batch,
              .slow = true,
              .counted = true},
    Benchmark{.name = "fillsync",
              .state = StoreState::kFresh,
              .operations = sync_operations,
              .body = write_random,
              .slow = true,
              .syncs = true},
    Benchmark{.name = "fillrandom", .state = StoreState::kFresh, .operations = fill_operations, .body = write_random},
    Benchmark{
        .name = "overwrite", .state = StoreState::kChanging, .operations = write_operations, .body = write_random},
    Benchmark{.name = "readrandom",
              .state = StoreState::kUnchanged,
              .operations = read_operations,
              .body = read_random,
              .remark = Remark::kFound},
    Benchmark{.name = "readmissing",
              .state = StoreState::kUnchanged,
              .operations = read_operations,
              .body = read_missing,
              .remark = Remark::kFound},
    Benchmark{.name = "readseq",
              .state = StoreState::kUnchanged,
              .operations = scan_operations,
              .body = read_sequential,
              .counted = true},
    Benchmark{.name = "readreverse",
              .state = StoreState::kUnchanged,
              .operations = scan_operations,
              .body = read_reverse,
              .needs_order = true,
              .counted = true},
    Benchmark{.name = "seekrandom",
              .state = StoreState::kUnchanged,
              .operations = seek_operations,
              .body = seek_random,
              .remark = Remark::kFound,
              .needs_order = true},
    Benchmark{.name = "updaterandom",
              .state = StoreState::kChanging,
              .operations = update_operations,
              .body = update_random,
              .remark = Remark::kUpdates},
    Benchmark{.name = "readwhilewriting",
              .state = StoreState::kChanging,
              .operations = read_operations,
              .body = read_random,
              .remark = Remark::kFound,
              .writer = write_random_beside_readers},
    Benchmark{
        .name = "deleterandom", .state = StoreState::kChanging, .operations = write_operations, .body = delete_random},
};

}  // namespace

std::span<const Benchmark> benchmarks() { return kBenchmarks; }

const Benchmark* find_benchmark(std::string_view name) {
  const auto found = std::find_if(kBenchmarks.begin(), kBenchmarks.end(),
                                  [&](const Benchmark& benchmark) { return benchmark.name == name; });
  return found == kBenchmarks.end() ? nullptr : &*found;
}

std::string benchmark_names() {
  std::string names;
  for (const Benchmark& benchmark : kBenchmarks) {
    if (!names.empty()) names += ", ";
    names += benchmark.name;
  }
  return names;
}

}  // namespace scree::bench
