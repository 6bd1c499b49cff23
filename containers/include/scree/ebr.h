// SPDX-License-Identifier: Apache-2.0
//
// Epoch-based reclamation: memory that other threads may be reading is freed once every barrier that could have
// reached it has ended. After K. Fraser, "Practical lock-freedom" (2004), with an asymmetric fence: entering
// a barrier costs a plain store, the reclaimer pays. Protocol: docs/protocols/epoch.md.
//
//   Barrier     what it was possible to reach while one is held stays allocated until it ends
//   Arc         an owning, counted pointer; the last owner retires the instance
//   AtomicArc   a tagged atomic owner
//   Ptr         borrowed from an AtomicArc or Arc under a barrier
//   suspend     hands the calling thread's garbage to the other threads

#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include <scree/atomic.h>
#include <scree/detail/ebr_domain.h>

namespace scree::ebr {

template <class T>
class Arc;
template <class T>
class AtomicArc;
template <class T>
class Ptr;

// A protected region of the calling thread. Nests; belongs to the thread that made it; never held across a
// suspension of a coroutine. Entering and leaving are wait-free and cost no fence; a nested one is a counter.
class Barrier {
 public:
  Barrier() : record_(detail::current_record()) { detail::enter(record_); }
  ~Barrier() { detail::exit(record_); }
  Barrier(const Barrier&) = delete;
  Barrier& operator=(const Barrier&) = delete;

  // Runs `f()` once, on some thread, after every barrier that is held now has ended. Throws what copying `f` throws.
  template <class F>
  void defer_execute(F&& f) const {
    using Function = std::decay_t<F>;
    detail::Domain::instance().retire(
        record_,
        {new Function(std::forward<F>(f)),
         [](void* p) {
           std::unique_ptr<Function> function(static_cast<Function*>(p));
           (*function)();
         }},
        sizeof(Function));
  }

  // Runs `f()` again and again, each time after a further grace period, until it returns true: for work that is to be cut into
  // bounded pieces.
  template <class F>
  void defer_incremental_execute(F&& f) const {
    using Function = std::decay_t<F>;
    retire_incremental(std::make_unique<Function>(std::forward<F>(f)));
  }

  // Deletes `object` once no barrier can reach it. It is already unreachable for barriers that begin from now on. `bytes`: what
  // it holds, so that heavy garbage is collected sooner.
  template <class T>
  void retire(T* object, std::size_t bytes = sizeof(T)) const noexcept {
    retire(
        static_cast<void*>(const_cast<std::remove_const_t<T>*>(object)),
        [](void* p) { delete static_cast<T*>(p); }, bytes);
  }
  void retire(void* object, void (*reclaim)(void*), std::size_t bytes) const noexcept {
    detail::Domain::instance().retire(record_, {object, reclaim}, bytes);
  }

  // Drops `arc` once every barrier that is held now has ended.
  template <class T>
  void defer(Arc<T> arc) const {
    defer_execute([held = std::move(arc)] {});
  }

 private:
  template <class Function>
  static void retire_incremental(std::unique_ptr<Function> function) {
    detail::Domain::instance().retire(
        detail::current_record(),
        {function.release(),
         [](void* p) {
           std::unique_ptr<Function> again(static_cast<Function*>(p));
           if (!(*again)()) retire_incremental(std::move(again));
         }},
        sizeof(Function));
  }

  detail::Record& record_;
};

// Hands everything that the calling thread retired to whichever threads collect next. For a thread that will lie dormant, and of
// no use to it inside a barrier, for the end of which all of it waits.
inline void suspend() {
  if (detail::Record* record = detail::this_record) detail::Domain::instance().hand_over(*record);
}

// Frees a bounded part of what the calling thread retired and what others handed over, as far as grace periods are over.
// True if some of it is still waiting.
inline bool collect() { return detail::Domain::instance().seal_and_collect(detail::current_record()); }

// Two bits of the user's, kept in the low bits of a pointer.
enum class Tag : std::uint8_t { kNone = 0, kFirst = 1, kSecond = 2, kBoth = 3 };

namespace detail {

inline constexpr std::uintptr_t kTagMask = 3;

template <class T>
struct alignas(alignof(T) < 8 ? 8 : alignof(T)) Counted {
  template <class... Args>
  explicit Counted(Args&&... args) : value(std::forward<Args>(args)...) {}

