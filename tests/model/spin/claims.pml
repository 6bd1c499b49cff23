// SPDX-License-Identifier: Apache-2.0
//
// Who holds the lists of a record, in docs/protocols/epoch.md, for Spin; steps by their names there. run_spin.py runs it,
// CMakeLists.txt says how. Threads retire into their lists, or claim and take those of others, for ever; what each may
// do, ROLES0, ROLES1, … say. BUG_… plants a bug.
//
// Simplified, each time to the worst case: a collector claims whatever record it likes, dormant or not; a grace period may
// be over at once (epoch.pml is about when it is, given that an unlink is visible when its bag is sealed, which is checked
// here); who takes the lists of others and has none that could be claimed frees at once; a barrier announces what kBusy
// does. Nothing is weaker than x86-TSO.

#ifndef ROLES2
#define ROLES2 0
#endif
#if ROLES2
#define THREADS 3
#else
#define THREADS 2
#endif
#ifndef OBJECTS
#define OBJECTS 2
#endif
#ifndef RECORDS
#define RECORDS 1 // threads beyond these have record 0 if they share it, else lists that nobody claims
#endif
#ifndef LIMIT
#define LIMIT 1
#endif

#ifdef LIVENESS
#define ONCE ; break // no thread stays inside for ever, or does nothing for ever
#else
#define ONCE
#endif

#define RETIRE 1
#define COLLECT 2  // F1 on the own list
#define CLAIM 4
#define SHARES 8   // record 0, with others: one at a time, T1 and T2
#define LIMITED 16 // ends after LIMIT turns
#define ROLES(thread) (thread == 0 -> ROLES0 : (thread == 1 -> ROLES1 : ROLES2))
#define MAY(role) ((ROLES(me) & (role)) != 0)
#define HAS_RECORD (me < RECORDS || MAY(SHARES))
#define MINE (me < RECORDS -> me : 0)

#define TAKEN 0
#define LINK(object) (object) // 0 once it is unlinked
#define ANNOUNCED(record) (1 + OBJECTS + (record))
#define CLAIMED_BY(record) (1 + OBJECTS + RECORDS + (record))
#define LIST(record) (1 + OBJECTS + 2 * RECORDS + (record))
#define LOCATIONS (1 + OBJECTS + 3 * RECORDS)
#include "tso.pml"

// Values of `announced`
#define IDLE 0
#define BUSY 1

// Values of `claim`: 0, 1 + the thread that claims, or this.
#define TAKING 15

byte orphans // changed by locked instructions only

#define BIT(object) (1 << ((object) - 1))
#define FREED 0
#define IN_USE 1
#define OPEN 2
#define SEALED 3
byte state[OBJECTS + 1]

byte kept[RECORDS]   // what is on the list, whoever can see it
byte holder[RECORDS] // 1 + the thread
hidden byte freed_twice
hidden byte not_the_holder
hidden byte list_not_current
hidden byte sealed_before_unlink
hidden byte o_
hidden byte v_

// What follows stands inside d_step, up to the steps.

inline begin_to_hold(record) {
  not_the_holder = (holder[record] != 0 && holder[record] != me + 1);
  assert(!not_the_holder);
  holder[record] = me + 1
}

inline read_list(record, set) {
  not_the_holder = (holder[record] != me + 1);
  assert(!not_the_holder);
  load(me, LIST(record), set);
  list_not_current = (set != kept[record]);
  assert(!list_not_current)
}

inline write_list(record, set) {
  not_the_holder = (holder[record] != me + 1);
  assert(!not_the_holder);
  store(me, LIST(record), set);
  kept[record] = set
}

// The objects whose unlink everybody sees.
inline see_unlinked(into) {
  into = 0;
  for (o_ : 1 .. OBJECTS) {
    into = into | (mem[LINK(o_)] == 0 -> BIT(o_) : 0)
  }
}

// S1 for the open bags of `set`: `unlinked` are those unlinked when the stamp was taken.
inline seal(set, unlinked) {
  for (o_ : 1 .. OBJECTS) {
    if
    :: (set & BIT(o_)) != 0 && state[o_] == OPEN ->
      sealed_before_unlink = ((unlinked & BIT(o_)) == 0);
      assert(!sealed_before_unlink);
      state[o_] = SEALED
    :: else
    fi
  }
}

// F1 for the sealed bags of `set`
inline free_sealed(set) {
  for (o_ : 1 .. OBJECTS) {
    if
    :: (set & BIT(o_)) != 0 && state[o_] != OPEN ->
      freed_twice = (state[o_] != SEALED);
      assert(!freed_twice);
      state[o_] = FREED;
      set = set - BIT(o_)
    :: else
    fi
  }
}

// The steps. In them, `me` is the thread and `mine` its record.

