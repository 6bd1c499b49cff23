// SPDX-License-Identifier: Apache-2.0
//
// Memory as x86 has it (x86-TSO): each thread's stores wait in a buffer of its own, in order, and reach memory at any time
// later; its loads look there first; a locked instruction or a fence empties it. The includer defines THREADS, LOCATIONS.

#ifndef BUFFER
#define BUFFER 3 // stores that may wait; a thread with a full buffer waits, too
#endif

byte mem[LOCATIONS]
byte waiting[THREADS]        // how many stores of this thread
byte where[THREADS * BUFFER] // the oldest first; what is not used is 0, so that equal states look equal
byte value[THREADS * BUFFER]
hidden byte i_

// What follows stands inside atomic or d_step.

inline drain_one(thread) {
  mem[where[(thread) * BUFFER]] = value[(thread) * BUFFER];
  waiting[thread]--;
  i_ = 0;
  do
  :: i_ < waiting[thread] ->
    where[(thread) * BUFFER + i_] = where[(thread) * BUFFER + i_ + 1];
    value[(thread) * BUFFER + i_] = value[(thread) * BUFFER + i_ + 1];
    i_++
  :: else -> break
  od;
  where[(thread) * BUFFER + waiting[thread]] = 0;
  value[(thread) * BUFFER + waiting[thread]] = 0
}

// mfence, and what a locked instruction begins with. That the buffer empties at once loses nothing: parts of it may have
// reached memory before.
inline fence(thread) {
  do
  :: waiting[thread] > 0 -> drain_one(thread)
  :: else -> break
  od;
  i_ = 0
}

#define CAN_STORE(thread) (waiting[thread] < BUFFER)

inline store(thread, location, what) {
  where[(thread) * BUFFER + waiting[thread]] = location;
  value[(thread) * BUFFER + waiting[thread]] = what;
  waiting[thread]++
}

inline load(thread, location, into) {
  into = mem[location];
  i_ = 0;
  do
  :: i_ < waiting[thread] ->
    if
    :: where[(thread) * BUFFER + i_] == (location) -> into = value[(thread) * BUFFER + i_]
    :: else
    fi;
    i_++
  :: else -> break
  od;
  i_ = 0
}

// One of them per thread, so that fairness lets every store reach memory.
proctype Drain(byte thread) {
end:
  do
  :: d_step { waiting[thread] > 0 -> drain_one(thread) }
  od
}
