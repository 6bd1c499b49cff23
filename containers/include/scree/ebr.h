// SPDX-License-Identifier: Apache-2.0
//
// Epoch-based reclamation: memory that other threads may be reading is freed once every barrier that could have
// reached it has ended. After K. Fraser, "Practical lock-freedom" (2004), with an asymmetric fence: entering
// a barrier costs a plain store, the reclaimer pays. Protocol: docs/protocols/epoch.md.
//
//   Barrier                what it was possible to reach while one is held stays allocated until it ends
//   Arc, AtomicArc         an owning, counted pointer and a tagged atomic one; the last owner retires the instance
//   Owned, AtomicOwned     the same for a single owner, without the count
//   Ptr                    borrowed from one of them under a barrier
//   suspend, collect       offer the calling thread's garbage to others; free what can be freed
//   stats, on_backlog      how much waits, and why

#pragma once

#include <scree/ebr_arc.h>
#include <scree/ebr_barrier.h>
#include <scree/ebr_owned.h>