// E2 and E2f
inline enter() {
#if defined(BUG_WORKS_UNANNOUNCED)
  skip
#elif defined(FENCE) && !defined(BUG_NO_LIGHT_FENCE)
  d_step { fence(me); mem[ANNOUNCED(mine)] = BUSY }
#else
  d_step { CAN_STORE(me) -> store(me, ANNOUNCED(mine), BUSY) }
#endif
}

#if defined(BUG_NO_LIGHT_FENCE) && !defined(FENCE)
#define ANNOUNCES_LATE // nothing keeps the compiler from moving the announcement behind what R1 loads
#endif

// R1 and C4: does this thread hold its lists?
inline hold() {
#ifdef BUG_NO_R1
  d_step { holds = true; begin_to_hold(mine) }
#else
  holds = false;
  d_step { load(me, CLAIMED_BY(mine), claim) }
  if
  :: d_step { claim == 0 -> holds = true; begin_to_hold(mine) }
#ifdef BUG_O1_IS_LEFT_OUT
  :: d_step { claim == TAKING -> holds = true; begin_to_hold(mine) }
#else
  :: d_step { claim == TAKING -> skip }
#endif
#ifdef BUG_C4_IS_A_STORE
  :: d_step {
      claim != 0 && claim != TAKING && CAN_STORE(me) ->
      store(me, CLAIMED_BY(mine), 0);
      holds = true;
      begin_to_hold(mine)
    }
#else
  :: d_step {
      claim != 0 && claim != TAKING ->
      fence(me);
      if
      :: mem[CLAIMED_BY(mine)] == claim || mem[CLAIMED_BY(mine)] == 0 ->
        mem[CLAIMED_BY(mine)] = 0;
        holds = true;
        begin_to_hold(mine)
      :: else
      fi;
      v_ = 0
    }
#endif
  fi;
  claim = 0
#endif
#ifdef ANNOUNCES_LATE
  ;
  enter()
#endif
}

// R2, with the unlink before it.
inline retire() {
  d_step {
    CAN_STORE(me) ->
    for (o_ : 1 .. OBJECTS) { object = (state[o_] == FREED -> o_ : object) }
    if
    :: object != 0 -> state[object] = IN_USE; mem[LINK(object)] = 1; store(me, LINK(object), 0)
    :: else
    fi;
    v_ = 0
  }
  if
  :: object != 0 ->
    hold();
    if
    :: holds ->
      d_step { read_list(mine, set) }
      d_step {
        CAN_STORE(me) ->
        set = set | BIT(object);
        state[object] = OPEN;
        object = 0;
        write_list(mine, set);
        set = 0
      }
      if
      :: d_step { // O2
          orphans != 0 ->
          fence(me);
          read_list(mine, set);
          set = set | orphans;
          orphans = 0;
          write_list(mine, set);
          set = 0
        }
      :: true
      fi;
      if
      :: d_step { fence(me); see_unlinked(unlinked); seal(kept[mine], unlinked); unlinked = 0 } // S1
      :: true
      fi
    :: else ->
      // O1
      d_step {
        fence(me);
        state[object] = OPEN;
        set = BIT(object);
        see_unlinked(unlinked);
        seal(set, unlinked);
        orphans = orphans | set;
        unlinked = 0;
        set = 0;
        object = 0
      }
    fi
  :: else
  fi;
  holds = false
}

// Of `collect`: F1 and O2
inline collect_own() {
  hold();
  if
  :: holds ->
    d_step {
      CAN_STORE(me) ->
      if
      :: orphans != 0 -> fence(me)
      :: else
      fi;
      read_list(mine, set);
      set = set | orphans;
      orphans = 0;
      free_sealed(set);
      write_list(mine, set);
      set = 0;
      holds = false
    }
  :: else
  fi
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
  :: d_step { fenced == (1 << THREADS) - 1 -> fenced = 0 } break
  od
#else
  skip
#endif
}

// C1
inline claim_lists() {
  d_step {
    mem[CLAIMED_BY(victim)] == 0 ->
    fence(me);
    mem[CLAIMED_BY(victim)] = me + 1;
#ifdef BUG_TAKEN_BAGS_ARE_STAMPED_EARLY
    see_unlinked(unlinked);
#endif
    claimed = true
  }
}

// C3 for a claim that came to nothing. It may be gone, and another's may stand there.
inline drop_claim() {
#if defined(BUG_C3_DROPS_ANY_CLAIM)
  d_step { CAN_STORE(me) -> store(me, CLAIMED_BY(victim), 0) }
#elif !defined(BUG_C3_IS_LEFT_OUT)
  d_step {
    fence(me);
    mem[CLAIMED_BY(victim)] = (mem[CLAIMED_BY(victim)] == me + 1 -> 0 : mem[CLAIMED_BY(victim)])
  }
#else
  skip
#endif
}

