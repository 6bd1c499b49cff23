// SPDX-License-Identifier: Apache-2.0
//
// What a storage engine must offer to be driven by the workloads. An engine joins by implementing these three
// classes in one adapter_NAME.cc and adding one line to engines.cc; no workload changes.

#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include <scree/status.h>

namespace scree::bench {

enum class Compression { kNone, kLZ4 };

// The options that every engine is asked to honour, so that all run under the same conditions.
struct StoreOptions {
  std::size_t write_buffer_size = 64u << 20;  // bytes in memory at which an engine flushes
  int max_write_buffers = 2;                  // buffers that may be in memory, flushing ones included
  std::size_t cache_size = 32u << 20;
  int bloom_bits = 10;
  Compression compression = Compression::kLZ4;
};

// An ordered or unordered walk over a store as of its creation. key() and value() stay valid until the next move.
class Cursor {
 public:
  virtual ~Cursor() = default;
  virtual bool valid() const = 0;
  virtual Status status() const = 0;
  virtual void seek_to_first() = 0;
  virtual void seek_to_last() = 0;
  virtual void seek(std::string_view target) = 0;
  virtual void next() = 0;
  virtual void prev() = 0;
  virtual std::string_view key() const = 0;
  virtual std::string_view value() const = 0;
};

// One thread's way into an open store: it owns what the engine wants to be per thread (batches, buffers,
// transactions). Used by one thread; destroyed before its Store.
class Session {
 public:
  virtual ~Session() = default;
  virtual Status put(std::string_view key, std::string_view value) = 0;
  virtual Status erase(std::string_view key) = 0;

  // A batch is collected by add_*, then written as a whole; it is empty again afterwards.
  virtual void add_put(std::string_view key, std::string_view value) = 0;
  virtual void add_erase(std::string_view key) = 0;
  virtual Status write_batch() = 0;

  // NotFound if absent. `*value` stays valid until the session's next call.
  virtual Status get(std::string_view key, std::string_view* value) = 0;
  virtual std::unique_ptr<Cursor> cursor() = 0;
};

// An open store; closed by its destructor. session() may be called by any thread; with `sync`, each of the session's
// writes waits until it is on the disk, else until it survives the death of the process.
class Store {
 public:
  virtual ~Store() = default;
  virtual std::unique_ptr<Session> session(bool sync) = 0;
};

// An engine that the tool knows.
struct EngineEntry {
  std::string_view name;
  bool ordered;  // its cursors seek and move backwards

  // Opens the store in `directory`, which exists; creates the store if `create`.
  Status (*open)(const StoreOptions& options, const std::string& directory, bool create, std::unique_ptr<Store>* store);

  // The version, with what makes it slower than it could be ("7.8.3, with assertions").
  std::string (*version)();

  // All options that it runs with and that are not its defaults, for the reader of a result.
  std::string (*describe)(const StoreOptions& options);
};

}  // namespace scree::bench
