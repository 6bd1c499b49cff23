// SPDX-License-Identifier: Apache-2.0
//
// The functions that the model's headers declare: each leaves the program for the engine.

#include "scree_model/hooks.h"

#include "engine.h"
#include "scree_model/atomic.h"
#include "scree_model/platform.h"

namespace scree::model {
namespace hooks {

void construct_atomic(const Object& object) noexcept {
  const InEngine in_engine;
  Engine::instance().construct_atomic(object);
}
void destroy(const void* address) noexcept {
  const InEngine in_engine;
  Engine::instance().destroy(address, __builtin_return_address(0));
}
Bits load(const Object& object, std::memory_order order, Site site) noexcept {
  const InEngine in_engine;
  return Engine::instance().load(object, order, site);
}
void store(const Object& object, const Bits& value, std::memory_order order, Site site) noexcept {
  const InEngine in_engine;
  Engine::instance().store(object, value, order, site);
}
Bits modify(const Object& object, Modify function, const Bits& operand, std::memory_order order, Site site,
            const char* what) noexcept {
  const InEngine in_engine;
  return Engine::instance().modify(object, function, operand, order, site, what);
}
bool compare_exchange(const Object& object, Bits& expected, const Bits& desired, std::memory_order success,
                      std::memory_order failure, bool weak, Site site) noexcept {
  const InEngine in_engine;
  return Engine::instance().compare_exchange(object, expected, desired, success, failure, weak, site);
}
void wait(const Object& object, const Bits& old, std::memory_order order, Site site) noexcept {
  const InEngine in_engine;
  Engine::instance().wait(object, old, order, site);
}
void notify(const Object& object, bool all, Site site) noexcept {
  const InEngine in_engine;
  Engine::instance().notify(object, all, site);
}
void fence(std::memory_order order, Site site) noexcept {
  const InEngine in_engine;
  Engine::instance().fence(order, site);
}
void compiler_fence(Site site) noexcept {
  const InEngine in_engine;
  Engine::instance().compiler_fence(site);
}
void construct_plain(const void* address) noexcept {
  const InEngine in_engine;
  Engine::instance().construct_plain(address, __builtin_return_address(0));
}
void read_plain(const void* address) noexcept {
  const InEngine in_engine;
  Engine::instance().access_plain(address, false, __builtin_return_address(0));
}
void write_plain(const void* address) noexcept {
  const InEngine in_engine;
  Engine::instance().access_plain(address, true, __builtin_return_address(0));
}

}  // namespace hooks

bool membarrier_register() noexcept {
  if (!hooks::active) return true;
  const InEngine in_engine;
  return Engine::instance().membarrier_register();
}
bool membarrier_call(const char* file, int line) noexcept {
  if (!hooks::active) return true;
  const InEngine in_engine;
  return Engine::instance().membarrier_call({file, line});
}
void futex_wait(const Atomic<std::uint32_t>& word, std::uint32_t old, const char* file, int line) noexcept {
  word.wait(old, std::memory_order_relaxed, file, line);
}
void futex_wake(const void* word, const char* file, int line) noexcept {
  if (!hooks::active) return;
  const InEngine in_engine;
  Engine::instance().wake(word, {file, line});
}
void at_thread_exit(void (*function)(void*), void* argument) {
  if (!hooks::active) return;
  const InEngine in_engine;
  Engine::instance().at_thread_exit(function, argument);
}
void sync_point(const char* name) noexcept {
  if (!hooks::active) return;
  const InEngine in_engine;
  Engine::instance().sync_point(name);
}
void yield(const char* file, int line) noexcept {
  if (!hooks::active) return;
  const InEngine in_engine;
  Engine::instance().yield({file, line});
}

void check(bool condition, const char* what) {
  if (condition || !hooks::active) return;
  const InEngine in_engine;
  Engine::instance().fail(Error::kCheck, what);
}
bool planted(const char* name) {
  const InEngine in_engine;
  return Engine::instance().planted(name);
}
void label(const void* address, const char* name) {
  const InEngine in_engine;
  Engine::instance().label(address, name);
}

namespace detail {

std::uint64_t execution_number() noexcept { return Engine::instance().execution_number(); }
int thread_number() noexcept { return Engine::instance().thread_number(); }
void* construct_per_execution(std::size_t size, std::size_t alignment, void (*construct)(void*),
                              void (*destroy)(void*)) {
  const InEngine in_engine;
  return Engine::instance().construct_per_execution(size, alignment, construct, destroy);
}

}  // namespace detail
}  // namespace scree::model
