// SPDX-License-Identifier: Apache-2.0
//
// What is not atomic: plain accesses, construction, destruction, the heap, and mutexes. All of it is checked by
// happens-before, so it needs no steps of its own: whoever conflicts without being ordered is found in any schedule.

#include <cstring>

#include "engine.h"

namespace scree::model {
namespace {

constexpr int kFreed = 0xDD;

}  // namespace

// Fails unless the current thread knows of what `thread` did at `time`.
void Engine::check_order(int thread, Time time, const Place& earlier, Error error, const Variable& v, const char* what,
                         const Place& place) {
  if (thread == current_->id || current_->now.happened[thread] >= time) return;
  fail(error, "T" + std::to_string(current_->id) + " " + what + " " + name_of(v) + " at " + text_of(place) +
                  ", not ordered after T" + std::to_string(thread) + " at " + text_of(earlier));
}

void Engine::check_alive(const Variable& v, const Place& place) {
  if (v.state != Variable::State::kAlive) {
    fail(Error::kUseAfterFree, "T" + std::to_string(current_->id) + " touches " + name_of(v) + " at " + text_of(place) +
                                   ", which T" + std::to_string(v.destroyer) +
                                   (v.state == Variable::State::kFreed ? " freed at " : " destroyed at ") +
                                   text_of(v.destroyed_at));
  }
  check_order(v.constructor, v.constructed, {}, Error::kDataRace, v, "touches", place);
}

// What lies at the address. It may be new to the engine: constructed before the execution, or without a constructor.
Variable& Engine::variable_at(const void* address, Variable::Kind kind, const Place& place) {
  Variable* v = variables_.find(address);
  if (v == nullptr || v->kind != kind) {
    v = &register_variable(address, kind);
    v->first = place;
    if (const Block* block = arena_.find(address)) {
      if (block->freed) {
        v->state = Variable::State::kFreed;
        v->destroyer = block->freed_by;
        v->destroyed_at = {{nullptr, 0}, block->freed_at};
      }
      v->constructor = block->thread;
      v->constructed = block->time;
    }
  } else if (v->first.site.file == nullptr && v->first.caller == nullptr) {
    v->first = place;
  }
  check_alive(*v, place);
  return *v;
}

Variable& Engine::register_variable(const void* address, Variable::Kind kind) {
  Variable& v = variables_.add(address, kind);
  if (Block* block = arena_.find(address)) {
    v.next_in_block = block->first_variable;
    block->first_variable = v.number;
  }
  return v;
}

void Engine::construct_atomic(const hooks::Object& object) {
  Variable& v = register_variable(object.address, Variable::Kind::kAtomic);
  v.size = object.size;
  v.constructor = current_->id;
  v.constructed = plain_time();
  v.writes.push_back({object.stored, {}, current_->id, steps_});
}

void Engine::construct_plain(const void* address, const void* caller) {
  Variable& v = register_variable(address, Variable::Kind::kPlain);
  v.constructor = current_->id;
  v.constructed = plain_time();
  v.first.caller = caller;
}

void Engine::access_plain(const void* address, bool write, const void* caller) {
  const Place place{{nullptr, 0}, caller};
  Variable& v = variable_at(address, Variable::Kind::kPlain, place);
  check_order(v.writer, v.write.time, v.write.place, Error::kDataRace, v, write ? "writes" : "reads", place);
  if (!write) {
    v.accesses[current_->id] = {plain_time(), place};
    return;
  }
  for (int id = 0; id < thread_count_; ++id) {
    check_order(id, v.accesses[id].time, v.accesses[id].place, Error::kDataRace, v, "writes", place);
  }
  v.writer = current_->id;
  v.write = {plain_time(), place};
}

void Engine::end_of_life(Variable& v, Variable::State state, const Place& place) {
  const char* what = state == Variable::State::kFreed ? "frees" : "destroys";
  check_order(v.constructor, v.constructed, {}, Error::kUnorderedFree, v, what, place);
  check_order(v.writer, v.write.time, v.write.place, Error::kUnorderedFree, v, what, place);
  for (int id = 0; id < thread_count_; ++id) {
    check_order(id, v.accesses[id].time, v.accesses[id].place, Error::kUnorderedFree, v, what, place);
  }
  if (forwarded(v) != nullptr) commit_all(*current_);
  v.state = state;
  v.destroyer = current_->id;
  v.destroyed_at = place;
}

void Engine::destroy(const void* address, const void* caller) {
  const Place place{{nullptr, 0}, caller};
  Variable* v = variables_.find(address);
  if (v == nullptr) v = &register_variable(address, Variable::Kind::kPlain);
  if (v->state != Variable::State::kAlive) {
    fail(Error::kDoubleFree, "T" + std::to_string(current_->id) + " destroys " + name_of(*v) + " at " + text_of(place) +
                                 ", which T" + std::to_string(v->destroyer) + " did at " + text_of(v->destroyed_at));
  }
  end_of_life(*v, Variable::State::kDestroyed, place);
}

void* Engine::allocate(std::size_t size, std::size_t alignment, const void* caller) {
  if (current_->id != 0 && (options_.allocation_failures < 0 || allocation_failures_ < options_.allocation_failures) &&
      choose(2) == 1) {
    ++allocation_failures_;
    if (tracing_) trace(current_->id, "allocation fails", nullptr, {{nullptr, 0}, caller}, "");
    return nullptr;
  }
  void* memory = arena_.allocate(size, alignment);
  if (memory == nullptr) fail(Error::kBadTest, "the heap of the execution is full");
  Block& block = arena_.last();
  block.caller = caller;
  block.thread = static_cast<std::int16_t>(current_->id);
  block.time = plain_time();
  return memory;
}

void* Engine::allocate_for_engine(std::size_t size, std::size_t alignment) {
  void* memory = arena_.allocate(size, alignment);
  if (memory == nullptr) fail(Error::kBadTest, "the heap of the execution is full");
  arena_.last().engine = true;
  return memory;
}

void Engine::deallocate(void* memory, const void* caller) {
  const Place place{{nullptr, 0}, caller};
  Block* block = arena_.find(memory);
  if (block == nullptr || block->begin != reinterpret_cast<std::uintptr_t>(memory)) {
    fail(Error::kDoubleFree, "T" + std::to_string(current_->id) + " frees what is no block at " + text_of(place));
  }
  if (block->freed) {
    fail(Error::kDoubleFree, "T" + std::to_string(current_->id) + " frees at " + text_of(place) + " what T" +
                                 std::to_string(block->freed_by) + " freed at " +
                                 text_of(Place{{nullptr, 0}, block->freed_at}));
  }
  if (tracing_) trace(current_->id, "free", nullptr, place, "");
  for (int n = block->first_variable; n >= 0; n = variables_.at(n).next_in_block) {
    Variable& v = variables_.at(n);
    if (v.state == Variable::State::kAlive && variables_.find(reinterpret_cast<void*>(v.address)) == &v) {
      end_of_life(v, Variable::State::kFreed, place);
    }
  }
  block->freed = true;
  block->freed_by = current_->id;
  block->freed_at = caller;
  std::memset(memory, kFreed, block->size);
}

void Engine::check_leaks() {
  if (!options_.check_leaks) return;
  for (const Block& block : arena_.blocks()) {
    if (block.freed || block.engine) continue;
    fail(Error::kLeak, std::to_string(block.size) + " bytes that T" + std::to_string(block.thread) + " allocated at " +
                           text_of(Place{{nullptr, 0}, block.caller}));
  }
}

void Engine::lock(const void* mutex, const void* caller) {
  const Place place{{nullptr, 0}, caller};
  ModelThread& me = *current_;
  // Registered before the step: whether the thread can take it depends on its owner.
  me.wants = &variable_at(mutex, Variable::Kind::kMutex, place);
  step({Intent::Kind::kWrite, false, reinterpret_cast<std::uintptr_t>(mutex), true}, true);
  me.wants = nullptr;
  commit_all(me);
  tick(me);
  Variable& v = variable_at(mutex, Variable::Kind::kMutex, place);
  if (v.owner >= 0) fail(Error::kDeadlock, "a thread locks " + name_of(v) + " twice");
  v.owner = me.id;
  v.accesses[me.id] = {me.time(), place};
  me.now.join(v.unlocked);
  if (tracing_) trace(me.id, "lock", &v, place, "");
}

bool Engine::try_lock(const void* mutex, const void* caller) {
  const Place place{{nullptr, 0}, caller};
  ModelThread& me = *current_;
  step({Intent::Kind::kWrite, false, reinterpret_cast<std::uintptr_t>(mutex)}, true);
  commit_all(me);
  tick(me);
  Variable& v = variable_at(mutex, Variable::Kind::kMutex, place);
  v.accesses[me.id] = {me.time(), place};
  const bool locked = v.owner < 0;
  if (locked) {
    v.owner = me.id;
    me.now.join(v.unlocked);
  }
  if (tracing_) trace(me.id, "try_lock", &v, place, locked ? "locked" : "fails");
  return locked;
}

void Engine::unlock(const void* mutex, const void* caller) {
  const Place place{{nullptr, 0}, caller};
  ModelThread& me = *current_;
  step({Intent::Kind::kWrite, false, reinterpret_cast<std::uintptr_t>(mutex), false, true}, true);
  commit_all(me);
  tick(me);
  Variable& v = variable_at(mutex, Variable::Kind::kMutex, place);
  if (v.owner != me.id) fail(Error::kCheck, "a thread unlocks " + name_of(v) + " that it does not hold");
  v.accesses[me.id] = {me.time(), place};
  v.owner = -1;
  v.unlocked = me.now;
  if (tracing_) trace(me.id, "unlock", &v, place, "");
}

}  // namespace scree::model
