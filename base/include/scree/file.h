// SPDX-License-Identifier: Apache-2.0
//
// The one narrow interface through which Scree touches files. The POSIX implementation is the product's; the crash
// tests run the same code on an in-memory one that loses power (memory_file_system.h).
//
// What survives power loss: bytes and size of a file after its `sync`; the names in a directory (created, renamed,
// linked, unlinked) after `sync_directory`. Nothing else may be relied on.
//
// Every failure is a Status that names the path and says why: a full device or quota is NoSpace, a missing path
// NotFound, anything else the system refuses IOError.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <scree/status.h>

namespace scree {

enum class OpenMode : std::uint8_t {
  kRead,             // the file exists
  kReadWrite,        // the file exists
  kCreate,           // for reading and writing; created empty if missing
  kCreateExclusive,  // for reading and writing; it is an error if the path exists
};

enum class MapAccess : std::uint8_t { kRead, kReadWrite };

enum class PathKind : std::uint8_t { kMissing, kFile, kDirectory, kOther };

// Owns a mapping of a file's bytes; empty when moved from. The file may be closed before it.
class MappedRegion {
 public:
  // What holds the mapping: its destructor unmaps.
  class Holder {
   public:
    virtual ~Holder() = default;
  };

  MappedRegion() noexcept = default;
  MappedRegion(char* data, std::size_t size, std::unique_ptr<Holder> holder) noexcept
      : data_(data), size_(size), holder_(std::move(holder)) {}
  MappedRegion(MappedRegion&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)),
        holder_(std::move(other.holder_)) {}
  MappedRegion& operator=(MappedRegion&& other) noexcept {
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
    holder_ = std::move(other.holder_);
    return *this;
  }

  char* data() const noexcept { return data_; }
  std::size_t size() const noexcept { return size_; }
  std::string_view view() const noexcept { return {data_, size_}; }

 private:
  char* data_ = nullptr;
  std::size_t size_ = 0;
  std::unique_ptr<Holder> holder_;
};

// An open file; closed by its destructor, which does not sync. Positional reads and writes may run concurrently;
// `append` is one thread's.
class File {
 public:
  virtual ~File() = default;
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  const std::string& path() const noexcept { return path_; }

  // Write all of `data`, or fail with any part of it written.
  virtual Status append(std::string_view data) = 0;  // at the end of the file
  virtual Status write_at(std::uint64_t offset, std::string_view data) = 0;

  // Fills `out` from `offset`; `*count` is less than its size only at the end of the file.
  virtual Status read_at(std::uint64_t offset, std::span<char> out, std::size_t* count) = 0;

  // Maps [offset, offset + length), which lies within the file; `offset` is a multiple of the page size. Whether
  // stores through the mapping are synced by `sync` is the system's; they survive the death of the process.
  virtual Status map(std::uint64_t offset, std::size_t length, MapAccess access, MappedRegion* region) = 0;

  // Makes the file at least `size` bytes, with space for all of them; new bytes read as zero.
  virtual Status preallocate(std::uint64_t size) = 0;
  virtual Status truncate(std::uint64_t size) = 0;  // to exactly `size`; new bytes read as zero
  virtual Status size(std::uint64_t* bytes) = 0;

  // The file's bytes and size as of now survive power loss (fdatasync).
  virtual Status sync() = 0;

 protected:
  explicit File(std::string path) noexcept : path_(std::move(path)) {}

 private:
  std::string path_;
};

// Held while it lives.
class FileLock {
 public:
  FileLock() noexcept = default;
  virtual ~FileLock() = default;
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
};

// All operations may be called from any thread.
class FileSystem {
 public:
  FileSystem() noexcept = default;
  virtual ~FileSystem() = default;
  FileSystem(const FileSystem&) = delete;
  FileSystem& operator=(const FileSystem&) = delete;

  virtual Status open(const std::string& path, OpenMode mode, std::unique_ptr<File>* file) = 0;

  // The names of a directory, sorted, without "." and "..".
  virtual Status list(const std::string& directory, std::vector<std::string>* names) = 0;
  virtual Status kind(const std::string& path, PathKind* kind) = 0;  // a missing path is not an error

  virtual Status create_directory(const std::string& path) = 0;  // OK if it is a directory already
  virtual Status remove_directory(const std::string& path) = 0;  // an empty one
  virtual Status sync_directory(const std::string& path) = 0;

  virtual Status rename(const std::string& from, const std::string& to) = 0;  // replaces `to`
  virtual Status link(const std::string& existing, const std::string& path) = 0;
  virtual Status unlink(const std::string& path) = 0;

  // Creates the file at `path` if need be and locks it against every other `lock` of it, in this process and others:
  // Busy, naming the path, if it is held.
  virtual Status lock(const std::string& path, std::unique_ptr<FileLock>* lock) = 0;
};

// The operating system's files. Never destroyed.
FileSystem* posix_file_system() noexcept;

// The whole content of a small file, refused (InvalidArgument) above `limit` bytes.
Status read_file(FileSystem* file_system, const std::string& path, std::size_t limit, std::string* content);

// Replaces the file at `path` so that after any crash it holds the old content or all of the new: writes
// "<path>.tmp", syncs it, renames it and syncs the directory.
Status replace_file(FileSystem* file_system, const std::string& path, std::string_view content);

}  // namespace scree
