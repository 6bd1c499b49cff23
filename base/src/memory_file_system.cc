// SPDX-License-Identifier: Apache-2.0

#include <scree/memory_file_system.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <random>

namespace scree {

namespace {

// Where a size limit is shared by all nodes, also those unlinked but open.
struct Space {
  std::uint64_t used = 0;
  std::optional<std::uint64_t> limit;
};

using Random = std::mt19937_64;

// The components of a path; "." and empty ones count for nothing.
std::vector<std::string> split(const std::string& path) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  while (begin <= path.size()) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    std::string part = path.substr(begin, end - begin);
    if (!part.empty() && part != ".") parts.push_back(std::move(part));
    begin = end + 1;
  }
  return parts;
}

}  // namespace

struct MemoryFileSystem::Node {
  // A write of `data` at `offset`, or (no data) a change of the size to `offset`.
  struct Change {
    std::uint64_t offset;
    std::optional<std::string> data;
  };
  // Names that one operation changed: to a node, or (null) away.
  using EntryChange = std::vector<std::pair<std::string, std::shared_ptr<Node>>>;
  using Entries = std::map<std::string, std::shared_ptr<Node>>;

  Node(bool directory, std::shared_ptr<Space> shared) : is_directory(directory), space(std::move(shared)) {}
  ~Node() { space->used -= data.size(); }
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  static void apply(const Change& change, std::string* image) {
    if (!change.data) {
      image->resize(change.offset);
      return;
    }
    if (image->size() < change.offset + change.data->size()) image->resize(change.offset + change.data->size());
    image->replace(change.offset, change.data->size(), *change.data);
  }

  Status change(const std::string& path, Change what) {
    const std::uint64_t end = what.offset + (what.data ? what.data->size() : 0);
    const std::uint64_t size = what.data ? std::max<std::uint64_t>(data.size(), end) : end;
    if (size != data.size()) {
      if (mappings > 0) return Status::not_supported(path + ": the size of a mapped file in memory cannot change");
      if (size > data.size() && space->limit && space->used + (size - data.size()) > *space->limit) {
        return Status::no_space(path + ": no space left");
      }
      space->used += size - data.size();
    }
    apply(what, &data);
    unsynced.push_back(std::move(what));
    return {};
  }

  void note_mapped_stores() {
    if (writable_mapping) unsynced.push_back({0, data});
  }

  // A file without a name that nobody has open takes no space, though a crash may bring it back.
  void release_if_gone() {
    if (names > 0 || opens > 0) return;
    space->used -= data.size();
    std::string().swap(data);
  }

  const bool is_directory;
  const std::shared_ptr<Space> space;
  std::size_t names = 0;
  std::size_t opens = 0;

  // A file: what is read, what is on the disk, and what leads from there to here.
  std::string data;
  std::string durable;
  std::vector<Change> unsynced;
  std::size_t mappings = 0;
  bool writable_mapping = false;  // ever: its stores are not seen one by one
  bool locked = false;

  // A directory, likewise.
  Entries entries;
  Entries durable_entries;
  std::vector<EntryChange> unsynced_entries;
};

struct MemoryFileSystem::State {
  std::mutex mutex;
  std::shared_ptr<Space> space = std::make_shared<Space>();
  std::shared_ptr<Node> root = std::make_shared<Node>(true, space);
  std::uint64_t operations = 0;
  Interceptor interceptor;

  Status begin(FileOperation operation, const std::string& path) {
    ++operations;
    return interceptor ? interceptor(operation, path, operations) : Status();
  }

  std::shared_ptr<Node> find(const std::string& path) const {
    std::shared_ptr<Node> node = root;
    for (const std::string& part : split(path)) {
      if (!node->is_directory) return nullptr;
      const auto found = node->entries.find(part);
      if (found == node->entries.end()) return nullptr;
      node = found->second;
    }
    return node;
  }

  // The directory that holds `path`, and the last component; null if there is none.
  std::shared_ptr<Node> parent(const std::string& path, std::string* name) const {
    std::vector<std::string> parts = split(path);
    if (parts.empty()) return nullptr;
    *name = std::move(parts.back());
    parts.pop_back();
    std::shared_ptr<Node> node = root;
    for (const std::string& part : parts) {
      const auto found = node->entries.find(part);
      if (found == node->entries.end() || !found->second->is_directory) return nullptr;
      node = found->second;
    }
    return node;
  }

