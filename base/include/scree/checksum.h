// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <string_view>

namespace scree {

// XXH3, 64 bits. A seed that names the owner of the data makes another owner's bytes fail the check.
[[nodiscard]] std::uint64_t checksum64(std::string_view data, std::uint64_t seed) noexcept;

}  // namespace scree
