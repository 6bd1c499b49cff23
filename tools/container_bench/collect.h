// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <scree/ebr.h>
#include <scree/status.h>

#include <chrono>

namespace scree::bench {

// Frees all that waits for reclamation; an error if something goes on waiting though nobody is inside a barrier.
inline Status collect_everything() {
  using Clock = std::chrono::steady_clock;
  constexpr std::chrono::seconds kLongEnough{60};
  const Clock::time_point begin = Clock::now();
  while (ebr::collect()) {
    if (Clock::now() - begin > kLongEnough) {
      return Status::timed_out("garbage of ebr waits for reclamation although no barrier is held");
    }
  }
  return Status::ok();
}

}  // namespace scree::bench