  // False once the last owner is gone: the instance waits for reclamation and cannot be owned again.
  bool try_own() noexcept {
    std::size_t n = owners.load(memory_order_relaxed);
    while (n != 0) {
      if (owners.compare_exchange_weak(n, n + 1, memory_order_relaxed)) return true;
    }
    return false;
  }

  // True if this was the last owner.
  bool disown() noexcept {
    if (owners.fetch_sub(1, memory_order_acq_rel) != 1) return false;
    Domain::instance().retire(
        current_record(), {this, [](void* p) { delete static_cast<Counted*>(p); }}, sizeof(Counted));
    return true;
  }

  Atomic<std::size_t> owners{1};
  T value;
};

template <class T>
std::uintptr_t pack(Counted<T>* counted, Tag tag) noexcept {
  return reinterpret_cast<std::uintptr_t>(counted) | static_cast<std::uintptr_t>(tag);
}
template <class T>
Counted<T>* unpack(std::uintptr_t word) noexcept {
  return reinterpret_cast<Counted<T>*>(word & ~kTagMask);
}

}  // namespace detail

// Borrowed from an owner under a barrier, and valid until that barrier ends. Trivially copyable; may be null.
template <class T>
class Ptr {
 public:
  Ptr() noexcept = default;

  bool is_null() const noexcept { return counted() == nullptr; }
  const T* as_ref() const noexcept { return is_null() ? nullptr : &counted()->value; }
  const T& operator*() const noexcept { return counted()->value; }
  const T* operator->() const noexcept { return &counted()->value; }
  explicit operator bool() const noexcept { return !is_null(); }

  Tag tag() const noexcept { return static_cast<Tag>(word_ & detail::kTagMask); }
  void set_tag(Tag tag) noexcept { word_ = detail::pack(counted(), tag); }
  Ptr with_tag(Tag tag) const noexcept { return Ptr(detail::pack(counted(), tag)); }
  Ptr without_tag() const noexcept { return with_tag(Tag::kNone); }

  // A new owner; null if this is null or the last owner is gone.
  Arc<T> get_arc() const noexcept { return Arc<T>(!is_null() && counted()->try_own() ? counted() : nullptr); }

  friend bool operator==(Ptr a, Ptr b) noexcept { return a.word_ == b.word_; }

 private:
  friend class Arc<T>;
  friend class AtomicArc<T>;
  explicit Ptr(std::uintptr_t word) noexcept : word_(word) {}
  detail::Counted<T>* counted() const noexcept { return detail::unpack<T>(word_); }

  std::uintptr_t word_ = 0;
};

// An owning, counted pointer to an immutable instance. When the last owner goes, the instance is retired: borrowed
// pointers to it stay valid until their barriers end. Move-only; clone() adds an owner.
template <class T>
class Arc {
 public:
  Arc() noexcept = default;  // null
  Arc(Arc&& other) noexcept : counted_(std::exchange(other.counted_, nullptr)) {}
  Arc& operator=(Arc&& other) noexcept {
    Arc(std::move(other)).swap(*this);
    return *this;
  }
  ~Arc() {
    if (counted_ != nullptr) counted_->disown();
  }

  template <class... Args>
  static Arc make(Args&&... args) {
    return Arc(new detail::Counted<T>(std::forward<Args>(args)...));
  }

  Arc clone() const noexcept {
    if (counted_ != nullptr) counted_->owners.fetch_add(1, memory_order_relaxed);
    return Arc(counted_);
  }

  bool is_null() const noexcept { return counted_ == nullptr; }
  explicit operator bool() const noexcept { return counted_ != nullptr; }
  const T& operator*() const noexcept { return counted_->value; }
  const T* operator->() const noexcept { return &counted_->value; }
  const T* get() const noexcept { return counted_ == nullptr ? nullptr : &counted_->value; }

  // Null unless this is the only owner. No Ptr to the instance may be in use.
  T* get_mut() noexcept {
    return counted_ != nullptr && counted_->owners.load(memory_order_acquire) == 1 ? &counted_->value : nullptr;
  }

  Ptr<T> ptr(const Barrier&) const noexcept { return Ptr<T>(detail::pack(counted_, Tag::kNone)); }

