// SPDX-License-Identifier: Apache-2.0
//
// Stack and Queue beside a std::deque under generated operations; where there are sync points, others pop within some.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "sequence_kinds.h"
#include "stop_at.h"

namespace scree::test {
namespace {

enum class Do {
  kPush,
  kPushIf,
  kPop,
  kPopIf,
  kPopAll,
  kPopSome,
  kPeek,
  kHoldPushed,
  kDropHeld,
  kCollect,
  kPushOvertaken,    // by so many pops, before it takes effect
  kPushIfOvertaken,  // by a pop, after its condition was true
  kPopIfOvertaken,   // by a pop, likewise
};

struct Step {
  Do what;
  int number;
};
std::ostream& operator<<(std::ostream& out, const Step& step) {
  return out << static_cast<int>(step.what) << ':' << step.number;
}

rc::Gen<std::vector<Step>> steps() {
  using rc::gen::inRange;
  return rc::gen::container<std::vector<Step>>(
      rc::gen::build<Step>(rc::gen::set(&Step::what, rc::gen::map(rc::gen::weightedElement<int>({{6, 0},
                                                                                                 {3, 1},
                                                                                                 {5, 2},
                                                                                                 {3, 3},
                                                                                                 {1, 4},
                                                                                                 {1, 5},
                                                                                                 {2, 6},
                                                                                                 {3, 7},
                                                                                                 {2, 8},
                                                                                                 {1, 9},
                                                                                                 {2, 10},
                                                                                                 {2, 11},
                                                                                                 {1, 12}}),
                                                                  [](int n) { return static_cast<Do>(n); })),
                           rc::gen::set(&Step::number, inRange(0, 10))));
}

std::string text_of(std::int64_t number) {
  return "a text longer than any small string, number " + std::to_string(number);
}
int number_in(const std::string& text) { return text.back() - '0'; }

template <class Kind>
class Generated {
 public:
  using Container = typename Kind::template Container<std::string>;

  void run(const Step& step) {
    const std::string text = text_of(step.number);
    switch (step.what) {
      case Do::kPushOvertaken: {
        Within within(Kind::kPushing, [&] {
          for (int n = 0; n < step.number; ++n) pop();
        });
        RC_ASSERT(*container_.push(text) == text);
        model_.push(step.number);
        break;
      }
      case Do::kPush:
        RC_ASSERT(*container_.push(text) == text);
        model_.push(step.number);
        break;
      case Do::kPushIfOvertaken: {
        Within within(Kind::kPushingIf, [&] { pop(); });
        push_if(step.number);
        break;
      }
      case Do::kPushIf:
        push_if(step.number);
        break;
      case Do::kPop:
        pop();
        break;
      case Do::kPopIfOvertaken: {
        Within within(Kind::kPoppingIf, [&] { pop(); });
        pop_if(step.number);
        break;
      }
      case Do::kPopIf:
        pop_if(step.number);
        break;
      case Do::kPopAll: {
        auto all = container_.pop_all();
        while (const auto popped = all.pop()) RC_ASSERT(*popped == pop_from_model());
        RC_ASSERT(model_.held.empty());
        break;
      }
      case Do::kPopSome: {
        auto all = container_.pop_all();
        for (int n = 0; n < step.number && !model_.held.empty(); ++n) RC_ASSERT(*all.pop() == pop_from_model());
        model_.held.clear();
        break;
      }
      case Do::kPeek:
        container_.peek_with([&](const std::string* next) {
          RC_ASSERT((next == nullptr) == model_.held.empty());
          if (next != nullptr) RC_ASSERT(number_in(*next) == model_.held.front());
        });
        break;
      case Do::kHoldPushed:
        held_.emplace_back(container_.push(text), text);
        model_.push(step.number);
        break;
      case Do::kDropHeld:
        if (!held_.empty()) held_.erase(held_.begin() + step.number % static_cast<std::ptrdiff_t>(held_.size()));
        break;
      case Do::kCollect:
        ebr::collect();
        break;
    }
    RC_ASSERT(container_.len() == model_.held.size());
    RC_ASSERT(container_.is_empty() == model_.held.empty());
    const auto there = contents(container_);
    RC_ASSERT(std::equal(there.begin(), there.end(), model_.held.begin(), model_.held.end(),
                         [](const std::string& a, std::int64_t b) { return a == text_of(b); }));
    for (const auto& [handle, text_held] : held_) RC_ASSERT(*handle == text_held);
  }

 private:
  // Where there are sync points, `then` runs within what this thread does next, once it comes to `name`.
#if SCREE_SYNC_POINTS
  using Within = StopAt;
#else
  struct Within {
    Within(const char*, auto) {}
  };
#endif

  std::string pop_from_model() {
    RC_ASSERT(!model_.held.empty());
    std::string next = text_of(model_.held.front());
    model_.held.pop_front();
    return next;
  }
  void pop() {
    const auto popped = container_.pop();
    RC_ASSERT(static_cast<bool>(popped) == !model_.held.empty());
    if (popped) RC_ASSERT(*popped == pop_from_model());
  }
  // What others do meanwhile they do before it takes effect: the model is asked afterwards.
  void push_if(int number) {
    auto result = container_.push_if(
        text_of(number), [=](const std::string* newest) { return newest == nullptr || number_in(*newest) < number; });
    const bool expected = model_.held.empty() || model_.last() < number;
    RC_ASSERT(static_cast<bool>(result) == expected);
    RC_ASSERT(result.refused.has_value() != expected);
    RC_ASSERT((expected ? *result.entry : *result.refused) == text_of(number));
    if (expected) model_.push(number);
  }
  void pop_if(int number) {
    using Outcome = typename Container::PopOutcome;
    auto result = container_.pop_if([=](const std::string& next) { return number_in(next) < number; });
    const Outcome expected = model_.held.empty()            ? Outcome::kEmpty
                             : model_.held.front() < number ? Outcome::kPopped
                                                            : Outcome::kRefused;
    RC_ASSERT(result.outcome == expected);
    RC_ASSERT(static_cast<bool>(result.entry) == (expected == Outcome::kPopped));
    if (!result) return;
    std::string text = pop_from_model();
    RC_ASSERT(*result.entry == text);
    held_.emplace_back(std::move(result.entry), std::move(text));
  }

  Container container_;
  typename Kind::Model model_;
  std::vector<std::pair<typename Container::Handle, std::string>> held_;
};

template <class Kind>
void agrees_with_a_deque() {
  Generated<Kind> generated;
  for (const Step& step : *steps()) generated.run(step);
}

RC_GTEST_PROP(SequenceGenerated, a_stack_agrees_with_a_deque, ()) { agrees_with_a_deque<StackKind>(); }
RC_GTEST_PROP(SequenceGenerated, a_queue_agrees_with_a_deque, ()) { agrees_with_a_deque<QueueKind>(); }

}  // namespace
}  // namespace scree::test
