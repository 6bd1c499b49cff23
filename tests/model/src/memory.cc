// SPDX-License-Identifier: Apache-2.0
//
// The memory model. Each atomic variable keeps its writes in modification order, which is the order in which they
// become visible here; a load may read any that neither coherence nor what its thread knows has hidden.
//
// kRelaxed is C++20's model without these behaviours:
// - a load never reads a write that is executed later (no load buffering, nothing out of thin air);
// - a write is never put before one that was visible already (so 2+2W ends with a value of the later steps);
// - seq_cst operations are ordered as they are executed.
// It has more than C++20 in one respect: membarrier_call() is a seq_cst fence in every thread.

#include <algorithm>
#include <array>
#include <utility>

#include "engine.h"

namespace scree::model {
namespace {

using Kind = Intent::Kind;

bool is_acquire(std::memory_order order) {
  return order != std::memory_order_relaxed && order != std::memory_order_release;
}
bool is_release(std::memory_order order) {
  return order == std::memory_order_release || order == std::memory_order_acq_rel || order == std::memory_order_seq_cst;
}
bool is_sc(std::memory_order order) { return order == std::memory_order_seq_cst; }

const char* name(std::memory_order order) {
  switch (order) {
    case std::memory_order_relaxed:
      return "relaxed";
    case std::memory_order_consume:
    case std::memory_order_acquire:
      return "acquire";
    case std::memory_order_release:
      return "release";
    case std::memory_order_acq_rel:
      return "acq_rel";
    default:
      return "seq_cst";
  }
}

std::uintptr_t key(const hooks::Object& object) { return reinterpret_cast<std::uintptr_t>(object.address); }

// A thread reads one old write so often in a row; then what is newer has reached it.
constexpr std::uint32_t kStaleInARow = 2;
// A thread that reads the latest write so often in a row, at one line and writing nothing, waits for another.
constexpr std::uint32_t kSpinLimit = 6;
constexpr std::uint32_t kMaxAlternatives = 16;

}  // namespace

void Engine::tick(ModelThread& thread) {
  if (thread.id == 0) return;
  const auto time = static_cast<Time>(thread.time() + 1);
  thread.now.happened.set(thread.id, time);
  thread.now.view.set(thread.id, time);
}

// The variable of an operation that begins now.
Variable& Engine::touch(const hooks::Object& object, Site site) {
  tick(*current_);
  const Place place{site, nullptr};
  Variable& v = variable_at(object.address, Variable::Kind::kAtomic, place);
  if (v.writes.empty()) {
    v.size = object.size;
    v.writes.push_back({object.stored, {}, v.constructor, 0});
  }
  v.accesses[current_->id] = {current_->time(), place};
  return v;
}

// The variable of an operation that is not observed: a single write holds its value. It lives and dies as others do.
Variable& Engine::latest(const hooks::Object& object, Site site) {
  const Place place{site, nullptr};
  Variable& v = variable_at(object.address, Variable::Kind::kAtomic, place);
  if (v.writes.empty()) v.writes.push_back({object.stored, {}, v.constructor, 0});
  v.size = object.size;
  v.accesses[current_->id] = {plain_time(), place};
  return v;
}

// Weakens the order, or says that the operation is left out.
bool Engine::plant(Site site, std::memory_order& order) {
  const Plant* plant = planting_.plant_at(site);
  if (plant == nullptr) return false;
  if (plant->kind == Plant::Kind::kDrop) return true;
  order = std::memory_order_relaxed;
  return false;
}

// The oldest write that the current thread may still read.
std::uint32_t Engine::floor_of(const Variable& v, bool sc) const {
  const Clock& view = current_->now.view;
  std::uint32_t floor = 0;
  for (int slot = 0; slot < kSlots; ++slot) {
    const Time known = sc ? std::max(view[slot], slot == kScSlot ? sc_time_ : sc_view_[slot]) : view[slot];
    floor = std::max(floor, v.floors[slot].at(known));
  }
  return floor;
}

// Chooses what a load reads. `other_than`: of older writes, only those of another value.
std::uint32_t Engine::choose_write(const Variable& v, std::memory_order order, const Bits* other_than) {
  const auto latest = static_cast<std::uint32_t>(v.writes.size() - 1);
  if (current_->id == 0 || options_.memory != Memory::kRelaxed) return latest;
  if (options_.stale_reads >= 0 && stale_reads_ >= options_.stale_reads) return latest;
  std::uint32_t floor = floor_of(v, is_sc(order));
  const Variable::Spin& spin = v.spins[current_->id];
  if (spin.count >= kStaleInARow && spin.position != latest) floor = std::max(floor, spin.position + 1);
  if (floor >= latest) return latest;
  std::array<std::uint32_t, kMaxAlternatives> positions{latest};
  std::uint32_t count = 1;
  for (std::uint32_t position = latest; position-- > floor && count < kMaxAlternatives;) {
    if (other_than == nullptr || !(v.writes[position].value == *other_than)) positions[count++] = position;
  }
  const std::uint32_t choice = choose(count);
  if (choice != 0) ++stale_reads_;
  return positions[choice];
}

Bits Engine::read(Variable& v, std::uint32_t position, std::memory_order order) {
  ModelThread& me = *current_;
  const Write& write = v.writes[position];
  v.floors[me.id].reach(me.time(), position);
  if (is_sc(order)) v.floors[kScSlot].reach(++sc_time_, position);
  me.pending.join(write.released);
  if (is_acquire(order)) me.now.join(write.released);
  return write.value;
}

void Engine::append(ModelThread& writer, Variable& v, const Bits& value, const Knowledge& released, bool sc) {
  const auto position = static_cast<std::uint32_t>(v.writes.size());
  v.writes.push_back({value, released, writer.id, steps_});
  v.floors[writer.id].reach(writer.time(), position);
  if (sc) v.floors[kScSlot].reach(++sc_time_, position);
  ++writes_;
  ++writer.own_writes;
}

// What a store of this order carries.
const Knowledge& Engine::releases(std::memory_order order) const {
  return is_release(order) ? current_->now : current_->fenced;
}

// The current thread's latest store to `v`, where it is still delayed.
const Delayed* Engine::forwarded(const Variable& v) const {
  for (auto at = current_->delayed.rbegin(); at != current_->delayed.rend(); ++at) {
    if (at->variable == &v) return &*at;
  }
  return nullptr;
}

bool Engine::may_delay() const {
  return current_->id != 0 && options_.memory != Memory::kInterleaving &&
         (options_.delayed_stores < 0 || delayed_stores_ < options_.delayed_stores) && others_unfinished();
}

// The thread's oldest delayed store becomes visible. What orders it is that it was executed, an access of that moment.
void Engine::commit(ModelThread& thread) {
  Delayed store = thread.delayed.front();
  thread.delayed.erase(thread.delayed.begin());
  if (thread.delayed.empty()) thread.intent = thread.intent_alone;
  if (store.follows) {
    store.released.happened.set(thread.id, thread.time());
    store.released.view.set(thread.id, thread.time());
  }
  tick(thread);
  Variable& v = *store.variable;
  if (v.state != Variable::State::kAlive) {
    fail(Error::kUseAfterFree, "T" + std::to_string(thread.id) + "'s store to " + name_of(v) + " at " +
                                   text_of(Place{store.site, nullptr}) + " becomes visible after " +
                                   text_of(v.destroyed_at) + " ended its life");
  }
  append(thread, v, store.value, store.released, false);
  if (tracing_) trace(thread.id, "becomes visible", &v, {store.site, nullptr}, "= " + to_text(store.value, v.size));
}

void Engine::commit_all(ModelThread& thread) {
  while (!thread.delayed.empty()) commit(thread);
}

void Engine::fence_of(ModelThread& thread, std::memory_order order) {
  if (is_acquire(order)) thread.now.join(thread.pending);
  if (is_sc(order)) {
    thread.now.view.join(sc_view_);
    thread.now.view.set(kScSlot, sc_time_);
    sc_view_.join(thread.now.view);
  }
  if (is_release(order)) thread.fenced = thread.now;
}

void Engine::note_spin(Variable& v, std::uint32_t position, int line) {
  ModelThread& me = *current_;
  Variable::Spin& spin = v.spins[me.id];
  if (spin.count != 0 && spin.position == position && spin.line == line && spin.own_writes == me.own_writes) {
    ++spin.count;
  } else {
    spin = {position, 1, line, me.own_writes};
  }
  if (spin.count >= kSpinLimit && position + 1 == v.writes.size()) park();
}

Bits Engine::load(const hooks::Object& object, std::memory_order order, Site site) {
  if (planting_.is_unobserved(site)) return latest(object, site).writes.back().value;
  if (plant(site, order)) fail(Error::kBadTest, "a load cannot be dropped");
  step({Kind::kLoad, is_sc(order), key(object)}, is_sc(order));
  Variable& v = touch(object, site);
  ModelThread& me = *current_;
  if (is_sc(order)) commit_all(me);
  if (const Delayed* own = forwarded(v)) {
    if (tracing_) trace(me.id, "load", &v, {site, nullptr}, to_text(own->value, v.size) + ", its own delayed store");
    return own->value;
  }
  const std::uint32_t position = choose_write(v, order, nullptr);
  const Bits value = read(v, position, order);
  note_spin(v, position, site.line);
  if (tracing_) {
    trace(me.id, "load", &v, {site, nullptr}, to_text(value, v.size) + " " + name(order) + describe_write(v, position));
  }
  return value;
}

void Engine::store(const hooks::Object& object, const Bits& value, std::memory_order order, Site site) {
  if (planting_.is_unobserved(site)) {
    latest(object, site).writes.back().value = value;
    return;
  }
  const bool dropped = plant(site, order);
  const bool sc = is_sc(order);
  step({Kind::kWrite, sc, key(object)}, true);
  Variable& v = touch(object, site);
  ModelThread& me = *current_;
  const std::string text = tracing_ ? "= " + to_text(value, v.size) + " " + name(order) : std::string();
  if (dropped) {
    if (tracing_) trace(me.id, "store (left out)", &v, {site, nullptr}, text);
    return;
  }
  if (sc) commit_all(me);
  if (!sc && may_delay() && choose(2) == 1) {
    ++delayed_stores_;
    me.delayed.push_back(
        {&v, value, releases(order), site, is_release(order) && !me.delayed.empty(), reduction_.last_step(), false});
    reduction_.moved(kMaxThreads + me.id);
    if (tracing_) trace(me.id, "store (delayed)", &v, {site, nullptr}, text);
    return;
  }
  commit_all(me);
  append(me, v, value, releases(order), sc);
  if (tracing_) trace(me.id, "store", &v, {site, nullptr}, text);
}

Bits Engine::modify(const hooks::Object& object, hooks::Modify function, const Bits& operand, std::memory_order order,
                    Site site, const char* what) {
  if (planting_.is_unobserved(site)) {
    Bits& value = latest(object, site).writes.back().value;
    return std::exchange(value, function(value, operand));
  }
  const bool dropped = plant(site, order);
  step({Kind::kWrite, is_sc(order), key(object)}, true);
  Variable& v = touch(object, site);
  ModelThread& me = *current_;
  commit_all(me);
  const auto latest = static_cast<std::uint32_t>(v.writes.size() - 1);
  const Bits old = read(v, latest, order);
  const Bits value = function(old, operand);
  if (!dropped) {
    Knowledge released = releases(order);
    released.join(v.writes.back().released);
    append(me, v, value, released, is_sc(order));
  }
  if (tracing_) {
    trace(me.id, what, &v, {site, nullptr},
          to_text(old, v.size) + " -> " + to_text(value, v.size) + " " + name(order) + (dropped ? ", left out" : ""));
  }
  return old;
}

bool Engine::compare_exchange(const hooks::Object& object, Bits& expected, const Bits& desired,
                              std::memory_order success, std::memory_order failure, bool weak, Site site) {
  std::memory_order order = success;
  const bool dropped = plant(site, order);
  if (order != success) failure = std::memory_order_relaxed;
  step({Kind::kWrite, is_sc(order) || is_sc(failure), key(object)}, true);
  Variable& v = touch(object, site);
  ModelThread& me = *current_;
  commit_all(me);
  const std::uint32_t position = choose_write(v, failure, &expected);
  const bool equal = v.writes[position].value == expected;
  if (equal && weak && me.id != 0 &&
      (options_.spurious_failures < 0 || spurious_failures_ < options_.spurious_failures) && choose(2) == 1) {
    ++spurious_failures_;
    read(v, position, failure);
    if (tracing_) trace(me.id, "compare_exchange", &v, {site, nullptr}, "fails spuriously");
    return false;
  }
  const Bits old = read(v, position, equal ? order : failure);
  if (tracing_) {
    trace(me.id, "compare_exchange", &v, {site, nullptr},
          equal ? to_text(old, v.size) + " -> " + to_text(desired, v.size) + " " + name(order) +
                      (dropped ? ", left out" : "")
                : "fails: " + to_text(old, v.size) + ", not " + to_text(expected, v.size) + " " + name(failure) +
                      describe_write(v, position));
  }
  if (!equal) {
    note_spin(v, position, site.line);
    expected = old;
    return false;
  }
  if (!dropped) {
    Knowledge released = releases(order);
    released.join(v.writes.back().released);
    append(me, v, desired, released, is_sc(order));
  }
  return true;
}

void Engine::wait(const hooks::Object& object, const Bits& old, std::memory_order order, Site site) {
  if (plant(site, order)) return;
  step({Kind::kWrite, is_sc(order), key(object)}, true);
  Variable& v = touch(object, site);
  ModelThread& me = *current_;
  commit_all(me);
  std::uint32_t position = choose_write(v, order, nullptr);
  // An old write of that value is seen by the load; going to sleep compares with the latest one.
  while (read(v, position, order) == old) {
    const auto latest = static_cast<std::uint32_t>(v.writes.size() - 1);
    if (position == latest) {
      if (tracing_) trace(me.id, "wait", &v, {site, nullptr}, "while " + to_text(old, v.size));
      block(v, old);
      tick(me);
      check_alive(v, {site, nullptr});
      position = static_cast<std::uint32_t>(v.writes.size() - 1);
    } else {
      position = latest;
    }
  }
  if (tracing_) {
    trace(me.id, "wait ends", &v, {site, nullptr},
          to_text(v.writes[position].value, v.size) + describe_write(v, position));
  }
}

void Engine::notify(const hooks::Object& object, bool all, Site site) {
  std::memory_order order = std::memory_order_relaxed;
  const bool dropped = plant(site, order);
  step({Kind::kWrite, false, key(object)}, true);
  Variable& v = touch(object, site);
  commit_all(*current_);
  if (tracing_) {
    trace(current_->id, all ? "notify_all" : "notify_one", &v, {site, nullptr}, dropped ? "left out" : "");
  }
  if (!dropped) wake_waiters(v, all);
}

// As notify_one(), of a variable that may be gone: the address is all that is used.
void Engine::wake(const void* address, Site site) {
  std::memory_order order = std::memory_order_relaxed;
  const bool dropped = plant(site, order);
  step({Kind::kWrite, false, reinterpret_cast<std::uintptr_t>(address)}, true);
  tick(*current_);
  commit_all(*current_);
  const Variable* const v = variables_.find(address);
  if (tracing_) trace(current_->id, "futex_wake", v, {site, nullptr}, dropped ? "left out" : "");
  if (v != nullptr && !dropped) wake_waiters(*v, false);
}

void Engine::wake_waiters(const Variable& v, bool all) {
  std::vector<ModelThread*> waiters;
  for (ModelThread& thread : threads_) {
    if (thread.state == ModelThread::State::kWaiting && thread.awaits == &v) waiters.push_back(&thread);
  }
  if (waiters.empty()) return;
  if (!all) waiters = {waiters[choose(static_cast<std::uint32_t>(waiters.size()))]};
  for (ModelThread* waiter : waiters) waiter->state = ModelThread::State::kReady;
}

// An acquire or release fence is the thread's own affair, so it is no step unless it makes stores visible.
void Engine::fence(std::memory_order order, Site site) {
  const bool dropped = plant(site, order);
  if (dropped || order == std::memory_order_relaxed) {
    if (tracing_) trace(current_->id, "fence (left out)", nullptr, {site, nullptr}, "");
    return;
  }
  ModelThread& me = *current_;
  const bool drains = is_sc(order) || options_.memory == Memory::kRelaxed;
  if (is_sc(order) || (drains && !me.delayed.empty())) step({Kind::kFence, is_sc(order), 0}, drains);
  tick(me);
  if (drains) commit_all(me);
  for (Delayed& store : me.delayed) store.pinned = true;
  fence_of(me, order);
  if (tracing_) trace(me.id, "fence", nullptr, {site, nullptr}, name(order));
}

// Costs nothing, and is no step, unless a store was delayed: it is the compiler that is no longer free to delay it.
void Engine::compiler_fence(Site site) {
  std::memory_order order = std::memory_order_seq_cst;
  const bool dropped = plant(site, order) || order == std::memory_order_relaxed;
  ModelThread& me = *current_;
  if (tracing_) trace(me.id, dropped ? "compiler fence (left out)" : "compiler fence", nullptr, {site, nullptr}, "");
  if (dropped || me.delayed.empty()) return;
  step({Kind::kFence}, true);
  if (options_.memory == Memory::kRelaxed) commit_all(me);
  for (Delayed& store : me.delayed) store.pinned = true;
}

void Engine::yield(Site site) {
  if (current_->id == 0) return;
  if (tracing_) trace(current_->id, "yield", nullptr, {site, nullptr}, "");
  park();
}

bool Engine::membarrier_register() { return options_.membarrier != Membarrier::kRefusedAtStart; }

// The fence that another thread's membarrier puts between two of this one's steps.
void Engine::meet_membarrier(ModelThread& thread) {
  while (!thread.delayed.empty() && thread.delayed.front().pinned) commit(thread);
  fence_of(thread, std::memory_order_seq_cst);
  if (tracing_ && thread.fence_due) trace(thread.id, "meets the membarrier", nullptr, {}, "");
  thread.fence_due = false;
}

bool Engine::membarrier_call(Site site) {
  std::memory_order order = std::memory_order_seq_cst;
  if (plant(site, order) || order == std::memory_order_relaxed) {
    if (tracing_) trace(current_->id, "membarrier (left out)", nullptr, {site, nullptr}, "");
    return true;
  }
  if (options_.membarrier == Membarrier::kRefusedAtStart) return false;
  step({}, true);
  tick(*current_);
  if (options_.membarrier == Membarrier::kMayFailLater && current_->id != 0 && choose(2) == 1) {
    if (tracing_) trace(current_->id, "membarrier", nullptr, {site, nullptr}, "refused");
    return false;
  }
  commit_all(*current_);
  fence_of(*current_, std::memory_order_seq_cst);
  if (options_.membarrier_at_once || current_->id == 0) {
    for (int id = 1; id < thread_count_; ++id) meet_membarrier(threads_[id]);
    // Again, for what the later ones knew.
    for (int id = 1; id < thread_count_; ++id) fence_of(threads_[id], std::memory_order_seq_cst);
  } else {
    for (int id = 1; id < thread_count_; ++id) threads_[id].fence_due = id != current_->id;
    if (tracing_) trace(current_->id, "membarrier begins", nullptr, {site, nullptr}, "");
    current_->calls_membarrier = true;
    step({}, true);
    current_->calls_membarrier = false;
    tick(*current_);
  }
  fence_of(*current_, std::memory_order_seq_cst);
  if (tracing_) trace(current_->id, "membarrier", nullptr, {site, nullptr}, "");
  return true;
}

}  // namespace scree::model
