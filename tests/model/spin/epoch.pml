// SPDX-License-Identifier: Apache-2.0
//
// Barriers, seals and advances of docs/protocols/epoch.md for Spin; steps by their names there. run_spin.py runs it,
// CMakeLists.txt says how. A few threads go on for ever; what each may do, ROLES0, ROLES1, … say. BUG_… plants a bug.
//
// Of epochs only the order matters, not the distance: shrink() closes the gaps between those in use. So the states are
// few, and the search is complete for any number of operations.
//
// Simplified, each time to the worst case: a thread advances whenever it likes; each object has a bag of its own, which is
// freed at the moment when it may be, whoever holds it (claims.pml is about who does). Nothing is weaker than x86-TSO.

#ifndef ROLES2
#define ROLES2 0
#endif
#ifndef ROLES3
#define ROLES3 0
#endif
#if ROLES3
#define THREADS 4
#elif ROLES2
#define THREADS 3
#else
#define THREADS 2
#endif
#ifndef OBJECTS
#define OBJECTS 2
#endif

#define READ 1    // barriers that read a stack
#define POP 2     // and retire
#define ADVANCE 4
#define PUSH 8
#define NESTED 16 // pops and advances inside barriers, too
#define ROLES(thread) (thread == 0 -> ROLES0 : (thread == 1 -> ROLES1 : (thread == 2 -> ROLES2 : ROLES3)))
#define MAY(role) ((ROLES(me) & (role)) != 0)

#define ROOT 0
#define ANNOUNCED(thread) (1 + (thread))
#define LOCATIONS (1 + THREADS)
#include "tso.pml"

// Values of `announced`; greater ones are epochs.
#define IDLE 0
#define FIRST_EPOCH 1
#define NO_EPOCH 255

// Only locked instructions change them, so they need no buffers.
byte epoch = FIRST_EPOCH
byte grace = FIRST_EPOCH

#define FREED 0
#define LINKED 1
#define UNLINKED 2
#define SEALED 3
byte state[OBJECTS + 1]
byte next[OBJECTS + 1] // in the stack; 0 is no object
byte stamp[OBJECTS + 1]

// What threads have in hand, as far as shrink() and push() must see it.
byte own_epoch[THREADS]
byte own_t[THREADS]
byte own_m[THREADS]
byte own_stamp[THREADS]
byte reached[THREADS]
byte reached_next[THREADS]

hidden byte used_after_free
hidden byte o_
hidden byte r_
hidden byte v_
hidden byte w_
hidden byte any_

// What follows stands inside d_step, up to the steps.

#define IS_EPOCH(slot) (where[slot] >= ANNOUNCED(0))

inline shrink() {
  v_ = FIRST_EPOCH;
  do
  :: v_ < epoch ->
    any_ = (grace == v_);
    for (o_ : 1 .. OBJECTS) { any_ = any_ || stamp[o_] == v_ }
    for (r_ : 0 .. THREADS - 1) {
      any_ = any_ || mem[ANNOUNCED(r_)] == v_ || own_epoch[r_] == v_;
      any_ = any_ || own_t[r_] == v_ || own_m[r_] == v_ || own_stamp[r_] == v_
    }
    for (w_ : 0 .. THREADS * BUFFER - 1) { any_ = any_ || (IS_EPOCH(w_) && value[w_] == v_) }
    if
    :: any_ -> v_++
    :: else ->
      epoch--;
      grace = grace - (grace > v_);
      for (o_ : 1 .. OBJECTS) { stamp[o_] = stamp[o_] - (stamp[o_] > v_) }
      for (r_ : 0 .. THREADS - 1) {
        mem[ANNOUNCED(r_)] = mem[ANNOUNCED(r_)] - (mem[ANNOUNCED(r_)] > v_);
        own_epoch[r_] = own_epoch[r_] - (own_epoch[r_] > v_);
        own_t[r_] = own_t[r_] - (own_t[r_] > v_);
        own_m[r_] = own_m[r_] - (own_m[r_] > v_ && own_m[r_] != NO_EPOCH);
        own_stamp[r_] = own_stamp[r_] - (own_stamp[r_] > v_)
      }
      for (w_ : 0 .. THREADS * BUFFER - 1) { value[w_] = value[w_] - (IS_EPOCH(w_) && value[w_] > v_) }
    fi
  :: else -> break
  od;
  v_ = 0
}

