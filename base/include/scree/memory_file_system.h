// SPDX-License-Identifier: Apache-2.0
//
// A file system in memory that remembers what was synced, so that a test can cut the power at any operation and see
// what a disk may then hold. Thread-safe.
//
// The model of power loss is harsher than any one real file system:
// - Each 512-byte sector of a file holds its content after any one of the writes since the last sync of the file, or
//   from before them, independently of every other sector. So does the file's size. Stores through a writable mapping
//   count as one write of the whole mapping.
// - Each change of a directory (create, rename within it, link, unlink, create directory) since its last sync happened
//   or did not, independently of the others.

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <scree/file.h>

namespace scree {

enum class FileOperation : std::uint8_t {
  kOpen,
  kRead,
  kWrite,
  kMap,
  kPreallocate,
  kTruncate,
  kSize,
  kSync,
  kList,
  kKind,
  kCreateDirectory,
  kRemoveDirectory,
  kSyncDirectory,
  kRename,
  kLink,
  kUnlink,
  kLock,
};

// What a crash leaves of everything that was not synced.
struct CrashPolicy {
  enum class Unsynced : std::uint8_t {
    kDropped,    // nothing
    kKept,       // everything: what the death of the process alone leaves
    kArbitrary,  // any subset the model allows, chosen by `seed`
  };
  Unsynced unsynced = Unsynced::kDropped;
  std::uint64_t seed = 0;
};

class MemoryFileSystem final : public FileSystem {
 public:
  // Called before each operation with its number (from 1) and path: a failure becomes the operation's. A write that
  // is made to fail has written its first half. Called with the file system locked.
  using Interceptor = std::function<Status(FileOperation operation, const std::string& path, std::uint64_t number)>;

  static constexpr std::size_t kSectorBytes = 512;

  MemoryFileSystem();
  ~MemoryFileSystem() override;

  // The file system that a machine finds when it starts again after losing power now (no locks, no faults). This one
  // goes on unchanged.
  std::unique_ptr<MemoryFileSystem> crash(const CrashPolicy& policy) const;

  std::uint64_t operations() const;                    // how many there have been
  void set_interceptor(Interceptor interceptor);       // an empty one: none
  void set_space(std::optional<std::uint64_t> bytes);  // sizes of all files together; more is NoSpace

  Status open(const std::string& path, OpenMode mode, std::unique_ptr<File>* file) override;
  Status list(const std::string& directory, std::vector<std::string>* names) override;
  Status kind(const std::string& path, PathKind* kind) override;
  Status create_directory(const std::string& path) override;
  Status remove_directory(const std::string& path) override;
  Status sync_directory(const std::string& path) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status link(const std::string& existing, const std::string& path) override;
  Status unlink(const std::string& path) override;
  Status lock(const std::string& path, std::unique_ptr<FileLock>* lock) override;

 private:
  struct Node;
  struct State;
  class MemoryFile;
  class MemoryLock;
  class MemoryMapping;

  explicit MemoryFileSystem(std::shared_ptr<State> state);

  std::shared_ptr<State> state_;
};

// Fails operation `number` (counted from 1) with `failure`.
MemoryFileSystem::Interceptor fail_operation(std::uint64_t number, Status failure);
// Fails operation `number` and every later one: the machine is off.
MemoryFileSystem::Interceptor fail_from_operation(std::uint64_t number, Status failure);

}  // namespace scree
