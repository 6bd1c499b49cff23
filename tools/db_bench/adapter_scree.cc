// SPDX-License-Identifier: Apache-2.0
//
// Scree with one index, "default": a tree (engine scree) or a hash (engine scree_hash).

#include <string>

#include <scree/engine.h>

#include "engines.h"

namespace scree::bench {
namespace {

class ScreeCursor final : public Cursor {
 public:
  explicit ScreeCursor(std::unique_ptr<Iterator> iterator) : iterator_(std::move(iterator)) {}

  bool valid() const override { return iterator_->valid(); }
  Status status() const override { return iterator_->status(); }
  void seek_to_first() override { iterator_->seek_to_first(); }
  void seek_to_last() override { iterator_->seek_to_last(); }
  void seek(std::string_view target) override { iterator_->seek(target); }
  void next() override { iterator_->next(); }
  void prev() override { iterator_->prev(); }
  std::string_view key() const override { return iterator_->key(); }
  std::string_view value() const override { return iterator_->value(); }

 private:
  std::unique_ptr<Iterator> iterator_;
};

class ScreeSession final : public Session {
 public:
  ScreeSession(Engine* engine, Index index, bool sync) : engine_(engine), index_(std::move(index)) {
    write_options_.durability = sync ? Durability::kDisk : Durability::kProcess;
  }

  Status put(std::string_view key, std::string_view value) override {
    return engine_->put(write_options_, index_, key, value);
  }

  Status erase(std::string_view key) override { return engine_->erase(write_options_, index_, key); }

  void add_put(std::string_view key, std::string_view value) override { batch_.put(index_, key, value); }
  void add_erase(std::string_view key) override { batch_.erase(index_, key); }

  Status write_batch() override {
    Status status = engine_->write(write_options_, batch_);
    batch_.clear();
    return status;
  }

  Status get(std::string_view key, std::string_view* value) override {
    Status status = engine_->get(read_options_, index_, key, &value_);
    if (status.is_ok()) *value = value_;
    return status;
  }

  std::unique_ptr<Cursor> cursor() override {
    return std::make_unique<ScreeCursor>(engine_->iterator(IteratorOptions{}, index_));
  }

 private:
  Engine* const engine_;
  const Index index_;
  WriteOptions write_options_;
  ReadOptions read_options_;
  WriteBatch batch_;
  std::string value_;
};

class ScreeStore final : public Store {
 public:
  ScreeStore(std::unique_ptr<Engine> engine, Index index) : engine_(std::move(engine)), index_(std::move(index)) {}

  std::unique_ptr<Session> session(bool sync) override {
    return std::make_unique<ScreeSession>(engine_.get(), index_, sync);
  }

 private:
  std::unique_ptr<Engine> engine_;
  const Index index_;
};

Options to_scree_options(const StoreOptions& options) {
  Options result;
  result.memtable_bytes = options.write_buffer_size;
  result.memory_budget = options.write_buffer_size * static_cast<std::size_t>(options.max_write_buffers);
  result.compression = options.compression == Compression::kLZ4 ? scree::Compression::kLZ4 : scree::Compression::kNone;
  result.bloom_bits = options.bloom_bits;
  result.block_cache_bytes = options.cache_size;
  return result;
}

template <IndexKind kKind>
Status open_scree(const StoreOptions& options, const std::string& directory, bool create,
                  std::unique_ptr<Store>* store) {
  constexpr std::string_view kIndexName = "default";
  Options scree_options = to_scree_options(options);
  scree_options.create_if_missing = create;
  std::unique_ptr<Engine> engine;
  if (Status status = Engine::open(scree_options, directory, &engine); !status.is_ok()) return status;
  Index index;
  Status status = engine->open_index(kIndexName, kKind, &index);
  if (status.is_not_found() && create) status = engine->create_index(kIndexName, kKind, &index);
  if (!status.is_ok()) return status;
  *store = std::make_unique<ScreeStore>(std::move(engine), std::move(index));
  return Status::ok();
}

std::string version() {
#ifdef NDEBUG
  return SCREE_BENCH_VERSION;
#else
  return SCREE_BENCH_VERSION ", built with assertions";
#endif
}

template <IndexKind kKind>
std::string describe(const StoreOptions& options) {
  const Options scree_options = to_scree_options(options);
  return std::string("index=") + (kKind == IndexKind::kTree ? "tree" : "hash") +
         " memtable_bytes=" + std::to_string(scree_options.memtable_bytes) +
         " memory_budget=" + std::to_string(scree_options.memory_budget) +
         " block_cache_bytes=" + std::to_string(scree_options.block_cache_bytes) +
         " bloom_bits=" + std::to_string(scree_options.bloom_bits) +
         " compression=" + (options.compression == Compression::kLZ4 ? "lz4" : "none");
}

}  // namespace

EngineEntry scree_engine() {
  return {"scree", true, open_scree<IndexKind::kTree>, version, describe<IndexKind::kTree>};
}

EngineEntry scree_hash_engine() {
  return {"scree_hash", false, open_scree<IndexKind::kHash>, version, describe<IndexKind::kHash>};
}

}  // namespace scree::bench