inline check_not_freed(object) {
  used_after_free = ((object) != 0 && state[object] == FREED);
  assert(!used_after_free)
}

// F1
#ifdef BUG_FREES_AT_GRACE
#define PAST_GRACE(object) (stamp[object] <= grace)
#else
#define PAST_GRACE(object) (stamp[object] < grace)
#endif
inline free_what_may_be() {
  for (o_ : 1 .. OBJECTS) {
    if
    :: state[o_] == SEALED && PAST_GRACE(o_) -> state[o_] = FREED; stamp[o_] = 0; next[o_] = 0
    :: else
    fi
  }
  shrink()
}

// The steps.

// E2 and E2f
inline announce() {
  d_step {
    CAN_STORE(me) ->
    store(me, ANNOUNCED(me), own_epoch[me]);
    own_epoch[me] = 0;
#if defined(FENCE) && !defined(BUG_NO_LIGHT_FENCE)
    fence(me)
#else
    v_ = 0
#endif
  }
}

#if defined(BUG_NO_LIGHT_FENCE) && !defined(FENCE)
#define ANNOUNCES_LATE // nothing keeps the compiler from moving the announcement behind the section's first load
#endif

// Not of the protocol, so it is one step. An object's number is used again once nothing could take the new object for the
// old one.
inline push() {
  d_step {
    object = 0;
    for (o_ : 1 .. OBJECTS) {
      any_ = (state[o_] != FREED);
      for (r_ : 1 .. OBJECTS) { any_ = any_ || (state[r_] != FREED && next[r_] == o_) }
      for (r_ : 0 .. THREADS - 1) { any_ = any_ || reached[r_] == o_ || reached_next[r_] == o_ }
      object = (any_ -> object : o_)
    }
    if
    :: object != 0 -> fence(me); next[object] = mem[ROOT]; mem[ROOT] = object; state[object] = LINKED
    :: else
    fi;
    object = 0
  }
}

inline pop() {
#ifdef BUG_STAMP_BEFORE_UNLINK
  d_step { fence(me); own_stamp[me] = epoch; epoch++; shrink() }
#endif
#ifdef UNLINK_BY_STORE // there is one thread that pushes and pops
  d_step {
    CAN_STORE(me) ->
    load(me, ROOT, object);
    if
    :: object != 0 -> store(me, ROOT, next[object]); state[object] = UNLINKED
    :: else
    fi;
    v_ = 0
  }
#else
  d_step {
    fence(me);
    object = mem[ROOT];
    if
    :: object != 0 -> mem[ROOT] = next[object]; state[object] = UNLINKED
    :: else
    fi;
    v_ = 0
  }
#endif
}

// S1
inline seal() {
#if defined(BUG_STAMP_BEFORE_UNLINK)
  d_step { stamp[object] = own_stamp[me]; own_stamp[me] = 0; state[object] = SEALED; object = 0; free_what_may_be() }
#elif defined(BUG_STAMP_IS_A_LOAD)
  d_step { stamp[object] = epoch; state[object] = SEALED; object = 0; free_what_may_be() }
  d_step { fence(me); epoch++; shrink() }
#else
  d_step { fence(me); stamp[object] = epoch; epoch++; state[object] = SEALED; object = 0; free_what_may_be() }
#endif
}

// A1
inline take_t() {
  d_step { fence(me); own_t[me] = epoch; epoch++; shrink() }
}

// A2. Each thread has its fence point somewhere within.
inline heavy_fence() {
#if defined(FENCE)
  d_step { fence(me) }
#elif !defined(BUG_NO_HEAVY_FENCE)
  fenced = 1 << me;
  do
  :: d_step { (fenced & 1) == 0 -> fence(0); fenced = fenced | 1 }
  :: d_step { (fenced & 2) == 0 -> fence(1); fenced = fenced | 2 }
#if THREADS > 2
  :: d_step { (fenced & 4) == 0 -> fence(2); fenced = fenced | 4 }
#endif
#if THREADS > 3
  :: d_step { (fenced & 8) == 0 -> fence(3); fenced = fenced | 8 }
#endif
  :: d_step { fenced == (1 << THREADS) - 1 -> fenced = 0 } break
  od
#else
  skip
#endif
}