  static void set_entries(Node& directory, Node::EntryChange change) {
    for (const auto& [name, node] : change) {
      if (node) ++node->names;
      const auto old = directory.entries.find(name);
      if (old == directory.entries.end()) continue;
      --old->second->names;
      old->second->release_if_gone();
    }
    apply(change, &directory.entries);
    directory.unsynced_entries.push_back(std::move(change));
  }

  static void apply(const Node::EntryChange& change, Node::Entries* entries) {
    for (const auto& [name, node] : change) {
      if (node) {
        (*entries)[name] = node;
      } else {
        entries->erase(name);
      }
    }
  }
};

namespace {

Status missing(const std::string& path) { return Status::not_found(path + ": no such file or directory"); }

}  // namespace

class MemoryFileSystem::MemoryMapping final : public MappedRegion::Holder {
 public:
  MemoryMapping(std::shared_ptr<State> state, std::shared_ptr<Node> node)
      : state_(std::move(state)), node_(std::move(node)) {}
  ~MemoryMapping() override {
    const std::lock_guard lock(state_->mutex);
    --node_->mappings;
    --node_->opens;
    node_->release_if_gone();
  }

 private:
  std::shared_ptr<State> state_;
  std::shared_ptr<Node> node_;
};

class MemoryFileSystem::MemoryLock final : public FileLock {
 public:
  MemoryLock(std::shared_ptr<State> state, std::shared_ptr<Node> node)
      : state_(std::move(state)), node_(std::move(node)) {}
  ~MemoryLock() override {
    const std::lock_guard lock(state_->mutex);
    node_->locked = false;
  }

 private:
  std::shared_ptr<State> state_;
  std::shared_ptr<Node> node_;
};

class MemoryFileSystem::MemoryFile final : public File {
 public:
  MemoryFile(std::string path, std::shared_ptr<State> state, std::shared_ptr<Node> node, bool writable)
      : File(std::move(path)), state_(std::move(state)), node_(std::move(node)), writable_(writable) {
    ++node_->opens;  // the opener holds the lock
  }
  ~MemoryFile() override {
    const std::lock_guard lock(state_->mutex);
    --node_->opens;
    node_->release_if_gone();
  }

  Status append(std::string_view data) override {
    const std::lock_guard lock(state_->mutex);
    return write(node_->data.size(), data);
  }

  Status write_at(std::uint64_t offset, std::string_view data) override {
    const std::lock_guard lock(state_->mutex);
    return write(offset, data);
  }

  Status read_at(std::uint64_t offset, std::span<char> out, std::size_t* count) override {
    const std::lock_guard lock(state_->mutex);
    *count = 0;
    if (Status status = state_->begin(FileOperation::kRead, path()); !status.is_ok()) return status;
    if (offset >= node_->data.size()) return {};
    *count = std::min<std::size_t>(out.size(), node_->data.size() - static_cast<std::size_t>(offset));
    std::copy_n(node_->data.data() + offset, *count, out.data());
    return {};
  }

  Status map(std::uint64_t offset, std::size_t length, MapAccess access, MappedRegion* region) override {
    *region = MappedRegion();
    const std::lock_guard lock(state_->mutex);
    if (Status status = state_->begin(FileOperation::kMap, path()); !status.is_ok()) return status;
    if (access == MapAccess::kReadWrite && !writable_) return read_only();
    if (length == 0 || offset > node_->data.size() || length > node_->data.size() - offset) {
      return Status::invalid_argument(path() + ": the range to map lies outside the file");
    }
    ++node_->mappings;
    ++node_->opens;
    node_->writable_mapping |= access == MapAccess::kReadWrite;
    *region = MappedRegion(node_->data.data() + offset, length, std::make_unique<MemoryMapping>(state_, node_));
    return {};
  }

  Status preallocate(std::uint64_t bytes) override {
    const std::lock_guard lock(state_->mutex);
    if (Status status = state_->begin(FileOperation::kPreallocate, path()); !status.is_ok()) return status;
    if (!writable_) return read_only();
    return bytes <= node_->data.size() ? Status() : node_->change(path(), {bytes, std::nullopt});
  }

