// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <system_error>

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <scree/file.h>

namespace scree {

namespace {

// A single read or write of more than this is refused or cut by some systems.
constexpr std::size_t kLargestTransfer = std::size_t{1} << 30;

Status error_status(std::string_view path, std::string_view operation, int error) {
  std::string message(path);
  message += ": ";
  message += operation;
  message += ": ";
  message += std::generic_category().message(error);
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return Status::no_space(std::move(message));
    case ENOENT:
      return Status::not_found(std::move(message));
    default:
      return Status::io_error(std::move(message));
  }
}

template <typename F>
auto retry_interrupted(F&& call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

class Descriptor {
 public:
  explicit Descriptor(int fd = -1) noexcept : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  // Linux releases the descriptor whatever close() returns; what had to be durable was synced before.
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const noexcept { return fd_; }

 private:
  int fd_;
};

class PosixMapping final : public MappedRegion::Holder {
 public:
  PosixMapping(void* address, std::size_t length) noexcept : address_(address), length_(length) {}
  ~PosixMapping() override { ::munmap(address_, length_); }

 private:
  void* address_;
  std::size_t length_;
};

class PosixFile final : public File {
 public:
  PosixFile(std::string path, Descriptor fd) : File(std::move(path)), fd_(std::move(fd)) {}

  Status append(std::string_view data) override {
    std::uint64_t end = 0;
    if (Status status = size(&end); !status.is_ok()) return status;
    return write_at(end, data);
  }

  Status write_at(std::uint64_t offset, std::string_view data) override {
    while (!data.empty()) {
      const ssize_t written = retry_interrupted([&] {
        return ::pwrite(fd_.get(), data.data(), std::min(data.size(), kLargestTransfer), static_cast<off_t>(offset));
      });
      if (written < 0) return error_status(path(), "pwrite", errno);
      if (written == 0) return error_status(path(), "pwrite wrote nothing", EIO);
      data.remove_prefix(static_cast<std::size_t>(written));
      offset += static_cast<std::uint64_t>(written);
    }
    return {};
  }

  Status read_at(std::uint64_t offset, std::span<char> out, std::size_t* count) override {
    *count = 0;
    while (*count < out.size()) {
      const ssize_t got = retry_interrupted([&] {
        return ::pread(fd_.get(), out.data() + *count, std::min(out.size() - *count, kLargestTransfer),
                       static_cast<off_t>(offset + *count));
      });
      if (got < 0) return error_status(path(), "pread", errno);
      if (got == 0) break;
      *count += static_cast<std::size_t>(got);
    }
    return {};
  }

  Status map(std::uint64_t offset, std::size_t length, MapAccess access, MappedRegion* region) override {
    std::uint64_t bytes = 0;
    if (Status status = size(&bytes); !status.is_ok()) return status;
    if (length == 0 || offset > bytes || length > bytes - offset) {
      return Status::invalid_argument(path() + ": the range to map lies outside the file");
    }
    const int protection = access == MapAccess::kRead ? PROT_READ : PROT_READ | PROT_WRITE;
    void* address = ::mmap(nullptr, length, protection, MAP_SHARED, fd_.get(), static_cast<off_t>(offset));
    if (address == MAP_FAILED) return error_status(path(), "mmap", errno);
    *region = MappedRegion(static_cast<char*>(address), length, std::make_unique<PosixMapping>(address, length));
    return {};
  }

  Status preallocate(std::uint64_t bytes) override {
    if (bytes == 0) return {};
    if (retry_interrupted([&] { return ::fallocate(fd_.get(), 0, 0, static_cast<off_t>(bytes)); }) == 0) return {};
    if (errno != EOPNOTSUPP && errno != ENOSYS) return error_status(path(), "fallocate", errno);
    std::uint64_t end = 0;
    if (Status status = size(&end); !status.is_ok()) return status;
    const std::string zeros(std::size_t{1} << 16, '\0');
    while (end < bytes) {
      const std::size_t piece = static_cast<std::size_t>(std::min<std::uint64_t>(zeros.size(), bytes - end));
      if (Status status = write_at(end, std::string_view(zeros).substr(0, piece)); !status.is_ok()) return status;
      end += piece;
    }
    return {};
  }

  Status truncate(std::uint64_t bytes) override {
    if (retry_interrupted([&] { return ::ftruncate(fd_.get(), static_cast<off_t>(bytes)); }) != 0) {
      return error_status(path(), "ftruncate", errno);
    }
    return {};
  }

  Status size(std::uint64_t* bytes) override {
    struct stat status;
    if (::fstat(fd_.get(), &status) != 0) return error_status(path(), "fstat", errno);
    *bytes = static_cast<std::uint64_t>(status.st_size);
    return {};
  }

  Status sync() override {
    if (retry_interrupted([&] { return ::fdatasync(fd_.get()); }) != 0) {
      return error_status(path(), "fdatasync", errno);
    }
    return {};
  }

 private:
  Descriptor fd_;
};

// flock(2) belongs to the open file description: it also excludes another open of this process.
class PosixLock final : public FileLock {
 public:
  explicit PosixLock(Descriptor fd) noexcept : fd_(std::move(fd)) {}

 private:
  Descriptor fd_;
};

class PosixFileSystem final : public FileSystem {
 public:
  Status open(const std::string& path, OpenMode mode, std::unique_ptr<File>* file) override {
    int flags = O_CLOEXEC;
    switch (mode) {
      case OpenMode::kRead:
        flags |= O_RDONLY;
        break;
      case OpenMode::kReadWrite:
        flags |= O_RDWR;
        break;
      case OpenMode::kCreate:
        flags |= O_RDWR | O_CREAT;
        break;
      case OpenMode::kCreateExclusive:
        flags |= O_RDWR | O_CREAT | O_EXCL;
        break;
    }
    Descriptor fd(retry_interrupted([&] { return ::open(path.c_str(), flags, 0666); }));
    if (fd.get() < 0) return error_status(path, "open", errno);
    struct stat status;
    if (::fstat(fd.get(), &status) != 0) return error_status(path, "fstat", errno);
    if (S_ISDIR(status.st_mode)) return error_status(path, "open", EISDIR);
    *file = std::make_unique<PosixFile>(path, std::move(fd));
    return {};
  }

  Status list(const std::string& directory, std::vector<std::string>* names) override {
    names->clear();
    DIR* stream = ::opendir(directory.c_str());
    if (stream == nullptr) return error_status(directory, "opendir", errno);
    int error = 0;
    for (;;) {
      errno = 0;
      const dirent* entry = ::readdir(stream);
      if (entry == nullptr) {
        error = errno;
        break;
      }
      const std::string_view name(entry->d_name);
      if (name != "." && name != "..") names->emplace_back(name);
    }
    ::closedir(stream);
    if (error != 0) return error_status(directory, "readdir", error);
    std::sort(names->begin(), names->end());
    return {};
  }

  Status kind(const std::string& path, PathKind* kind) override {
    struct stat status;
    if (::stat(path.c_str(), &status) != 0) {
      if (errno != ENOENT && errno != ENOTDIR) return error_status(path, "stat", errno);
      *kind = PathKind::kMissing;
    } else if (S_ISDIR(status.st_mode)) {
      *kind = PathKind::kDirectory;
    } else {
      *kind = S_ISREG(status.st_mode) ? PathKind::kFile : PathKind::kOther;
    }
    return {};
  }

  Status create_directory(const std::string& path) override {
    if (::mkdir(path.c_str(), 0777) == 0) return {};
    const int error = errno;
    PathKind existing = PathKind::kMissing;
    if (error == EEXIST && kind(path, &existing).is_ok() && existing == PathKind::kDirectory) return {};
    return error_status(path, "mkdir", error);
  }

  Status remove_directory(const std::string& path) override {
    return ::rmdir(path.c_str()) == 0 ? Status() : error_status(path, "rmdir", errno);
  }

  Status sync_directory(const std::string& path) override {
    const Descriptor fd(retry_interrupted([&] { return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
    if (fd.get() < 0) return error_status(path, "open", errno);
    if (retry_interrupted([&] { return ::fsync(fd.get()); }) != 0) return error_status(path, "fsync", errno);
    return {};
  }

  Status rename(const std::string& from, const std::string& to) override {
    return ::rename(from.c_str(), to.c_str()) == 0 ? Status() : error_status(from + " to " + to, "rename", errno);
  }

  Status link(const std::string& existing, const std::string& path) override {
    return ::link(existing.c_str(), path.c_str()) == 0 ? Status()
                                                       : error_status(existing + " as " + path, "link", errno);
  }

  Status unlink(const std::string& path) override {
    return ::unlink(path.c_str()) == 0 ? Status() : error_status(path, "unlink", errno);
  }

  Status lock(const std::string& path, std::unique_ptr<FileLock>* lock) override {
    Descriptor fd(retry_interrupted([&] { return ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666); }));
    if (fd.get() < 0) return error_status(path, "open", errno);
    if (retry_interrupted([&] { return ::flock(fd.get(), LOCK_EX | LOCK_NB); }) != 0) {
      if (errno == EWOULDBLOCK) return Status::busy(path + ": locked by another open");
      return error_status(path, "flock", errno);
    }
    *lock = std::make_unique<PosixLock>(std::move(fd));
    return {};
  }
};

}  // namespace

FileSystem* posix_file_system() noexcept {
  static PosixFileSystem* const instance = new PosixFileSystem;
  return instance;
}

}  // namespace scree
