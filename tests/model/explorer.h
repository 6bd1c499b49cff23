// SPDX-License-Identifier: Apache-2.0
//
// The explorer: runs a small concurrent program under every schedule, and every outcome of its memory accesses, within
// the bounds of Options. README.md says how it works, what the memory model is, and how to write a program for it.

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <new>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace scree::model {

enum class Memory { kInterleaving, kTso, kRelaxed };
enum class Membarrier { kWorks, kRefusedAtStart, kMayFailLater };

// A bug that is put into the program without touching its source. `file` is the end of a path below the source tree;
// `marker` stands as [marker] in a comment on the line of the operation.
struct Plant {
  enum class Kind { kWeaken, kDrop, kSwitch };
  Kind kind;
  std::string file;
  std::string marker;

  // Its memory order becomes relaxed; a fence so weakened does nothing.
  static Plant weaken(std::string file, std::string marker) {
    return {Kind::kWeaken, std::move(file), std::move(marker)};
  }
  // A store, fence or notification is left out; a read-modify-write only reads; a membarrier returns true.
  static Plant drop(std::string file, std::string marker) { return {Kind::kDrop, std::move(file), std::move(marker)}; }
  // planted(name) is true.
  static Plant switch_on(std::string name) { return {Kind::kSwitch, {}, std::move(name)}; }
};

// Operations on lines that carry [marker] in a comment. `file`: the end of a path below the source tree.
struct Mark {
  std::string file;
  std::string marker;
};

// A bound of -1 is none.
struct Options {
  std::string name = {};
  int preemptions = 2;  // switches away from a thread that could go on
  Memory memory = Memory::kRelaxed;
  int stale_reads = 2;          // loads that read a write which is not the latest
  int delayed_stores = 1;       // stores that become visible later than they are executed
  int spurious_failures = 0;    // of weak compare-exchanges
  int allocation_failures = 0;  // of operator new within threads
  Membarrier membarrier = Membarrier::kWorks;
  bool membarrier_at_once = true;  // otherwise each thread meets its fence at some moment of the call
  std::uint32_t max_steps = 2000;  // of one execution; one that is longer is a livelock
  std::uint64_t max_executions = 10'000'000;
  std::uint64_t random_executions = 0;  // after the exhaustive ones, unless these were complete
  std::uint64_t seed = 1;
  bool check_leaks = true;
  bool reduce = true;  // of executions that differ only in the order of steps that commute, run one
  bool quiet = false;  // prints no line
  std::vector<Plant> planted = {};
  // Operations on which no decision rests, such as counters: they are no steps, and read and write what is latest.
  std::vector<Mark> unobserved = {};
  std::string replay = {};  // a schedule: only this execution is run
};

enum class Error {
  kNone,
  kCheck,
  kDataRace,
  kUseAfterFree,
  kUnorderedFree,
  kDoubleFree,
  kLeak,
  kDeadlock,
  kLostWakeup,
  kLivelock,
  kException,
  kCrash,
  kBadTest,
};
const char* to_string(Error error);

struct Result {
  Options options;
  Error error = Error::kNone;
  std::string what;
  std::string schedule;  // for Options::replay
  std::string trace;
  std::uint64_t executions = 0;  // all that were run to their end
  std::uint64_t random = 0;      // of these
  std::uint64_t pruned = 0;      // given up, as equal to one that was run
  std::uint32_t longest = 0;     // steps
  bool complete = false;         // everything within the bounds was run
  double seconds = 0;

  bool ok() const { return error == Error::kNone; }
  std::string summary() const;  // one line
  std::string report() const;   // with the trace, where there is an error
};

// One execution of the program, while it is set up. Closures outlive the function that makes them: they capture
// what make() returned, and no local variables by reference.
class Program {
 public:
  template <class T, class... Arguments>
  T& make(Arguments&&... arguments) {
    T* object = new T(std::forward<Arguments>(arguments)...);
    at_destruction([](void* memory) { delete static_cast<T*>(memory); }, object);
    return *object;
  }
  template <class F>
  void thread(F body) {
    add_thread(store(std::move(body)), &run<F>);
  }
  // After all threads, in the order in which they were given.
  template <class F>
  void at_end(F body) {
    add_end(store(std::move(body)), &run<F>);
  }

 private:
  template <class F>
  static void run(void* body) {
    (*static_cast<F*>(body))();
  }
  template <class F>
  static void* store(F body) {
    static_assert(std::is_trivially_destructible_v<F>, "captures are references or plain values");
    return ::new (allocate(sizeof(F), alignof(F))) F(std::move(body));
  }
  static void* allocate(std::size_t size, std::size_t alignment);
  static void at_destruction(void (*function)(void*), void* object);
  static void add_thread(void* body, void (*run)(void*));
  static void add_end(void* body, void (*run)(void*));
};

Result explore(const Options& options, const std::function<void(Program&)>& program);

void leave_program();
void enter_program();

// Within an execution: fails it unless `condition` holds.
void check(bool condition, const char* what);
// Whether Options::planted has switch_on(name).
bool planted(const char* name);
// Runs `f()` as if outside the execution: what it allocates stays.
template <class F>
void outside(F f) {
  leave_program();
  f();
  enter_program();
}
// What traces call the variable at `address`.
void label(const void* address, const char* name);

}  // namespace scree::model