  Status truncate(std::uint64_t bytes) override {
    const std::lock_guard lock(state_->mutex);
    if (Status status = state_->begin(FileOperation::kTruncate, path()); !status.is_ok()) return status;
    if (!writable_) return read_only();
    return node_->change(path(), {bytes, std::nullopt});
  }

  Status size(std::uint64_t* bytes) override {
    const std::lock_guard lock(state_->mutex);
    if (Status status = state_->begin(FileOperation::kSize, path()); !status.is_ok()) return status;
    *bytes = node_->data.size();
    return {};
  }

  Status sync() override {
    const std::lock_guard lock(state_->mutex);
    if (Status status = state_->begin(FileOperation::kSync, path()); !status.is_ok()) return status;
    node_->note_mapped_stores();
    for (const Node::Change& change : node_->unsynced) Node::apply(change, &node_->durable);
    node_->unsynced.clear();
    return {};
  }

 private:
  Status read_only() const { return Status::io_error(path() + ": opened for reading only"); }

  Status write(std::uint64_t offset, std::string_view data) {
    Status failure = state_->begin(FileOperation::kWrite, path());
    if (!writable_) return read_only();
    if (!failure.is_ok()) data = data.substr(0, data.size() / 2);
    if (!data.empty()) {
      if (Status status = node_->change(path(), {offset, std::string(data)}); !status.is_ok()) return status;
    }
    return failure;
  }

  std::shared_ptr<State> state_;
  std::shared_ptr<Node> node_;
  bool writable_;
};

MemoryFileSystem::MemoryFileSystem() : MemoryFileSystem(std::make_shared<State>()) {}
MemoryFileSystem::MemoryFileSystem(std::shared_ptr<State> state) : state_(std::move(state)) {}
MemoryFileSystem::~MemoryFileSystem() = default;

namespace {

// One sector of the image after some prefix of the writes that touch it, chosen at random for each sector.
template <typename Change>
std::string arbitrary_image(const std::string& durable, const std::vector<Change>& changes, Random& random) {
  std::vector<std::uint64_t> sizes = {durable.size()};
  std::uint64_t largest = durable.size();
  for (const Change& change : changes) {
    const std::uint64_t end = change.data ? std::max(sizes.back(), change.offset + change.data->size()) : change.offset;
    sizes.push_back(end);
    largest = std::max(largest, end);
  }
  std::string image = durable;
  image.resize(static_cast<std::size_t>(largest));
  constexpr std::uint64_t kSector = MemoryFileSystem::kSectorBytes;
  // How many of the changes each sector has seen.
  std::vector<std::size_t> seen((largest + kSector - 1) / kSector);
  for (std::size_t& count : seen) {
    switch (random() % 3) {
      case 0:
        count = 0;
        break;
      case 1:
        count = changes.size();
        break;
      default:
        count = random() % (changes.size() + 1);
    }
  }
  for (std::size_t i = 0; i < changes.size(); ++i) {
    const Change& change = changes[i];
    const std::uint64_t from = change.offset;
    const std::uint64_t to = change.data ? from + change.data->size() : std::max(from, largest);
    for (std::uint64_t at = from; at < to;) {
      const std::uint64_t next = std::min(to, (at / kSector + 1) * kSector);
      if (seen[at / kSector] > i) {
        if (change.data) {
          image.replace(at, next - at, *change.data, at - from, next - at);
        } else {
          image.replace(at, next - at, next - at, '\0');  // cut off by a truncation
        }
      }
      at = next;
    }
  }
  image.resize(static_cast<std::size_t>(sizes[random() % 2 == 0 ? changes.size() : random() % sizes.size()]));
  return image;
}

}  // namespace

