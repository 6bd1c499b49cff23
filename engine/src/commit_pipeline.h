// SPDX-License-Identifier: Apache-2.0
//
// CommitPipeline: the way of a commit through log and memtables. Protocol: docs/protocols/commit.md.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <scree/commit_clock.h>
#include <scree/durability.h>
#include <scree/ebr.h>
#include <scree/log.h>
#include <scree/status.h>

#include "version_set.h"

namespace scree::detail {

// All that a commit needs; an engine is not part of it.
struct CommitEnvironment {
  Log& log;
  CommitClock& clock;
  ebr::AtomicArc<VersionSet>& versions;
};

// One write to a memtable.
struct CommitOperation {
  std::uint32_t index;
  IndexKind kind;
  bool erase;
  std::string_view key;
  std::string_view value;
};

struct CommitResult {
  Sequence sequence = 0;
  std::size_t generation_bytes = 0;  // of the generation that took it
};

class CommitPipeline {
 public:
  explicit CommitPipeline(const CommitEnvironment& environment) noexcept : environment_(environment) {}

  // Logs `payload` and applies `operations`, which say the same, as one commit; returns when it is visible and as
  // durable as asked. Thread-safe. If it fails before the log took the record, nothing has
  // happened; after that the commit is in the log whole or not at all.
  Status commit(std::span<const CommitOperation> operations, std::span<const std::string_view> payload,
                Durability durability, CommitResult* result);

 private:
  const CommitEnvironment environment_;
};

// Applies what recovery read: the commit numbered `sequence`, into `generation`, which nobody else uses yet.
Status apply_recovered(std::span<const CommitOperation> operations, Sequence sequence, Generation& generation);

}  // namespace scree::detail