// C2 and C3
inline take_lists() {
  d_step {
    fence(me);
    if
    :: mem[CLAIMED_BY(victim)] == me + 1 -> mem[CLAIMED_BY(victim)] = TAKING; takes = true; begin_to_hold(victim)
    :: else
    fi;
    v_ = 0
  }
  if
  :: takes ->
    d_step {
      read_list(victim, set);
#ifndef BUG_TAKEN_BAGS_ARE_STAMPED_EARLY
      see_unlinked(unlinked);
#endif
      seal(set, unlinked);
      unlinked = 0
    }
#ifdef BUG_C3_BEFORE_THE_LISTS_ARE_EMPTY
    d_step { CAN_STORE(me) -> store(me, CLAIMED_BY(victim), 0) }
#endif
#ifdef BUG_C2_LEAVES_THE_LISTS
    kept[victim] = 0;
#else
    d_step { CAN_STORE(me) -> write_list(victim, 0) }
#endif
#ifndef BUG_C3_BEFORE_THE_LISTS_ARE_EMPTY
    d_step { CAN_STORE(me) -> store(me, CLAIMED_BY(victim), 0); holder[victim] = 0 }
#else
    holder[victim] = 0;
#endif
    if
    :: HAS_RECORD -> d_step { CAN_STORE(me) -> read_list(mine, v_); set = set | v_; write_list(mine, set); set = 0 }
    :: !HAS_RECORD -> d_step { free_sealed(set); set = 0 }
    fi;
    takes = false
  :: else
  fi
}

// O2 of a thread whose own lists are nobody's business
inline free_orphans() {
  d_step {
    orphans != 0 ->
    fence(me);
    set = orphans;
#ifndef BUG_O2_LEAVES_THE_ORPHANS
    orphans = 0;
#endif
    free_sealed(set);
    set = 0
  }
}

inline advance() {
  if
  :: HAS_RECORD ->
    hold();
#ifdef BUG_O1_COLLECTS
    holds = true
#endif
  :: !HAS_RECORD ->
    holds = true;
    if
    :: free_orphans()
#ifdef LIVENESS
    :: orphans == 0
#else
    :: true
#endif
    fi
  fi;
  if
  :: holds ->
    if
    :: me != 0 -> victim = 0
    :: RECORDS > 1 && me != 1 -> victim = 1
    fi;
#ifndef BUG_C1_AFTER_THE_FENCE
    if
    :: claim_lists()
    :: mem[CLAIMED_BY(victim)] != 0
    fi;
#endif
    heavy_fence();
#ifdef BUG_C1_AFTER_THE_FENCE
    if
    :: claim_lists()
    :: mem[CLAIMED_BY(victim)] != 0
    fi;
#endif
    // A3
    if
    :: claimed ->
      if
#ifdef BUG_C2_DOES_NOT_LOOK
      :: true -> take_lists()
#else
      :: mem[ANNOUNCED(victim)] == IDLE -> take_lists()
      :: mem[ANNOUNCED(victim)] != IDLE -> drop_claim()
#endif
      fi
    :: !claimed
    fi
  :: else
  fi;
  d_step { victim = 0; claimed = false; holds = false }
}

proctype Thread(byte me) {
  byte mine = MINE;
  byte object;
  byte set;
  byte unlinked;
  byte claim;
  bool holds;
  byte victim;
  bool claimed;
  bool takes;
  byte fenced;
  byte turns;
end:
  do
  :: !MAY(LIMITED) || turns < LIMIT ->
    if
    :: MAY(LIMITED) -> turns++
    :: !MAY(LIMITED)
    fi;
    if
    :: d_step { MAY(SHARES) && mem[TAKEN] == 0 -> fence(me); mem[TAKEN] = 1 } // T1
    :: !MAY(SHARES)
    fi;
    if
    :: HAS_RECORD ->
#ifndef ANNOUNCES_LATE
      enter()
#endif
    :: !HAS_RECORD
    fi;
    do
    :: MAY(RETIRE) -> retire() ONCE
    :: MAY(COLLECT) -> collect_own() ONCE
    :: MAY(CLAIM) -> advance() ONCE
#ifndef LIVENESS
    :: break
#endif
    od;
    if
    :: d_step {
        HAS_RECORD && CAN_STORE(me) ->
        holder[mine] = (holder[mine] == me + 1 -> 0 : holder[mine]);
        store(me, ANNOUNCED(mine), IDLE) // E3
      }
    :: !HAS_RECORD
    fi;
    if
    :: d_step { MAY(SHARES) && CAN_STORE(me) -> store(me, TAKEN, 0) } // T2
    :: !MAY(SHARES)
    fi
  :: MAY(LIMITED) && turns == LIMIT -> break
  od
}

init {
  atomic {
    run Thread(0); run Drain(0); run Thread(1); run Drain(1);
#if THREADS > 2
    run Thread(2); run Drain(2)
#endif
  }
}

#ifdef LIVENESS
#if OBJECTS == 1
#define NOTHING_WAITS (state[1] == FREED)
#else
#define NOTHING_WAITS (state[1] == FREED && state[2] == FREED)
#endif
ltl everything_is_freed { <>[] NOTHING_WAITS }
#endif
