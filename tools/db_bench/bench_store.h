// SPDX-License-Identifier: Apache-2.0
//
// A store of one engine in a directory that belongs to this tool: it is the only thing that the tool ever removes.

#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "adapter.h"
#include "config.h"

namespace scree::bench {

class BenchStore {
 public:
  // The directory is "db_bench-ENGINE", or "db_bench-ENGINE-ROLE", below the configuration's. Nothing is touched yet.
  BenchStore(const Config& config, const EngineEntry& engine, std::string_view role);

  // Closes the store, removes what is in the directory, opens an empty one.
  Status open_fresh();
  // Opens what is there.
  Status open_existing();
  void close() { store_.reset(); }
  // Closes and removes the store.
  Status remove();

  bool is_open() const { return store_ != nullptr; }
  Store& store() { return *store_; }
  const EngineEntry& engine() const { return engine_; }
  const std::string& directory() const { return directory_; }

 private:
  Status open(bool create);

  const EngineEntry& engine_;
  const StoreOptions options_;
  const std::string directory_;
  std::unique_ptr<Store> store_;
};

}  // namespace scree::bench
