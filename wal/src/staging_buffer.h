// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include "segment_file.h"

namespace scree::detail {

// Bytes on their way to the segment files, in the order of their positions, and which file each run of them goes to.
// Keeps its memory when cleared, up to a bound. Not thread-safe.
class StagingBuffer {
 public:
  struct Piece {
    std::shared_ptr<Segment> segment;
    std::uint64_t offset;  // in the file
    std::size_t begin;     // in the buffer
    std::size_t length;
  };

  std::size_t size() const noexcept { return size_; }
  const std::vector<Piece>& pieces() const noexcept { return pieces_; }
  std::string_view bytes(const Piece& piece) const noexcept { return {data_.get() + piece.begin, piece.length}; }

  // Makes room for `bytes` more in up to two pieces; throws std::bad_alloc, with nothing changed.
  void reserve(std::size_t bytes) {
    if (pieces_.capacity() < pieces_.size() + 2) pieces_.reserve(2 * pieces_.size() + 4);
    if (capacity_ - size_ >= bytes) return;
    const std::size_t capacity = std::max({size_ + bytes, 2 * size_, std::size_t{64} << 10});
    std::unique_ptr<char[]> data(new char[capacity]);
    if (size_ > 0) std::memcpy(data.get(), data_.get(), size_);
    data_ = std::move(data);
    capacity_ = capacity;
  }

  // Space for `bytes` that go to `offset` of the segment's file; they were reserved.
  char* add(const std::shared_ptr<Segment>& segment, std::uint64_t offset, std::size_t bytes) noexcept {
    if (!pieces_.empty() && pieces_.back().segment == segment) {
      pieces_.back().length += bytes;  // a segment is filled without gaps
    } else {
      pieces_.push_back({segment, offset, size_, bytes});
    }
    char* const place = data_.get() + size_;
    size_ += bytes;
    return place;
  }

  void clear() noexcept {
    pieces_.clear();
    size_ = 0;
    if (capacity_ > kKeptBytes) {
      data_.reset();
      capacity_ = 0;
    }
  }

 private:
  static constexpr std::size_t kKeptBytes = std::size_t{16} << 20;

  std::unique_ptr<char[]> data_;
  std::size_t capacity_ = 0;
  std::size_t size_ = 0;
  std::vector<Piece> pieces_;
};

}  // namespace scree::detail