// A3. Who never announces is never seen.
#define ANNOUNCES(thread) ((ROLES(thread) & READ) != 0)
#ifdef BUG_SCAN_SKIPS_A_RECORD
#define FIRST_RECORD 1
#else
#define FIRST_RECORD 0
#endif
inline scan() {
  d_step { own_m[me] = NO_EPOCH; r = FIRST_RECORD }
  do
  :: d_step {
      r < THREADS ->
      load(me, ANNOUNCED(r), v_);
#ifndef BUG_IDLE_RECORDS_COUNT
      v_ = (v_ == IDLE -> NO_EPOCH : v_);
#endif
      own_m[me] = (v_ < own_m[me] -> v_ : own_m[me]);
      r++;
      do
      :: r < THREADS && !ANNOUNCES(r) -> r++
      :: else -> break
      od;
      v_ = 0
    }
  :: d_step { r == THREADS -> r = 0 } break
  od
}

// A4
inline raise_grace() {
  d_step {
    fence(me);
#if defined(BUG_GRACE_IS_T)
    v_ = own_t[me];
#elif defined(BUG_GRACE_IS_M)
    v_ = (own_m[me] < epoch -> own_m[me] : epoch);
#else
    v_ = (own_m[me] < own_t[me] -> own_m[me] : own_t[me]);
#endif
    grace = (v_ > grace -> v_ : grace);
    own_t[me] = 0;
    own_m[me] = 0;
    free_what_may_be()
  }
}

inline advance() {
#if !defined(BUG_T_AFTER_THE_FENCE) && !defined(BUG_T_AFTER_THE_SCAN)
  take_t();
#endif
  heavy_fence();
#ifdef BUG_T_AFTER_THE_FENCE
  take_t();
#endif
  scan();
#ifdef BUG_T_AFTER_THE_SCAN
  take_t();
#endif
  raise_grace()
}

inline work() {
  if
  :: MAY(POP) -> pop();
    if
    :: object != 0 -> seal()
    :: object == 0
    fi
  :: MAY(ADVANCE) -> advance()
  fi
}

inline section() {
  own_epoch[me] = epoch; // E1
#ifndef ANNOUNCES_LATE
  announce();
#endif
  d_step { load(me, ROOT, reached[me]); check_not_freed(reached[me]) }
#ifdef ANNOUNCES_LATE
  announce();
#endif
  if
  :: d_step {
      reached[me] != 0 && next[reached[me]] != 0 ->
      check_not_freed(reached[me]);
      reached_next[me] = next[reached[me]];
      check_not_freed(reached_next[me])
    }
  :: true
  fi;
  if
  :: MAY(NESTED) -> work()
  :: true
  fi;
  // The last use, and E3.
  d_step {
    CAN_STORE(me) ->
    check_not_freed(reached[me]);
    check_not_freed(reached_next[me]);
    reached[me] = 0;
    reached_next[me] = 0;
    store(me, ANNOUNCED(me), IDLE)
  }
}

proctype Thread(byte me) {
  byte object;
  byte fenced;
  byte r;
end:
  do
  :: MAY(READ) -> section()
  :: MAY(PUSH) -> push()
  :: MAY(POP | ADVANCE) -> work()
  od
}

init {
  d_step {
    for (o_ : 1 .. OBJECTS) { next[o_] = o_ - 1; state[o_] = LINKED }
    mem[ROOT] = OBJECTS
  }
  atomic {
    run Thread(0); run Drain(0); run Thread(1); run Drain(1);
#if THREADS > 2
    run Thread(2); run Drain(2);
#endif
#if THREADS > 3
    run Thread(3); run Drain(3)
#endif
  }
}

#ifdef LIVENESS
ltl everything_is_freed { []<> (state[1] != SEALED) }
#endif
