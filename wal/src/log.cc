// SPDX-License-Identifier: Apache-2.0

#include <scree/log.h>

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <new>
#include <vector>

#include "format.h"
#include "segment_file.h"
#include "staging_buffer.h"

namespace scree {

namespace {

using namespace detail;

// Staged bytes above which the next append writes them out, and above which it waits for the write that is under way.
constexpr std::size_t kWriteAbove = std::size_t{1} << 20;
constexpr std::size_t kStallAbove = std::size_t{8} << 20;

constexpr std::uint64_t kMinSegmentBytes = 256;
constexpr std::uint64_t kMaxSegmentBytes = std::uint64_t{1} << 32;

}  // namespace

// Two locks. `mutex_` guards the state of reservations and staging; it is held for a memcpy and a checksum, never for
// a system call. `roll_mutex_` is taken before it by whoever prepares the next segment and switches to it, so that
// preparing delays only those who need the new segment.
//
// Invariants, under `mutex_`:
// 1. written_end_ <= reserved_end_, synced_end_ <= written_end_ outside of a sync's own steps.
// 2. `active_` holds, in order and without gaps, what was reserved and is not yet written or being written.
// 3. In the current segment there is always room for a close record.
// 4. At most one thread writes (`writing_`) and at most one syncs (`syncing_`); each role is taken and given up under
//    the lock, and whoever gives one up wakes those who wait for what it did.
class Log::Core {
 public:
  Core(LogOptions options, const LogTail& tail)
      : options_(std::move(options)),
        file_system_(options_.file_system),
        segment_bytes_(align_up(options_.segment_bytes, kRecordAlignment)),
        tail_(tail) {}

  Status open();
  Position start() const noexcept { return start_; }
  Status append(std::span<const std::string_view> payload, Reservation* reservation);
  Status wait(Position end, Durability durability);
  Status roll(Reservation* closed);
  Status sync();
  Status purge_before(Position position);
  LogStats stats() const;

 private:
  using Lock = std::unique_lock<std::mutex>;

  struct OldSegment {
    std::string path;
    Position needed_to;  // recovery from here on needs nothing of it
  };

  Status find_inherited();
  Status prepare(Position begin, std::uint64_t record);
  Status append_in_next_segment(std::span<const std::string_view> payload, std::uint64_t bytes,
                                Reservation* reservation);
  Status reserve_staging(std::uint64_t bytes);
  bool fits(std::uint64_t bytes) const noexcept {
    return bytes + kRecordHeaderBytes <= current_->header.capacity - offset_;
  }
  Position next_position() const noexcept { return current_->header.begin + offset_; }
  void stage(std::span<const std::string_view> payload, std::uint64_t bytes, Reservation* reservation);
  void stage_close();
  void switch_to_prepared();
  Status bound_staging(Lock& lock);
  void write_group(Lock& lock);
  void sync_group(Lock& lock);
  Status sync_files(bool directory);
  void poison(Status failure);

  const LogOptions options_;
  FileSystem* const file_system_;
  const std::uint64_t segment_bytes_;
  const LogTail tail_;
  Position start_ = 0;

  std::mutex roll_mutex_;
  std::shared_ptr<Segment> prepared_;  // guarded by roll_mutex_, as is:
  Position lease_end_ = 0;             // positions below may be used without a durable segment that reaches there

  std::mutex purge_mutex_;

  mutable std::mutex mutex_;
  Status poison_;
  std::shared_ptr<Segment> current_;
  std::uint64_t offset_ = 0;   // of the next record in the current segment
  Position reserved_end_ = 0;  // of the last reservation
  Position written_end_ = 0;
  Position synced_end_ = 0;
  StagingBuffer active_;
  std::deque<OldSegment> old_segments_;             // closed or inherited ones that exist, by position
  std::vector<std::string> inherited_unsynced_;     // of earlier incarnations: maybe only in the page cache
  std::vector<std::shared_ptr<Segment>> unsynced_;  // written since they were last synced; the current one is last
  bool directory_unsynced_ = false;
  LogStats stats_;

  bool writing_ = false;
  StagingBuffer in_flight_;  // belongs to the writing thread while there is one
  std::size_t write_waiters_ = 0;
  std::condition_variable written_;

