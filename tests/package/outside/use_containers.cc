// SPDX-License-Identifier: Apache-2.0

#include <cstdint>
#include <cstdio>

#include <scree/tree_index.h>

int main() {
  scree::TreeIndex<std::uint64_t, std::uint64_t> tree;
  if (!tree.insert(1, 2) || tree.insert(1, 3) || !tree.contains(1) || tree.contains(2)) {
    std::fputs("TreeIndex answers wrongly\n", stderr);
    return 1;
  }
  return 0;
}