  // Drops this owner; true if it was the last.
  bool release(const Barrier&) noexcept {
    return counted_ != nullptr && std::exchange(counted_, nullptr)->disown();
  }

  void swap(Arc& other) noexcept { std::swap(counted_, other.counted_); }

 private:
  friend class Ptr<T>;
  friend class AtomicArc<T>;
  explicit Arc(detail::Counted<T>* counted) noexcept : counted_(counted) {}

  detail::Counted<T>* counted_ = nullptr;
};

// An atomic owner of an instance, with a tag. All operations are lock-free.
template <class T>
class AtomicArc {
 public:
  AtomicArc() noexcept = default;  // null
  explicit AtomicArc(Arc<T> arc) noexcept
      : word_(detail::pack(std::exchange(arc.counted_, nullptr), Tag::kNone)) {}
  template <class... Args>
  static AtomicArc make(Args&&... args) {
    return AtomicArc(Arc<T>::make(std::forward<Args>(args)...));
  }
  AtomicArc(const AtomicArc&) = delete;
  AtomicArc& operator=(const AtomicArc&) = delete;
  ~AtomicArc() { Arc<T> last(detail::unpack<T>(word_.load(memory_order_acquire))); }

  bool is_null(std::memory_order order = memory_order_acquire) const noexcept {
    return detail::unpack<T>(word_.load(order)) == nullptr;
  }
  Tag tag(std::memory_order order = memory_order_acquire) const noexcept {
    return static_cast<Tag>(word_.load(order) & detail::kTagMask);
  }

  // `order` is acquire or stronger where the instance is read through the result.
  Ptr<T> load(std::memory_order order, const Barrier&) const noexcept { return Ptr<T>(word_.load(order)); }

  // The previous owner and tag.
  std::pair<Arc<T>, Tag> swap(Arc<T> arc, Tag tag, std::memory_order order) noexcept {
    const std::uintptr_t old =
        word_.exchange(detail::pack(std::exchange(arc.counted_, nullptr), tag), order);
    return {Arc<T>(detail::unpack<T>(old)), static_cast<Tag>(old & detail::kTagMask)};
  }

  struct Exchange {
    bool exchanged;
    Arc<T> arc;      // exchanged: what was owned before; else: the desired owner, given back
    Ptr<T> current;  // what is owned now, as seen by this operation
  };
  // Installs `desired` with `tag` if pointer and tag are those of `expected`.
  Exchange compare_exchange(Ptr<T> expected, Arc<T> desired, Tag tag, std::memory_order success,
                            std::memory_order failure, const Barrier&) noexcept {
    std::uintptr_t old = expected.word_;
    const std::uintptr_t word = detail::pack(desired.counted_, tag);
    if (!word_.compare_exchange_strong(old, word, success, failure)) return {false, std::move(desired), Ptr<T>(old)};
    desired.counted_ = nullptr;
    return {true, Arc<T>(detail::unpack<T>(old)), Ptr<T>(word)};
  }

  // Sets the tag while `condition(Ptr)` holds for what is owned; false once it does not.
  template <class Condition>
  bool update_tag_if(Tag tag, Condition&& condition, std::memory_order set, std::memory_order fetch) noexcept {
    std::uintptr_t old = word_.load(fetch);
    while (condition(Ptr<T>(old))) {
      if (word_.compare_exchange_weak(old, detail::pack(detail::unpack<T>(old), tag), set, fetch)) return true;
    }
    return false;
  }

  // Another owner of the same instance; null if there is none.
  Arc<T> get_arc(std::memory_order order, const Barrier& barrier) const noexcept {
    for (;;) {
      const Ptr<T> p = load(order, barrier);
      if (p.is_null()) return {};
      // It fails only when the last owner is gone, thus when this no longer owns it: load again.
      if (Arc<T> arc = p.get_arc()) return arc;
    }
  }
  AtomicArc clone(std::memory_order order, const Barrier& barrier) const noexcept {
    return AtomicArc(get_arc(order, barrier));
  }

  // Takes what is owned out; leaves null.
  Arc<T> try_into_arc(std::memory_order order) noexcept { return swap({}, Tag::kNone, order).first; }

 private:
  Atomic<std::uintptr_t> word_{0};
};

}  // namespace scree::ebr
