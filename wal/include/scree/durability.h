// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>

namespace scree {

// What an acknowledged write survives. Chosen per write.
enum class Durability : std::uint8_t {
  kBuffered = 0,  // may be lost with the process
  kProcess = 1,   // survives the death of the process (kill -9); not of the machine
  kDisk = 2,      // survives power loss
};

// What recovery does about damage; what each mode means for this format is in wal/FORMAT.md.
enum class RecoveryMode : std::uint8_t {
  kTolerateCorruptedTailRecords = 0,
  kAbsoluteConsistency = 1,
  kPointInTimeRecovery = 2,
};

}  // namespace scree
