// SPDX-License-Identifier: Apache-2.0
//
// A file system that forgets one of its promises: what a crash test must notice.

#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <scree/file.h>

namespace scree::test {

enum class Lie { kNone, kSync, kSyncDirectory };

// Passes everything on to `base` but the calls it lies about, which it answers with OK.
class LyingFileSystem final : public FileSystem {
 public:
  LyingFileSystem(FileSystem* base, Lie lie) : base_(base), lie_(lie) {}

  Status open(const std::string& path, OpenMode mode, std::unique_ptr<File>* file) override {
    std::unique_ptr<File> opened;
    if (Status status = base_->open(path, mode, &opened); !status.is_ok()) return status;
    *file = std::make_unique<LyingFile>(std::move(opened), lie_);
    return {};
  }
  Status list(const std::string& directory, std::vector<std::string>* names) override {
    return base_->list(directory, names);
  }
  Status kind(const std::string& path, PathKind* kind) override { return base_->kind(path, kind); }
  Status create_directory(const std::string& path) override { return base_->create_directory(path); }
  Status remove_directory(const std::string& path) override { return base_->remove_directory(path); }
  Status sync_directory(const std::string& path) override {
    return lie_ == Lie::kSyncDirectory ? Status() : base_->sync_directory(path);
  }
  Status rename(const std::string& from, const std::string& to) override { return base_->rename(from, to); }
  Status link(const std::string& existing, const std::string& path) override { return base_->link(existing, path); }
  Status unlink(const std::string& path) override { return base_->unlink(path); }
  Status lock(const std::string& path, std::unique_ptr<FileLock>* lock) override { return base_->lock(path, lock); }

 private:
  class LyingFile final : public File {
   public:
    LyingFile(std::unique_ptr<File> base, Lie lie) : File(base->path()), base_(std::move(base)), lie_(lie) {}
    Status append(std::string_view data) override { return base_->append(data); }
    Status write_at(std::uint64_t offset, std::string_view data) override { return base_->write_at(offset, data); }
    Status read_at(std::uint64_t offset, std::span<char> out, std::size_t* count) override {
      return base_->read_at(offset, out, count);
    }
    Status map(std::uint64_t offset, std::size_t length, MapAccess access, MappedRegion* region) override {
      return base_->map(offset, length, access, region);
    }
    Status preallocate(std::uint64_t size) override { return base_->preallocate(size); }
    Status truncate(std::uint64_t size) override { return base_->truncate(size); }
    Status size(std::uint64_t* bytes) override { return base_->size(bytes); }
    Status sync() override { return lie_ == Lie::kSync ? Status() : base_->sync(); }

   private:
    std::unique_ptr<File> base_;
    Lie lie_;
  };

  FileSystem* base_;
  Lie lie_;
};

}  // namespace scree::test