  bool syncing_ = false;
  std::vector<std::shared_ptr<Segment>> sync_segments_;  // belong to the syncing thread while there is one
  std::vector<std::string> sync_inherited_;
  std::size_t sync_waiters_ = 0;
  std::condition_variable synced_;
};

Status Log::Core::open() {
  if (file_system_ == nullptr || segment_bytes_ < kMinSegmentBytes || segment_bytes_ > kMaxSegmentBytes) {
    return Status::invalid_argument(options_.directory + ": log segments of " + std::to_string(options_.segment_bytes) +
                                    " bytes");
  }
  if (tail_.next_begin % kRecordAlignment != 0 || tail_.next_begin >= kMaxPosition / 2 || tail_.incarnation == 0 ||
      tail_.recovered_to > tail_.next_begin) {
    return Status::invalid_argument(options_.directory + ": not a tail that recovery has given");
  }
  if (Status status = find_inherited(); !status.is_ok()) return status;

  const std::uint64_t first_bytes = record_bytes(kOpenPayloadBytes);
  std::string first(first_bytes, '\0');
  encode_open_payload(tail_.incarnation, tail_.recovered_to, first.data() + kRecordHeaderBytes);
  RecordHeader open_record;
  open_record.length = kOpenPayloadBytes;
  open_record.type = RecordType::kOpen;
  open_record.position = tail_.next_begin + kSegmentHeaderBytes;
  seal_record(first.data(), open_record, options_.log_id);

  const SegmentHeader header{options_.log_id, tail_.next_begin, segment_bytes_, tail_.incarnation, tail_.recovered_to};
  Status status = prepare_segment(file_system_, options_.directory, header, first, &current_);
  // Durable before any of its positions is used: however this incarnation ends, the next one starts beyond it.
  if (status.is_ok()) status = current_->file->sync();
  if (status.is_ok()) status = file_system_->sync_directory(options_.directory);
  if (!status.is_ok()) {
    if (current_) static_cast<void>(file_system_->unlink(current_->path));
    return status.with_context("preparing a log segment");
  }
  lease_end_ = align_up(header.end(), kIncarnationQuantum);
  offset_ = kSegmentHeaderBytes + first_bytes;
  start_ = next_position();
  reserved_end_ = written_end_ = start_;
  synced_end_ = inherited_unsynced_.empty() ? start_ : 0;
  unsynced_.push_back(current_);
  stats_.records = 1;
  stats_.bytes = first_bytes;
  return {};
}

// The segments of earlier incarnations: what must be synced before anything of this one is called durable, and what
// can be purged one day. Another log's are left alone.
Status Log::Core::find_inherited() {
  std::vector<std::string> names;
  if (Status status = file_system_->list(options_.directory, &names); !status.is_ok()) return status;
  std::vector<std::pair<Position, std::string>> found;
  for (const std::string& name : names) {
    const std::optional<Position> begin = parse_segment_name(name);
    if (!begin) continue;
    std::string path = options_.directory + "/" + name;
    if (*begin >= tail_.next_begin) {
      return Status::invalid_argument(path + ": not below where the log is to go on; it was not replayed");
    }
    std::unique_ptr<SegmentReader> reader;
    if (Status status = SegmentReader::open(file_system_, path, &reader); !status.is_ok()) return status;
    std::string_view bytes;
    if (Status status = reader->view(0, kSegmentHeaderBytes, &bytes); !status.is_ok()) return status;
    SegmentHeader header;
    std::string why;
    if (decode_segment_header(bytes, &header, &why) == HeaderCheck::kGood && header.log_id != options_.log_id) {
      continue;
    }
    found.emplace_back(*begin, std::move(path));
  }
  for (std::size_t i = 0; i < found.size(); ++i) {
    const Position next = i + 1 < found.size() ? found[i + 1].first : tail_.next_begin;
    inherited_unsynced_.push_back(found[i].second);
    old_segments_.push_back({std::move(found[i].second), std::min(next, tail_.recovered_to)});
  }
  return {};
}

// Under roll_mutex_: `prepared_` becomes a segment that begins at `begin` and has room for a record of `record`
// bytes. Fails without any effect but a file that nobody needs.
Status Log::Core::prepare(Position begin, std::uint64_t record) {
  const std::uint64_t needed = kSegmentHeaderBytes + record + kRecordHeaderBytes;
  if (prepared_ && prepared_->header.begin == begin && prepared_->header.capacity >= needed) return {};
  prepared_.reset();
  const SegmentHeader header{options_.log_id, begin, std::max(segment_bytes_, needed), tail_.incarnation,
                             tail_.recovered_to};
  if (header.end() >= kMaxPosition)
    return Status::not_supported(options_.directory + ": the log's positions are used up");
  std::shared_ptr<Segment> segment;
  Status status = prepare_segment(file_system_, options_.directory, header, {}, &segment);
  if (status.is_ok() && header.end() > lease_end_) {
    status = segment->file->sync();
    if (status.is_ok()) status = file_system_->sync_directory(options_.directory);
    if (!status.is_ok()) static_cast<void>(file_system_->unlink(segment->path));
    if (status.is_ok()) lease_end_ = align_up(header.end(), kIncarnationQuantum);
  }
  if (!status.is_ok()) return status.with_context("preparing a log segment");
  prepared_ = std::move(segment);
  return {};
}

// The last thing that can fail before a reservation.
Status Log::Core::reserve_staging(std::uint64_t bytes) {
  try {
    active_.reserve(bytes);
    // So that taking over the new segment cannot fail.
    if (unsynced_.capacity() < unsynced_.size() + 1) unsynced_.reserve(2 * unsynced_.size() + 4);
  } catch (const std::bad_alloc&) {
    return Status::memory_limit(options_.directory + ": no memory to stage a log record of " + std::to_string(bytes) +
                                " bytes");
  }
  return {};
}

void Log::Core::stage(std::span<const std::string_view> payload, std::uint64_t bytes, Reservation* reservation) {
  reservation->previous_end = reserved_end_;
  reservation->begin = next_position();
  reservation->end = reservation->begin + bytes;
  char* const record = active_.add(current_, offset_, bytes);
  char* out = record + kRecordHeaderBytes;
  for (const std::string_view piece : payload) {
    if (piece.empty()) continue;
    std::memcpy(out, piece.data(), piece.size());
    out += piece.size();
  }
  RecordHeader header;
  header.length = static_cast<std::uint32_t>(out - record - kRecordHeaderBytes);
  header.type = RecordType::kBatch;
  header.position = reservation->begin;
  header.durable_mark = synced_end_;
  seal_record(record, header, options_.log_id);
  offset_ += bytes;
  reserved_end_ = reservation->end;
  ++stats_.records;
  stats_.bytes += bytes;
}

void Log::Core::stage_close() {
  RecordHeader header;
  header.type = RecordType::kClose;
  header.position = next_position();
  header.durable_mark = synced_end_;
  seal_record(active_.add(current_, offset_, kRecordHeaderBytes), header, options_.log_id);
  offset_ = current_->header.capacity;
  ++stats_.records;
  stats_.bytes += kRecordHeaderBytes;
}

// Under both locks, with all that is needed reserved: nothing here fails.
void Log::Core::switch_to_prepared() {
  stage_close();
  if (options_.on_segment_switch) options_.on_segment_switch(prepared_->header.begin);
  current_ = std::move(prepared_);
  prepared_.reset();
  offset_ = kSegmentHeaderBytes;
  unsynced_.push_back(current_);
  directory_unsynced_ = true;
}

Status Log::Core::append(std::span<const std::string_view> payload, Reservation* reservation) {
  std::size_t payload_bytes = 0;
  for (const std::string_view piece : payload) payload_bytes += piece.size();
  if (payload_bytes > kMaxLogPayloadBytes) {
    return Status::invalid_argument(options_.directory + ": a log record of " + std::to_string(payload_bytes) +
                                    " bytes, at most " + std::to_string(kMaxLogPayloadBytes) + " are allowed");
  }
  const std::uint64_t bytes = record_bytes(payload_bytes);
  {
    Lock lock(mutex_);
    if (Status status = bound_staging(lock); !status.is_ok()) return status;
    if (fits(bytes)) {
      if (Status status = reserve_staging(bytes); !status.is_ok()) return status;
      stage(payload, bytes, reservation);
      return {};
    }
  }
  return append_in_next_segment(payload, bytes, reservation);
}

Status Log::Core::append_in_next_segment(std::span<const std::string_view> payload, std::uint64_t bytes,
                                         Reservation* reservation) {
  const std::lock_guard roll_lock(roll_mutex_);
  Lock lock(mutex_);
  if (!poison_.is_ok()) return poison_;
  if (!fits(bytes)) {                                    // else another thread has switched meanwhile
    const Position next_begin = current_->header.end();  // cannot change while we hold roll_mutex_
    lock.unlock();
    if (Status status = prepare(next_begin, bytes); !status.is_ok()) return status;
    lock.lock();
    if (!poison_.is_ok()) return poison_;
    if (Status status = reserve_staging(kRecordHeaderBytes + bytes); !status.is_ok()) return status;
    try {
      old_segments_.push_back({current_->path, next_begin});
    } catch (const std::bad_alloc&) {
      return Status::memory_limit(options_.directory + ": no memory for the next log segment");
    }
    switch_to_prepared();
  } else if (Status status = reserve_staging(bytes); !status.is_ok()) {
    return status;
  }
  stage(payload, bytes, reservation);
  return {};
}

Status Log::Core::roll(Reservation* closed) {
  const std::lock_guard roll_lock(roll_mutex_);
  Lock lock(mutex_);
  if (!poison_.is_ok()) return poison_;
  const Position next_begin = current_->header.end();
  lock.unlock();
  if (Status status = prepare(next_begin, kRecordHeaderBytes); !status.is_ok()) return status;
  lock.lock();
  if (!poison_.is_ok()) return poison_;
  if (Status status = reserve_staging(kRecordHeaderBytes); !status.is_ok()) return status;
  try {
    old_segments_.push_back({current_->path, next_begin});
  } catch (const std::bad_alloc&) {
    return Status::memory_limit(options_.directory + ": no memory for the next log segment");
  }
  *closed = {reserved_end_, next_position(), next_begin};
  switch_to_prepared();
  reserved_end_ = next_begin;
  return {};
}

Status Log::Core::bound_staging(Lock& lock) {
  while (poison_.is_ok() && active_.size() >= kWriteAbove) {
    if (!writing_) {
      write_group(lock);
    } else if (active_.size() >= kStallAbove) {
      ++write_waiters_;
      written_.wait(lock);
      --write_waiters_;
    } else {
      break;
    }
  }
  return poison_;
}

void Log::Core::poison(Status failure) {
  if (poison_.is_ok()) poison_ = failure.with_context("the log is stopped");
}

// Writes all that is staged. Called by the thread that finds nobody writing; lets the lock go meanwhile, so that the
// next group gathers.
void Log::Core::write_group(Lock& lock) {
  writing_ = true;
  std::swap(active_, in_flight_);
  const Position target = reserved_end_;
  lock.unlock();
  Status status;
  for (const StagingBuffer::Piece& piece : in_flight_.pieces()) {
    status = piece.segment->file->write_at(piece.offset, in_flight_.bytes(piece));
    if (!status.is_ok()) break;
  }
  lock.lock();
  stats_.writes += in_flight_.pieces().size();
  in_flight_.clear();
  writing_ = false;
  if (status.is_ok()) {
    written_end_ = target;
  } else {
    poison(std::move(status));
  }
  if (write_waiters_ > 0) written_.notify_all();
}

// Makes durable what is reserved as of now. Called by the thread that finds nobody syncing.
void Log::Core::sync_group(Lock& lock) {
  syncing_ = true;
  const Position target = reserved_end_;
  sync_segments_.assign(unsynced_.begin(), unsynced_.end());
  const std::shared_ptr<Segment> last = current_;
  const bool directory = directory_unsynced_;
  directory_unsynced_ = false;
  sync_inherited_.swap(inherited_unsynced_);
  while (poison_.is_ok() && written_end_ < target) {
    if (!writing_) {
      write_group(lock);
    } else {
      ++write_waiters_;
      written_.wait(lock);
      --write_waiters_;
    }
  }
  if (poison_.is_ok()) {
    lock.unlock();
    Status status = sync_files(directory);
    lock.lock();
    ++stats_.syncs;
    if (status.is_ok()) {
      synced_end_ = target;
      // All of these but `last` were closed, and written to their ends.
      std::erase_if(unsynced_, [&](const std::shared_ptr<Segment>& segment) {
        return segment != last &&
               std::find(sync_segments_.begin(), sync_segments_.end(), segment) != sync_segments_.end();
      });
    } else {
      poison(std::move(status));
    }
  }
  sync_segments_.clear();
  sync_inherited_.clear();
  syncing_ = false;
  if (sync_waiters_ > 0) synced_.notify_all();
}

// Without the lock. Earlier segments first, then the names of new ones: only all of it together makes what is
// acknowledged reachable.
Status Log::Core::sync_files(bool directory) {
  for (const std::string& path : sync_inherited_) {
    std::unique_ptr<File> file;
    Status status = file_system_->open(path, OpenMode::kRead, &file);
    if (status.is_not_found()) continue;  // purged meanwhile
    if (status.is_ok()) status = file->sync();
    if (!status.is_ok()) return status;
  }
  for (const std::shared_ptr<Segment>& segment : sync_segments_) {
    if (Status status = segment->file->sync(); !status.is_ok()) return status;
  }
  return directory ? file_system_->sync_directory(options_.directory) : Status();
}

Status Log::Core::wait(Position end, Durability durability) {
  Lock lock(mutex_);
  if (end > reserved_end_) {
    return Status::invalid_argument(options_.directory + ": waiting for a log position that was not reserved");
  }
  while (poison_.is_ok()) {
    if (durability == Durability::kBuffered) break;
    if (durability == Durability::kProcess) {
      if (written_end_ >= end) break;
      if (!writing_) {
        write_group(lock);
      } else {
        ++write_waiters_;
        written_.wait(lock);
        --write_waiters_;
      }
    } else {
      if (synced_end_ >= end) break;
      if (!syncing_) {
        sync_group(lock);
      } else {
        ++sync_waiters_;
        synced_.wait(lock);
        --sync_waiters_;
      }
    }
  }
  return poison_;
}

Status Log::Core::sync() {
  Position end = 0;
  {
    const Lock lock(mutex_);
    end = reserved_end_;
  }
  return wait(end, Durability::kDisk);
}

Status Log::Core::purge_before(Position position) {
  const std::lock_guard purge_lock(purge_mutex_);
  for (;;) {
    std::string path;
    {
      const Lock lock(mutex_);
      if (old_segments_.empty() || old_segments_.front().needed_to > position) return {};
      path = old_segments_.front().path;
    }
    Status status = file_system_->unlink(path);
    if (!status.is_ok() && !status.is_not_found()) return status;
    const Lock lock(mutex_);
    old_segments_.pop_front();  // only this function removes from the front
    std::erase_if(unsynced_, [&](const std::shared_ptr<Segment>& segment) { return segment->path == path; });
    std::erase(inherited_unsynced_, path);
  }
}

LogStats Log::Core::stats() const {
  const Lock lock(mutex_);
  LogStats stats = stats_;
  stats.segments = old_segments_.size() + 1;
  return stats;
}

Status Log::open(LogOptions options, const LogTail& tail, std::unique_ptr<Log>* log) {
  auto core = std::make_unique<Core>(std::move(options), tail);
  if (Status status = core->open(); !status.is_ok()) return status;
  log->reset(new Log(std::move(core)));
  return {};
}

Log::Log(std::unique_ptr<Core> core) noexcept : core_(std::move(core)) {}
Log::~Log() = default;
Position Log::start() const noexcept { return core_->start(); }
Status Log::append(std::span<const std::string_view> payload, Reservation* reservation) {
  return core_->append(payload, reservation);
}
Status Log::wait(Position end, Durability durability) { return core_->wait(end, durability); }
Status Log::roll(Reservation* closed) { return core_->roll(closed); }
Status Log::sync() { return core_->sync(); }
Status Log::purge_before(Position position) { return core_->purge_before(position); }
LogStats Log::stats() const { return core_->stats(); }

}  // namespace scree
