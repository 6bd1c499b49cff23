// SPDX-License-Identifier: Apache-2.0
//
// enter_exit and nested_enter_exit: what a thread pays to begin and end a section in which nothing it reaches is freed.
//
// A way of doing it is a type with two types in it: `Thread`, which lives as long as its thread uses sections, and
// `Section`, which enters when it is made and exits when it is destroyed.

#pragma once

#include <cstdint>

#include "contender.h"
#include "keep.h"
#include "timed_threads.h"

namespace scree::bench {

// Out of line, so that it is found by its name in a disassembly and by callgrind.
template <class Way>
[[gnu::noinline]] void read_section_loop(std::uint64_t operations) {
  for (std::uint64_t i = 0; i < operations; ++i) {
    {
      typename Way::Section section;
      keep_memory();
    }
    keep_memory();
  }
}

// The same loop within a section, under a name of its own.
template <class Way>
[[gnu::noinline]] void nested_section_loop(std::uint64_t operations) {
  typename Way::Section outermost;
  for (std::uint64_t i = 0; i < operations; ++i) {
    {
      typename Way::Section section;
      keep_memory();
    }
    keep_memory();
  }
}

template <class Way>
RunFunction enter_exit() {
  return loop_on_threads<typename Way::Thread>(&read_section_loop<Way>);
}

template <class Way>
RunFunction nested_enter_exit() {
  return loop_on_threads<typename Way::Thread>(&nested_section_loop<Way>);
}

}  // namespace scree::bench