std::unique_ptr<MemoryFileSystem> MemoryFileSystem::crash(const CrashPolicy& policy) const {
  using Unsynced = CrashPolicy::Unsynced;
  const std::lock_guard lock(state_->mutex);
  auto after = std::make_shared<State>();
  Random random(policy.seed);
  std::map<const Node*, std::shared_ptr<Node>> copies;  // hard links stay links

  const std::function<void(Node&, Node&)> copy_into = [&](Node& from, Node& to) {
    if (!from.is_directory) {
      if (policy.unsynced == Unsynced::kKept) {
        to.data = from.data;
      } else if (policy.unsynced == Unsynced::kDropped || (from.unsynced.empty() && !from.writable_mapping)) {
        to.data = from.durable;
      } else {
        std::vector<Node::Change> changes = from.unsynced;
        if (from.writable_mapping) changes.push_back({0, from.data});
        to.data = arbitrary_image(from.durable, changes, random);
      }
      to.durable = to.data;
      to.space->used += to.data.size();
      return;
    }
    Node::Entries entries = policy.unsynced == Unsynced::kKept ? from.entries : from.durable_entries;
    if (policy.unsynced == Unsynced::kArbitrary) {
      for (const Node::EntryChange& change : from.unsynced_entries) {
        if (random() % 2 == 0) State::apply(change, &entries);
      }
    }
    for (const auto& [name, node] : entries) {
      std::shared_ptr<Node>& copy = copies[node.get()];
      if (!copy) {
        copy = std::make_shared<Node>(node->is_directory, after->space);
        copy_into(*node, *copy);
      }
      to.entries[name] = copy;
      ++copy->names;
    }
    to.durable_entries = to.entries;
  };
  copy_into(*state_->root, *after->root);
  return std::unique_ptr<MemoryFileSystem>(new MemoryFileSystem(std::move(after)));
}

std::uint64_t MemoryFileSystem::operations() const {
  const std::lock_guard lock(state_->mutex);
  return state_->operations;
}

void MemoryFileSystem::set_interceptor(Interceptor interceptor) {
  const std::lock_guard lock(state_->mutex);
  state_->interceptor = std::move(interceptor);
}

void MemoryFileSystem::set_space(std::optional<std::uint64_t> bytes) {
  const std::lock_guard lock(state_->mutex);
  state_->space->limit = bytes;
}

Status MemoryFileSystem::open(const std::string& path, OpenMode mode, std::unique_ptr<File>* file) {
  file->reset();
  const std::lock_guard lock(state_->mutex);
  if (Status status = state_->begin(FileOperation::kOpen, path); !status.is_ok()) return status;
  std::shared_ptr<Node> node = state_->find(path);
  if (node && node->is_directory) return Status::io_error(path + ": open: is a directory");
  if (node && mode == OpenMode::kCreateExclusive) return Status::io_error(path + ": open: file exists");
  if (!node) {
    std::string name;
    const std::shared_ptr<Node> directory = state_->parent(path, &name);
    if (!directory || mode == OpenMode::kRead || mode == OpenMode::kReadWrite) return missing(path);
    node = std::make_shared<Node>(false, state_->space);
    State::set_entries(*directory, {{name, node}});
  }
  *file = std::make_unique<MemoryFile>(path, state_, std::move(node), mode != OpenMode::kRead);
  return {};
}

Status MemoryFileSystem::list(const std::string& directory, std::vector<std::string>* names) {
  const std::lock_guard lock(state_->mutex);
  names->clear();
  if (Status status = state_->begin(FileOperation::kList, directory); !status.is_ok()) return status;
  const std::shared_ptr<Node> node = state_->find(directory);
  if (!node) return missing(directory);
  if (!node->is_directory) return Status::io_error(directory + ": not a directory");
  for (const auto& entry : node->entries) names->push_back(entry.first);
  return {};
}

Status MemoryFileSystem::kind(const std::string& path, PathKind* kind) {
  const std::lock_guard lock(state_->mutex);
  if (Status status = state_->begin(FileOperation::kKind, path); !status.is_ok()) return status;
  const std::shared_ptr<Node> node = state_->find(path);
  *kind = !node ? PathKind::kMissing : node->is_directory ? PathKind::kDirectory : PathKind::kFile;
  return {};
}

Status MemoryFileSystem::create_directory(const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  if (Status status = state_->begin(FileOperation::kCreateDirectory, path); !status.is_ok()) return status;
  if (const std::shared_ptr<Node> node = state_->find(path)) {
    return node->is_directory ? Status() : Status::io_error(path + ": mkdir: file exists");
  }
  std::string name;
  const std::shared_ptr<Node> directory = state_->parent(path, &name);
  if (!directory) return missing(path);
  State::set_entries(*directory, {{name, std::make_shared<Node>(true, state_->space)}});
  return {};
}

