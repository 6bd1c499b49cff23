// SPDX-License-Identifier: Apache-2.0

#include "bench_store.h"

#include <filesystem>
#include <system_error>

namespace scree::bench {
namespace {

std::string directory_of(const Config& config, const EngineEntry& engine, std::string_view role) {
  std::string name("db_bench-");
  name += engine.name;
  if (!role.empty()) (name += '-') += role;
  return (std::filesystem::path(config.directory) / name).string();
}

}  // namespace

BenchStore::BenchStore(const Config& config, const EngineEntry& engine, std::string_view role)
    : engine_(engine), options_(config.store), directory_(directory_of(config, engine, role)) {}

Status BenchStore::open_fresh() {
  if (Status status = remove(); !status.is_ok()) return status;
  std::error_code error;
  std::filesystem::create_directories(directory_, error);
  if (error) return Status::io_error("cannot create " + directory_ + ": " + error.message());
  return open(true);
}

Status BenchStore::open_existing() {
  close();
  std::error_code error;
  if (!std::filesystem::is_directory(directory_, error)) {
    return Status::not_found("there is no store in " + directory_);
  }
  return open(false);
}

Status BenchStore::remove() {
  close();
  std::error_code error;
  std::filesystem::remove_all(directory_, error);
  return error ? Status::io_error("cannot remove " + directory_ + ": " + error.message()) : Status::ok();
}

Status BenchStore::open(bool create) {
  Status status = engine_.open(options_, directory_, create, &store_);
  return status.with_context("cannot open " + directory_);
}

}  // namespace scree::bench
