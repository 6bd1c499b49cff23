// SPDX-License-Identifier: Apache-2.0
#include "choices.h"

#include <bit>
#include <cstdlib>
#include <cstring>

namespace scree::model {
namespace {

constexpr char kDigits[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr std::size_t kShortestRun = 4;

}  // namespace

bool Choices::advance() {
  taken_.resize(next_);
  for (; !taken_.empty(); taken_.pop_back()) {
    Choice& choice = taken_.back();
    if (!choice.of_thread) {
      if (choice.taken + 1u == choice.count) continue;
      ++choice.taken;
      return true;
    }
    choice.done = static_cast<Alternatives>(choice.done | 1u << choice.taken);
    const unsigned left = choice.wanted & ~choice.done & ~choice.asleep;
    if (left == 0) continue;
    choice.taken = static_cast<std::uint16_t>(std::countr_zero(left));
    return true;
  }
  return false;
}

std::string Choices::to_text() const {
  std::string text;
  std::size_t zeros = 0;
  for (const Choice& choice : taken_) {
    if (choice.taken == 0) {
      ++zeros;
      continue;
    }
    if (zeros >= kShortestRun) {
      text += '(' + std::to_string(zeros) + ')';
    } else {
      text.append(zeros, '0');
    }
    zeros = 0;
    if (choice.taken < sizeof kDigits - 1) {
      text += kDigits[choice.taken];
    } else {
      text += '[' + std::to_string(choice.taken) + ']';
    }
  }
  return text.empty() ? "0" : text;
}

bool Choices::from_text(const std::string& text) {
  clear();
  for (const char* at = text.c_str(); *at != '\0'; ++at) {
    if (*at == '(' || *at == '[') {
      char* end = nullptr;
      const unsigned long number = std::strtoul(at + 1, &end, 10);
      if (*end != (*at == '(' ? ')' : ']') || number > 0xffff) return false;
      if (*at == '(') {
        taken_.insert(taken_.end(), number, Choice{.taken = 0, .count = 1});
      } else {
        taken_.push_back({.taken = static_cast<std::uint16_t>(number), .count = 1});
      }
      at = end;
    } else {
      const char* digit = std::strchr(kDigits, *at);
      if (digit == nullptr) return false;
      taken_.push_back({.taken = static_cast<std::uint16_t>(digit - kDigits), .count = 1});
    }
  }
  return true;
}

}  // namespace scree::model
