// SPDX-License-Identifier: Apache-2.0
//
// What the explorer takes over from the C++ runtime, for the whole program: operator new and delete, mutexes, assert,
// and crashes. Outside of executions all of them do what they always do.

#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <ucontext.h>

#include <cstdio>
#include <cstdlib>
#include <new>

#include "engine.h"

namespace scree::model {
namespace {

void* allocate(std::size_t size, std::size_t alignment, const void* caller) {
  if (!hooks::active) {
    return alignment <= __STDCPP_DEFAULT_NEW_ALIGNMENT__
               ? std::malloc(size == 0 ? 1 : size)
               : std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
  }
  const InEngine in_engine;
  return Engine::instance().allocate(size, alignment, caller);
}

void* allocate_or_throw(std::size_t size, std::size_t alignment, const void* caller) {
  void* memory = allocate(size, alignment, caller);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

void deallocate(void* memory, const void* caller) noexcept {
  if (memory == nullptr) return;
  if (!Engine::instance().owns(memory)) {
    std::free(memory);
  } else if (hooks::active) {
    const InEngine in_engine;
    Engine::instance().deallocate(memory, caller);
  }
  // Otherwise its execution is over, and the block with it.
}

template <class Function>
Function next_definition(const char* name) {
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

void on_signal(int signal, siginfo_t*, void* context) {
  if (!Engine::instance().executing()) {
    ::signal(signal, SIG_DFL);
    ::raise(signal);
    return;
  }
  const auto at = static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_RIP];
  Engine::instance().crash(signal, reinterpret_cast<const void*>(at));
}

// A stack overflow is a crash, too, so the handler has a stack of its own.
const bool handlers_installed = [] {
  static char stack[64 << 10];
  stack_t alternate{};
  alternate.ss_sp = stack;
  alternate.ss_size = sizeof stack;
  ::sigaltstack(&alternate, nullptr);
  struct sigaction action {};
  action.sa_sigaction = on_signal;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  for (const int signal : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT}) ::sigaction(signal, &action, nullptr);
  return true;
}();

}  // namespace
}  // namespace scree::model

using scree::model::Engine;
using scree::model::InEngine;

void* operator new(std::size_t size) {
  return scree::model::allocate_or_throw(size, __STDCPP_DEFAULT_NEW_ALIGNMENT__, __builtin_return_address(0));
}
void* operator new[](std::size_t size) {
  return scree::model::allocate_or_throw(size, __STDCPP_DEFAULT_NEW_ALIGNMENT__, __builtin_return_address(0));
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  return scree::model::allocate_or_throw(size, static_cast<std::size_t>(alignment), __builtin_return_address(0));
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
  return scree::model::allocate_or_throw(size, static_cast<std::size_t>(alignment), __builtin_return_address(0));
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return scree::model::allocate(size, __STDCPP_DEFAULT_NEW_ALIGNMENT__, __builtin_return_address(0));
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return scree::model::allocate(size, __STDCPP_DEFAULT_NEW_ALIGNMENT__, __builtin_return_address(0));
}
void* operator new(std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return scree::model::allocate(size, static_cast<std::size_t>(alignment), __builtin_return_address(0));
}
void* operator new[](std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return scree::model::allocate(size, static_cast<std::size_t>(alignment), __builtin_return_address(0));
}
void operator delete(void* memory) noexcept { scree::model::deallocate(memory, __builtin_return_address(0)); }
void operator delete[](void* memory) noexcept { scree::model::deallocate(memory, __builtin_return_address(0)); }
void operator delete(void* memory, std::size_t) noexcept {
  scree::model::deallocate(memory, __builtin_return_address(0));
}
void operator delete[](void* memory, std::size_t) noexcept {
  scree::model::deallocate(memory, __builtin_return_address(0));
}
void operator delete(void* memory, std::align_val_t) noexcept {
  scree::model::deallocate(memory, __builtin_return_address(0));
}
void operator delete[](void* memory, std::align_val_t) noexcept {
  scree::model::deallocate(memory, __builtin_return_address(0));
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  scree::model::deallocate(memory, __builtin_return_address(0));
}
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept {
  scree::model::deallocate(memory, __builtin_return_address(0));
}
void operator delete(void* memory, const std::nothrow_t&) noexcept {
  scree::model::deallocate(memory, __builtin_return_address(0));
}
void operator delete[](void* memory, const std::nothrow_t&) noexcept {
  scree::model::deallocate(memory, __builtin_return_address(0));
}

extern "C" {

// std::mutex is a pthread_mutex_t.
int pthread_mutex_lock(pthread_mutex_t* mutex) noexcept {
  if (!scree::model::hooks::active) {
    static const auto next = scree::model::next_definition<int (*)(pthread_mutex_t*)>("pthread_mutex_lock");
    return next(mutex);
  }
  const InEngine in_engine;
  Engine::instance().lock(mutex, __builtin_return_address(0));
  return 0;
}

int pthread_mutex_trylock(pthread_mutex_t* mutex) noexcept {
  if (!scree::model::hooks::active) {
    static const auto next = scree::model::next_definition<int (*)(pthread_mutex_t*)>("pthread_mutex_trylock");
    return next(mutex);
  }
  const InEngine in_engine;
  return Engine::instance().try_lock(mutex, __builtin_return_address(0)) ? 0 : EBUSY;
}

int pthread_mutex_unlock(pthread_mutex_t* mutex) noexcept {
  if (!scree::model::hooks::active) {
    static const auto next = scree::model::next_definition<int (*)(pthread_mutex_t*)>("pthread_mutex_unlock");
    return next(mutex);
  }
  const InEngine in_engine;
  Engine::instance().unlock(mutex, __builtin_return_address(0));
  return 0;
}

[[noreturn]] void __assert_fail(const char* assertion, const char* file, unsigned int line, const char*) noexcept {
  if (scree::model::hooks::active) {
    const InEngine in_engine;
    Engine::instance().fail(scree::model::Error::kCheck,
                            std::string("assertion at ") + file + ':' + std::to_string(line) + ": " + assertion);
  }
  std::fprintf(stderr, "%s:%u: assertion failed: %s\n", file, line, assertion);
  std::abort();
}

}  // extern "C"
