// SPDX-License-Identifier: Apache-2.0

#include <scree/checksum.h>

#include <xxhash.h>

namespace scree {

std::uint64_t checksum64(std::string_view data, std::uint64_t seed) noexcept {
  return XXH3_64bits_withSeed(data.data(), data.size(), seed);
}

}  // namespace scree
