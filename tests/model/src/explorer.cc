// SPDX-License-Identifier: Apache-2.0
#include "model/explorer.h"

#include <cstdio>
#include <cstdlib>
#include <iterator>

#include "engine.h"

namespace scree::model {
namespace {

std::string bound(int bound) { return bound < 0 ? "any" : std::to_string(bound); }

const char* to_string(Memory memory) {
  switch (memory) {
    case Memory::kInterleaving:
      return "interleaving";
    case Memory::kTso:
      return "tso";
    default:
      return "relaxed";
  }
}

}  // namespace

const char* to_string(Error error) {
  static constexpr const char* kNames[] = {
      "none",     "failed check", "data race", "use after free", "unordered free", "double free", "leak",
      "deadlock", "lost wake-up", "livelock",  "exception",      "crash",          "wrong test"};
  static_assert(std::size(kNames) == static_cast<std::size_t>(Error::kBadTest) + 1);
  return kNames[static_cast<std::size_t>(error)];
}

std::string Result::summary() const {
  std::string text =
      "model: " + options.name + " | " + to_string(options.memory) + ", preemptions " + bound(options.preemptions);
  if (options.memory == Memory::kRelaxed) text += ", stale reads " + bound(options.stale_reads);
  if (options.memory != Memory::kInterleaving) text += ", delayed stores " + bound(options.delayed_stores);
  if (options.spurious_failures != 0) text += ", spurious failures " + bound(options.spurious_failures);
  if (options.allocation_failures != 0) text += ", allocation failures " + bound(options.allocation_failures);
  if (options.membarrier == Membarrier::kRefusedAtStart) text += ", no membarrier";
  if (options.membarrier == Membarrier::kMayFailLater) text += ", membarrier may fail";
  for (const Plant& plant : options.planted) text += ", planted " + plant.file + '[' + plant.marker + ']';
  text += " | " + std::to_string(executions) + " executions of up to " + std::to_string(longest) + " steps";
  if (pruned != 0) text += " (" + std::to_string(pruned) + " given up as equal)";
  if (!options.replay.empty()) {
    text += ", one schedule";
  } else if (complete) {
    text += ", exhaustive";
  } else if (error == Error::kNone) {
    text += ", not exhaustive, " + std::to_string(random) + " of them random";
  }
  char time[32];
  std::snprintf(time, sizeof time, ", %.2f s", seconds);
  text += time;
  if (error != Error::kNone) text += std::string(" | ") + to_string(error);
  return text;
}

std::string Result::report() const {
  std::string text = summary() + '\n';
  if (error == Error::kNone) return text;
  if (!trace.empty()) text += " step  who what\n" + trace;
  text += std::string(to_string(error)) + ": " + what + '\n';
  if (!schedule.empty()) text += "schedule: SCREE_MODEL_REPLAY='" + schedule + "'\n";
  return text;
}

Result explore(const Options& options, const std::function<void(Program&)>& program) {
  Options effective = options;
  if (const char* replay = std::getenv("SCREE_MODEL_REPLAY")) effective.replay = replay;
  Result result = Engine::instance().explore(effective, program);
  if (!options.quiet) {
    std::printf("%s\n", result.summary().c_str());
    std::fflush(stdout);
  }
  return result;
}

void leave_program() { hooks::active = false; }
void enter_program() { hooks::active = true; }

void* Program::allocate(std::size_t size, std::size_t alignment) {
  const InEngine in_engine;
  return Engine::instance().allocate_for_engine(size, alignment);
}
void Program::at_destruction(void (*function)(void*), void* object) {
  const InEngine in_engine;
  Engine::instance().at_destruction(function, object);
}
void Program::add_thread(void* body, void (*run)(void*)) {
  const InEngine in_engine;
  Engine::instance().add_thread(body, run);
}
void Program::add_end(void* body, void (*run)(void*)) {
  const InEngine in_engine;
  Engine::instance().add_end(body, run);
}

}  // namespace scree::model
