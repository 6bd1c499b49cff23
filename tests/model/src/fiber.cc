// SPDX-License-Identifier: Apache-2.0
#include "fiber.h"

#include <cxxabi.h>
#include <sys/mman.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#if !defined(__x86_64__)
#error "the explorer switches contexts on x86-64 only"
#endif

extern "C" void scree_model_switch(void** save, void* load);
extern "C" void scree_model_enter();

// The callee-saved registers go onto the stack; everything else is dead across a call. A fresh fiber finds its entry in
// r12 and the argument in r13.
asm(R"(
.text
.globl scree_model_switch
.hidden scree_model_switch
.type scree_model_switch, @function
scree_model_switch:
  .cfi_startproc
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
  .cfi_endproc
.size scree_model_switch, .-scree_model_switch
.globl scree_model_enter
.hidden scree_model_enter
.type scree_model_enter, @function
scree_model_enter:
  .cfi_startproc
  .cfi_undefined rip
  movq %r13, %rdi
  call *%r12
  ud2
  .cfi_endproc
.size scree_model_enter, .-scree_model_enter
)");

namespace scree::model {
namespace {

constexpr std::size_t kStackBytes = 256u << 10;
constexpr std::size_t kGuardBytes = 4096;

void* exceptions_of_this_thread() {
  static void* const globals = abi::__cxa_get_globals();
  return globals;
}

}  // namespace

void Fiber::prepare(void (*entry)(void*), void* argument) {
  if (stack_ == nullptr) {
    void* memory =
        ::mmap(nullptr, kGuardBytes + kStackBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED || ::mprotect(memory, kGuardBytes, PROT_NONE) != 0) {
      std::perror("no stack for a model thread");
      std::abort();
    }
    stack_ = static_cast<std::byte*>(memory);
  }
  // Popped by the switch: r15, r14, r13, r12, rbx, rbp, the return address; then the stack is aligned for a call.
  auto** top = reinterpret_cast<void**>(stack_ + kGuardBytes + kStackBytes) - 2;
  top[-1] = reinterpret_cast<void*>(&scree_model_enter);
  top[-2] = nullptr;
  top[-3] = nullptr;
  top[-4] = reinterpret_cast<void*>(entry);
  top[-5] = argument;
  top[-6] = nullptr;
  top[-7] = nullptr;
  stack_pointer_ = top - 7;
  exceptions_ = {};
}

void Fiber::switch_to(Fiber& from, Fiber& to) {
  void* const current = exceptions_of_this_thread();
  std::memcpy(&from.exceptions_, current, sizeof from.exceptions_);
  std::memcpy(current, &to.exceptions_, sizeof to.exceptions_);
  scree_model_switch(&from.stack_pointer_, to.stack_pointer_);
}

bool Fiber::owns(const void* address) const {
  const auto* byte = static_cast<const std::byte*>(address);
  return stack_ != nullptr && byte >= stack_ && byte < stack_ + kGuardBytes + kStackBytes;
}

}  // namespace scree::model
