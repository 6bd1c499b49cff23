// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cassert>
#include <utility>

#include <scree/atomic.h>
#include <scree/ebr.h>
#include <scree/sync_point.h>

namespace scree {

// Makes the class that derives from it, L, the node of a lock-free singly linked list:
//
//   struct L : scree::LinkedList<L> { … };
//
// Every node is the head of the list behind it; there is no other head. A node is deleted first, by itself, and
// unlinked later, by whoever walks over it. The protocol is on docs/protocols/linked_list.md.
//
// Guarantees:
// - A node that is not deleted is found by every walk (repeated next_ptr) that begins at a node from which it could be
//   reached, whatever is pushed, deleted, marked or unlinked around it, and also if the walk's own nodes are deleted
//   under way. A node that was deleted before next_ptr was called is never returned by it.
// - delete_self() succeeds once in a node's life, and it is final: from then on the node's link does not change, and
//   push_back() behind it fails.
// - What is reached under a Barrier stays valid until it ends, also if it is unlinked meanwhile.
//
// Contract: a node is pushed at most once in its life. A deleted node stays in memory until a walk comes by from a node
// before it, or until that node goes. A list, however long, is destroyed without recursion, one node after another:
// each takes a grace period.
//
// Thread safety: everything may be called at any time from any thread. Progress: lock-free; next_ptr takes a step for
// each deleted node that it passes. `order` is that of the change, or of the load, of the link's tag; pushing and
// walking release and acquire.
template <class L>
class LinkedList {
 public:
  using Arc = ebr::Arc<L>;
  using Ptr = ebr::Ptr<L>;

  LinkedList() noexcept = default;
  LinkedList(const LinkedList&) = delete;
  LinkedList& operator=(const LinkedList&) = delete;

  // The link to the next node. Its tag: kFirst: this node is marked; kSecond: it is deleted. To be changed through
  // LinkedList alone.
  ebr::AtomicArc<L>& link_ref() const noexcept { return link_; }

  // Neither marked nor deleted.
  bool is_clear(std::memory_order order = memory_order_acquire) const noexcept {
    return link_.tag(order) == ebr::Tag::kNone;
  }

  // A flag of the user's. False if it was set already, or the node is deleted, which ends the mark, too.
  bool mark(std::memory_order order = memory_order_acq_rel) const {
    return change_tag(ebr::Tag::kFirst, order, [](ebr::Tag tag) { return tag == ebr::Tag::kNone; });  // [L1]
  }
  bool unmark(std::memory_order order = memory_order_acq_rel) const {
    return change_tag(ebr::Tag::kNone, order, [](ebr::Tag tag) { return tag == ebr::Tag::kFirst; });  // [L1]
  }
  bool is_marked(std::memory_order order = memory_order_acquire) const noexcept {
    return link_.tag(order) == ebr::Tag::kFirst;
  }

  // False if it is deleted already.
  bool delete_self(std::memory_order order = memory_order_acq_rel) const {
    return change_tag(ebr::Tag::kSecond, order, [](ebr::Tag tag) { return !is_deletion(tag); });  // [L2]
  }
  bool is_deleted(std::memory_order order = memory_order_acquire) const noexcept {
    return is_deletion(link_.tag(order));
  }

  struct Pushed {
    explicit operator bool() const noexcept { return !ptr.is_null(); }

    Ptr ptr;    // to the entry; null if this node is deleted
    Arc entry;  // then: the entry, given back
  };
  // Puts `entry`, which has never been in a list, right behind this node, and in the same step marks this node, or, if
  // `mark` is false, ends its mark. Fails only if this node is deleted.
  Pushed push_back(Arc entry, bool mark, const ebr::Barrier& barrier) const noexcept {
    assert(entry && entry->is_clear() && entry->link_ref().is_null() && "a node is pushed once");
    const ebr::Tag tag = mark ? ebr::Tag::kFirst : ebr::Tag::kNone;
    Ptr next = link_.load(memory_order_acquire, barrier);  // [L3]
    while (!is_deletion(next.tag())) {
      // Null although there is a next one: it has no owner any more, so this link no longer leads to it, and L5 fails.
      entry->link_.swap(next.get_arc(), ebr::Tag::kNone, memory_order_relaxed);  // [L4]
      SCREE_SYNC_POINT("linked_list:pushing");
      auto pushed = link_.compare_exchange(next, std::move(entry), tag, memory_order_acq_rel, memory_order_acquire,
                                           barrier);  // [L5]
      if (pushed.exchanged) return {pushed.current.without_tag(), {}};
      // Only the pointer or the tag is another one.
      entry = std::move(pushed.owner);
      next = pushed.current;
    }
    // It must not hold on to what follows this node.
    entry->link_.swap({}, ebr::Tag::kNone, memory_order_relaxed);  // [L4]
    return {{}, std::move(entry)};
  }
  Pushed push_back(Arc entry, bool mark, const ebr::Barrier&& barrier) const = delete;

  // The nearest following node that is not deleted, or null; without a tag. Unlinks the deleted ones before it, unless
  // this node is deleted itself or somebody else changes its link: then a later walk will.
  Ptr next_ptr(const ebr::Barrier& barrier SCREE_LIFETIMEBOUND) const noexcept {
    const Ptr first = link_.load(memory_order_acquire, barrier);  // [L3]
    Ptr next = first.without_tag();
    while (!next.is_null()) {
      const Ptr after = next->link_.load(memory_order_acquire, barrier);  // [L3]
      if (!is_deletion(after.tag())) break;
      next = after.without_tag();
    }
    if (next == first.without_tag() || is_deletion(first.tag())) return next;
    SCREE_SYNC_POINT("linked_list:unlinking");
    Arc owner = next.get_arc();
    // Without an owner, it was unlinked meanwhile, and so were those before it.
    if (next.is_null() || owner) {
      link_.compare_exchange(first, std::move(owner), first.tag(), memory_order_acq_rel, memory_order_relaxed,
                             barrier);  // [L6]
    }
    return next;
  }
  Ptr next_ptr(const ebr::Barrier&& barrier) const = delete;

 protected:
  ~LinkedList() = default;

 private:
  static bool is_deletion(ebr::Tag tag) noexcept { return tag == ebr::Tag::kSecond || tag == ebr::Tag::kBoth; }

  template <class Condition>
  bool change_tag(ebr::Tag tag, std::memory_order order, Condition condition) const {
    return link_.update_tag_if(
        tag, [condition](const Ptr& next) { return condition(next.tag()); }, order, memory_order_relaxed);
  }

  mutable ebr::AtomicArc<L> link_;
};

}  // namespace scree
