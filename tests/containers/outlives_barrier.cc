// SPDX-License-Identifier: Apache-2.0
//
// Borrowed pointers that outlive their barriers, for clang to warn of; where OUTLIVES is 0, one that does not.

#include <scree/ebr.h>

using scree::memory_order_acquire;
using scree::ebr::Arc;
using scree::ebr::AtomicArc;
using scree::ebr::AtomicOwned;
using scree::ebr::Barrier;
using scree::ebr::OwnedPtr;
using scree::ebr::Ptr;

#if OUTLIVES == 0
Ptr<int> of_the_callers(const AtomicArc<int>& shared, const Barrier& barrier) {
  return shared.load(memory_order_acquire, barrier);
}
#elif OUTLIVES == 1
Ptr<int> of_an_atomic_arc(const AtomicArc<int>& shared) {
  const Barrier barrier;
  return shared.load(memory_order_acquire, barrier);
}
#elif OUTLIVES == 2
Ptr<int> of_an_arc(const Arc<int>& arc) {
  const Barrier barrier;
  return arc.ptr(barrier);
}
#elif OUTLIVES == 3
OwnedPtr<int> of_an_atomic_owned(const AtomicOwned<int>& shared) {
  const Barrier barrier;
  return shared.load(memory_order_acquire, barrier);
}
#endif
