// SPDX-License-Identifier: Apache-2.0
//
// What the reclamation domain tells of itself.

#pragma once

#include <atomic>
#include <cstdint>

namespace scree::ebr {

// What waits in the domain: a moment's view. When no thread retires or frees, objects are exact, and bytes to a bag of
// them per thread.
struct Stats {
  std::uint64_t pending_objects = 0;        // retired and not yet freed
  std::uint64_t pending_bytes = 0;          // as told to retire()
  std::uint64_t leaked_objects = 0;         // there was no memory to remember them
  std::uint64_t epoch = 0;                  // grows as bags of garbage are closed
  std::uint64_t threads = 0;                // that have used the domain and not ended
  std::uint64_t oldest_barrier_epochs = 0;  // how much the epoch has grown since the oldest barrier began
  std::uint64_t oldest_barrier_nanoseconds =
      0;  // its age since collectors or stats() first saw it; at most its real age
};

namespace detail {

// A listener for a backlog above a limit. It is called again only after the backlog has fallen below half of it.
struct BacklogListener {
  const std::uint64_t objects;
  const std::uint64_t bytes;
  void* const context;
  void (*const call)(void* context, const Stats& stats);
  void (*const destroy)(void* context);
  std::atomic<bool> told{false};

  // True if it is to be called now.
  bool notices(const Stats& stats) noexcept {
    if (stats.pending_objects >= objects || stats.pending_bytes >= bytes) return !told.exchange(true);
    if (stats.pending_objects < objects - objects / 2 && stats.pending_bytes < bytes - bytes / 2) told = false;
    return false;
  }
};

}  // namespace detail
}  // namespace scree::ebr
