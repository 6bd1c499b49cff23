// SPDX-License-Identifier: Apache-2.0

#include <scree/engine.h>

#include <new>

#include "engine_core.h"

namespace scree {

std::string_view Index::name() const noexcept { return state_ ? std::string_view(state_->name) : std::string_view(); }
IndexKind Index::kind() const noexcept { return state_ ? state_->kind : IndexKind::kTree; }
std::uint32_t Index::id() const noexcept { return state_ ? state_->id : 0; }

Snapshot::Snapshot(std::unique_ptr<Rep> rep) : rep_(std::move(rep)) {}
Snapshot::~Snapshot() = default;
std::uint64_t Snapshot::sequence() const noexcept { return rep_->hold.snapshot.sequence(); }

namespace {

// The containers report a lack of memory by std::bad_alloc; here it is a Status.
template <class F>
Status guarded(F&& f) {
  try {
    return f();
  } catch (const std::bad_alloc&) {
    return Status::memory_limit("no memory");
  }
}

}  // namespace

Engine::Engine(std::shared_ptr<EngineCore> core) : core_(std::move(core)) {}

Engine::~Engine() {
  // With readers left the core lives on in them and is released with the last; nothing is written any more.
  if (!close().is_ok()) static_cast<void>(sync().is_ok());
}

Status Engine::open(const Options& options, const std::string& path, std::unique_ptr<Engine>* engine) {
  return guarded([&] {
    auto core = std::make_shared<EngineCore>(options, path);
    if (Status status = core->open(); !status.is_ok()) return status;
    engine->reset(new Engine(std::move(core)));
    return Status::ok();
  });
}

Status Engine::create_index(std::string_view name, IndexKind kind, Index* index) {
  return guarded([&] { return core_->create_index(name, kind, index); });
}
Status Engine::open_index(std::string_view name, IndexKind kind, Index* index) {
  return guarded([&] { return core_->open_index(name, kind, index); });
}
Status Engine::drop_index(std::string_view name) {
  return guarded([&] { return core_->drop_index(name); });
}
std::vector<Index> Engine::list_indexes() const { return core_->list_indexes(); }

Status Engine::put(const WriteOptions& options, const Index& index, std::string_view key, std::string_view value) {
  return guarded([&] { return core_->write_one(options, index, key, &value); });
}
Status Engine::erase(const WriteOptions& options, const Index& index, std::string_view key) {
  return guarded([&] { return core_->write_one(options, index, key, nullptr); });
}
Status Engine::write(const WriteOptions& options, const WriteBatch& batch, std::uint64_t* sequence) {
  return guarded([&] { return core_->write(options, batch, sequence); });
}

Status Engine::get(const ReadOptions& options, const Index& index, std::string_view key, std::string* value) const {
  return guarded([&] { return core_->get(options, index, key, value); });
}
std::unique_ptr<Iterator> Engine::iterator(const IteratorOptions& options, const Index& index) const {
  return core_->iterator(options, index);
}
std::unique_ptr<const Snapshot> Engine::snapshot() const { return core_->snapshot(); }

Status Engine::sync() {
  return guarded([&] { return core_->sync(); });
}
Status Engine::flush() {
  return guarded([&] { return core_->flush(); });
}
Status Engine::close() {
  return guarded([&] { return core_->close(); });
}

const RecoveryReport& Engine::recovery_report() const noexcept { return core_->recovery_report(); }
EngineStats Engine::stats() const { return core_->stats(); }

}  // namespace scree
