// SPDX-License-Identifier: Apache-2.0
//
// scree::Stack and scree::Queue for push_pop.h. Their handles go at once, as most do.

#pragma once

#include <cstdint>

namespace scree::bench {

template <template <class> class Template>
struct HandleWay {
  using Container = Template<std::uint64_t>;
  static void push(Container* container, std::uint64_t number) { container->push(number); }
  static bool pop(Container* container, std::uint64_t* number) {
    const typename Container::Handle popped = container->pop();
    if (popped) *number = *popped;
    return static_cast<bool>(popped);
  }
};

}  // namespace scree::bench