Status MemoryFileSystem::remove_directory(const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  if (Status status = state_->begin(FileOperation::kRemoveDirectory, path); !status.is_ok()) return status;
  const std::shared_ptr<Node> node = state_->find(path);
  if (!node) return missing(path);
  std::string name;
  const std::shared_ptr<Node> directory = state_->parent(path, &name);
  if (!directory || !node->is_directory) return Status::io_error(path + ": rmdir: not a directory");
  if (!node->entries.empty()) return Status::io_error(path + ": rmdir: directory not empty");
  State::set_entries(*directory, {{name, nullptr}});
  return {};
}

Status MemoryFileSystem::sync_directory(const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  if (Status status = state_->begin(FileOperation::kSyncDirectory, path); !status.is_ok()) return status;
  const std::shared_ptr<Node> node = state_->find(path);
  if (!node) return missing(path);
  if (!node->is_directory) return Status::io_error(path + ": not a directory");
  node->durable_entries = node->entries;
  node->unsynced_entries.clear();
  return {};
}

Status MemoryFileSystem::rename(const std::string& from, const std::string& to) {
  const std::lock_guard lock(state_->mutex);
  if (Status status = state_->begin(FileOperation::kRename, from); !status.is_ok()) return status;
  const std::shared_ptr<Node> node = state_->find(from);
  if (!node) return missing(from);
  const std::shared_ptr<Node> replaced = state_->find(to);
  if (replaced == node) return {};
  if (replaced && (replaced->is_directory != node->is_directory || !replaced->entries.empty())) {
    return Status::io_error(from + " to " + to + ": rename: the target is of another kind or not empty");
  }
  std::string from_name;
  std::string to_name;
  const std::shared_ptr<Node> from_directory = state_->parent(from, &from_name);
  const std::shared_ptr<Node> to_directory = state_->parent(to, &to_name);
  if (!from_directory || !to_directory) return missing(to);
  if (from_directory == to_directory) {
    State::set_entries(*to_directory, {{to_name, node}, {from_name, nullptr}});
  } else {
    State::set_entries(*to_directory, {{to_name, node}});
    State::set_entries(*from_directory, {{from_name, nullptr}});
  }
  return {};
}

Status MemoryFileSystem::link(const std::string& existing, const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  if (Status status = state_->begin(FileOperation::kLink, path); !status.is_ok()) return status;
  const std::shared_ptr<Node> node = state_->find(existing);
  if (!node) return missing(existing);
  if (node->is_directory) return Status::io_error(existing + ": link: is a directory");
  if (state_->find(path)) return Status::io_error(path + ": link: file exists");
  std::string name;
  const std::shared_ptr<Node> directory = state_->parent(path, &name);
  if (!directory) return missing(path);
  State::set_entries(*directory, {{name, node}});
  return {};
}

Status MemoryFileSystem::unlink(const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  if (Status status = state_->begin(FileOperation::kUnlink, path); !status.is_ok()) return status;
  const std::shared_ptr<Node> node = state_->find(path);
  if (!node) return missing(path);
  if (node->is_directory) return Status::io_error(path + ": unlink: is a directory");
  std::string name;
  const std::shared_ptr<Node> directory = state_->parent(path, &name);
  State::set_entries(*directory, {{name, nullptr}});
  return {};
}

Status MemoryFileSystem::lock(const std::string& path, std::unique_ptr<FileLock>* lock) {
  lock->reset();
  std::unique_ptr<File> file;
  if (Status status = open(path, OpenMode::kCreate, &file); !status.is_ok()) return status;
  const std::lock_guard guard(state_->mutex);
  if (Status status = state_->begin(FileOperation::kLock, path); !status.is_ok()) return status;
  const std::shared_ptr<Node> node = state_->find(path);
  if (!node) return missing(path);
  if (node->locked) return Status::busy(path + ": locked by another open");
  node->locked = true;
  *lock = std::make_unique<MemoryLock>(state_, node);
  return {};
}

MemoryFileSystem::Interceptor fail_operation(std::uint64_t number, Status failure) {
  return [number, failure = std::move(failure)](FileOperation, const std::string&, std::uint64_t n) {
    return n == number ? failure : Status();
  };
}

MemoryFileSystem::Interceptor fail_from_operation(std::uint64_t number, Status failure) {
  return [number, failure = std::move(failure)](FileOperation, const std::string&, std::uint64_t n) {
    return n >= number ? failure : Status();
  };
}

}  // namespace scree
