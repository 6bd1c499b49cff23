// SPDX-License-Identifier: Apache-2.0
//
// Stack beside a std::vector under generated operations.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include <scree/stack.h>

#include "reclaim.h"

namespace scree::test {
namespace {

enum class Do { kPush, kPushIf, kPop, kPopIf, kPopAll, kPopSome, kPeek, kHoldPushed, kDropHeld, kCollect };

struct Step {
  Do what;
  int number;
};
std::ostream& operator<<(std::ostream& out, const Step& step) {
  return out << static_cast<int>(step.what) << ':' << step.number;
}

rc::Gen<std::vector<Step>> steps() {
  using rc::gen::inRange;
  return rc::gen::container<std::vector<Step>>(rc::gen::build<Step>(
      rc::gen::set(&Step::what,
                   rc::gen::map(rc::gen::weightedElement<int>(
                                    {{6, 0}, {3, 1}, {5, 2}, {3, 3}, {1, 4}, {1, 5}, {2, 6}, {3, 7}, {2, 8}, {1, 9}}),
                                [](int n) { return static_cast<Do>(n); })),
      rc::gen::set(&Step::number, inRange(0, 10))));
}

std::string text_of(int number) { return "a text longer than any small string, number " + std::to_string(number); }
int number_in(const std::string& text) { return text.back() - '0'; }

// The model has its newest entry last.
RC_GTEST_PROP(StackGenerated, agrees_with_a_vector, ()) {
  Stack<std::string> stack;
  std::vector<std::string> model;
  std::vector<std::pair<Stack<std::string>::Handle, std::string>> held;
  const auto pop_from_model = [&] {
    std::string newest = model.back();
    model.pop_back();
    return newest;
  };
  for (const Step& step : *steps()) {
    const std::string text = text_of(step.number);
    const auto is_below = [&step](const std::string& newest) { return number_in(newest) < step.number; };
    switch (step.what) {
      case Do::kPush:
        RC_ASSERT(*stack.push(text) == text);
        model.push_back(text);
        break;
      case Do::kPushIf: {
        const bool expected = model.empty() || is_below(model.back());
        const auto result =
            stack.push_if(text, [&](const std::string* newest) { return newest == nullptr || is_below(*newest); });
        RC_ASSERT(static_cast<bool>(result) == expected);
        RC_ASSERT(result.refused.has_value() != expected);
        RC_ASSERT((expected ? *result.entry : *result.refused) == text);
        if (expected) model.push_back(text);
        break;
      }
      case Do::kPop: {
        const auto popped = stack.pop();
        RC_ASSERT(static_cast<bool>(popped) == !model.empty());
        if (popped) RC_ASSERT(*popped == pop_from_model());
        break;
      }
      case Do::kPopIf: {
        using Outcome = Stack<std::string>::PopOutcome;
        const Outcome expected = model.empty()            ? Outcome::kEmpty
                                 : is_below(model.back()) ? Outcome::kPopped
                                                          : Outcome::kRefused;
        auto result = stack.pop_if(is_below);
        RC_ASSERT(result.outcome == expected);
        RC_ASSERT(static_cast<bool>(result.entry) == (expected == Outcome::kPopped));
        if (result) {
          std::string text_popped = pop_from_model();
          RC_ASSERT(*result.entry == text_popped);
          held.emplace_back(std::move(result.entry), std::move(text_popped));
        }
        break;
      }
      case Do::kPopAll: {
        const auto all = stack.pop_all();
        RC_ASSERT(std::equal(all.begin(), std::ranges::next(all.begin(), all.end()), model.rbegin(), model.rend()));
        model.clear();
        break;
      }
      case Do::kPopSome: {
        auto all = stack.pop_all();
        for (int n = 0; n < step.number && !model.empty(); ++n) RC_ASSERT(*all.pop() == pop_from_model());
        RC_ASSERT(all.is_empty() == model.empty());
        model.clear();
        break;
      }
      case Do::kPeek:
        stack.peek_with([&](const std::string* newest) {
          RC_ASSERT((newest == nullptr) == model.empty());
          if (newest != nullptr) RC_ASSERT(*newest == model.back());
        });
        break;
      case Do::kHoldPushed:
        held.emplace_back(stack.push(text), text);
        model.push_back(text);
        break;
      case Do::kDropHeld:
        if (!held.empty()) held.erase(held.begin() + step.number % static_cast<std::ptrdiff_t>(held.size()));
        break;
      case Do::kCollect:
        ebr::collect();
        break;
    }
    RC_ASSERT(stack.len() == model.size());
    RC_ASSERT(stack.is_empty() == model.empty());
    const ebr::Barrier barrier;
    const auto range = stack.iter(barrier);
    RC_ASSERT(std::equal(range.begin(), std::ranges::next(range.begin(), range.end()), model.rbegin(), model.rend()));
    for (const auto& [handle, text_held] : held) RC_ASSERT(*handle == text_held);
  }
}

}  // namespace
}  // namespace scree::test
