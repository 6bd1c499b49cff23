// SPDX-License-Identifier: Apache-2.0

#include "commit_pipeline.h"

#include <new>
#include <optional>
#include <vector>

namespace scree::detail {

namespace {

// A thread's arrays for the commit it is making, kept from one commit to the next.
struct Workspace {
  static constexpr std::size_t kKept = 4096;

  std::vector<PreparedVersion<std::string>> versions;
  std::vector<Memtable::Chain*> chains;

  void clear() noexcept {
    versions.clear();
    chains.clear();
    if (versions.capacity() > kKept) versions.shrink_to_fit();
    if (chains.capacity() > kKept) chains.shrink_to_fit();
  }
};

thread_local Workspace workspace;

// Versions made for a commit and the chains they go to. What is not linked is freed.
class Prepared {
 public:
  Prepared() noexcept : versions_(workspace.versions), chains_(workspace.chains) {}
  ~Prepared() { workspace.clear(); }
  Prepared(const Prepared&) = delete;
  Prepared& operator=(const Prepared&) = delete;

  // C1. Allocates all versions. Throws std::bad_alloc.
  void make_versions(std::span<const CommitOperation> operations) {
    versions_.reserve(operations.size());
    chains_.resize(operations.size());
    for (const CommitOperation& operation : operations) {
      versions_.emplace_back(operation.erase ? Memtable::VersionType::make_tombstone()
                                             : Memtable::VersionType::make(operation.value));
      added_ += versions_.back()->bytes();
    }
  }

  // C2. Finds or inserts all chains in `generation`. Throws std::bad_alloc; empty chains that it leaves are absent keys.
  void find_chains(std::span<const CommitOperation> operations, Generation& generation, const CommitClock* clock,
                   const ebr::Barrier& barrier) {
    // Charges what was inserted, also if a later operation throws.
    struct Charge {
      Generation& generation;
      std::size_t inserted = 0;
      ~Charge() { generation.account(inserted, 0); }
    } charge{generation};
    Memtable* table = nullptr;
    std::uint32_t table_index = 0;
    std::optional<Sequence> horizon;
    for (std::size_t i = 0; i < operations.size(); ++i) {
      if (table == nullptr || table_index != operations[i].index) {
        table_index = operations[i].index;
        table = &generation.memtable(table_index, operations[i].kind, barrier);
      }
      Memtable::Chain& chain = table->chain(operations[i].key, barrier, &charge.inserted);
      if (clock != nullptr && chain.has_older()) {
        if (!horizon) horizon = clock->horizon();
        removed_ += chain.prune(barrier, *horizon);
      }
      chains_[i] = &chain;
    }
  }

  // C5. Cannot fail.
  void link(Sequence sequence, Generation& generation) noexcept {
    for (std::size_t i = 0; i < versions_.size(); ++i) {
      versions_[i]->sequence = sequence;
      chains_[i]->link(versions_[i].release());
    }
    generation.account(added_, 0);
  }

  // What pruning took from `generation`.
  void account_pruned(Generation& generation) noexcept {
    if (removed_ != 0) generation.account(0, removed_);
    removed_ = 0;
  }

 private:
  std::vector<PreparedVersion<std::string>>& versions_;
  std::vector<Memtable::Chain*>& chains_;
  std::size_t added_ = 0;
  std::size_t removed_ = 0;
};

Status out_of_memory() { return Status::memory_limit("no memory for a commit"); }

}  // namespace

Status CommitPipeline::commit(std::span<const CommitOperation> operations, std::span<const std::string_view> payload,
                              Durability durability, CommitResult* result) {
  auto& [log, clock, versions] = environment_;
  Reservation reservation;
  Status status;
  {
    ebr::Barrier barrier;
    Prepared prepared;
    Generation* generation = &versions.load(memory_order_acquire, barrier)->active();
    try {
      prepared.make_versions(operations);
      prepared.find_chains(operations, *generation, &clock, barrier);
    } catch (const std::bad_alloc&) {
      prepared.account_pruned(*generation);
      return out_of_memory();
    }
    prepared.account_pruned(*generation);
    SCREE_SYNC_POINT("commit:prepared");

    // C3. From here on the commit is in the order; nothing below may prevent its completion.
    status = log.append(payload, &reservation);
    if (!status.is_ok()) return status;
    SCREE_SYNC_POINT("commit:reserved");

    // C4. The generation whose range has the position: it was published before the position could be reserved.
    Generation* owner = versions.load(memory_order_acquire, barrier)->generation_of(reservation.begin);
    if (owner != generation) {
      try {
        prepared.find_chains(operations, *owner, nullptr, barrier);
      } catch (const std::bad_alloc&) {
        // The record is in the log and will be recovered; here it is as if the write had not happened yet.
        owner = nullptr;
        status = out_of_memory();
      }
    }
    if (owner != nullptr) {
      prepared.link(reservation.end, *owner);
      result->generation_bytes = owner->bytes();
    }
    SCREE_SYNC_POINT("commit:linked");
  }
  // C6-C7. Outside the barrier: both may park.
  clock.complete({reservation.previous_end, reservation.end});
  result->sequence = reservation.end;
  const Status durable = log.wait(reservation.end, durability);
  return status.is_ok() ? durable : status;
}

Status apply_recovered(std::span<const CommitOperation> operations, Sequence sequence, Generation& generation) {
  ebr::Barrier barrier;
  Prepared prepared;
  try {
    prepared.make_versions(operations);
    prepared.find_chains(operations, generation, nullptr, barrier);
  } catch (const std::bad_alloc&) {
    return Status::memory_limit("no memory to replay the log");
  }
  prepared.link(sequence, generation);
  return {};
}

}  // namespace scree::detail
