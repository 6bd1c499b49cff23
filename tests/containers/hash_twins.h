// SPDX-License-Identifier: Apache-2.0
//
// Each operation of a hash container that has a twin for coroutines, written once for both.

#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "awaiting.h"
#include "hash_async.h"
#include "support/coroutine.h"

namespace scree::test {

// What a result is, whatever its type.
inline std::string describe(std::string_view text) { return std::string(text); }
template <class T>
std::string describe(const T& result) {
  if constexpr (requires { result.is_occupied(); }) {
    if (!result.is_occupied()) return "no entry";
    if constexpr (requires { describe(result.value()); })
      return describe(result.key()) + ": " + describe(result.value());
  } else if constexpr (requires { result.value().value(); }) {
    return result ? "some " + std::to_string(result->value()) : "nothing";
  } else if constexpr (requires { result.has_value(); }) {
    return result ? "some " + describe(*result) : "nothing";
  } else if constexpr (requires { result.first; }) {
    return describe(result.first) + ", " + describe(result.second);
  } else if constexpr (requires { result.size(); }) {
    return result.empty() ? "empty" : std::to_string(result[0]);
  } else if constexpr (requires { result.value(); }) {
    return std::to_string(result.value());
  } else {
    return std::to_string(result);
  }
}

// What an operation is given, and what it leaves of that.
template <class Face>
struct Arguments {
  using Config = typename Face::Config;
  struct Thrown {};

  explicit Arguments(std::uint64_t number) : n(number), key(Config::key(n)), value(Config::value(kValue)) {}

  // By each function that is passed in.
  void called() const {
    if (throws) throw Thrown();
  }
  std::uint64_t met(const auto& shown) {
    called();
    keys_met.push_back(Config::number(shown));
    return keys_met.back();
  }
  auto other_value() const {
    called();
    return Config::value(kOther);
  }
  std::string described() const {
    std::vector<std::uint64_t> met = keys_met;
    std::sort(met.begin(), met.end());
    std::string all = describe(key) + "; " + describe(value) + "; met";
    for (const std::uint64_t each : met) all += " " + std::to_string(each);
    return all;
  }

  static constexpr std::int64_t kValue = 100'001, kOther = 100'002;
  const std::uint64_t n;
  typename Face::Key key;
  typename Face::Value value;
  bool throws = false;
  std::vector<std::uint64_t> keys_met;
};

// What has come of it.
struct Outcome {
  std::function<void()> begins = [] {};
  std::function<void()> ends = [] {};

  bool is_over() const { return error != nullptr || result.has_value(); }
  // What it was, or what it threw.
  std::string described() const { return error ? "thrown" : result.value_or("not over"); }

  std::optional<std::string> result;
  std::exception_ptr error;
};

template <class Face>
struct Twins {
  using Container = typename Face::Container;

  const char* name;
  std::string (*now)(Container&, Arguments<Face>&);  // "void" where there is no result
  Coroutine (*in_coroutine)(Container&, Arguments<Face>&, Outcome&);
};

template <class F>
std::string describe_result(const F& f) {
  if constexpr (std::is_void_v<decltype(f())>) {
    f();
    return "void";
  } else {
    return describe(f());
  }
}

// The arguments name the container `c` and its Arguments `a`.
// clang-format off
#define SCREE_TWINS(OPERATION, ...)                                                            \
  Twins<Face> {                                                                                \
    #OPERATION "(" #__VA_ARGS__ ")",                                                           \
    []([[maybe_unused]] Container& c, [[maybe_unused]] Arguments<Face>& a) {                   \
      return describe_result([&]() -> decltype(auto) { return c.OPERATION(__VA_ARGS__); });    \
    },                                                                                         \
    [](Container& c, [[maybe_unused]] Arguments<Face>& a, Outcome& outcome) -> Coroutine {     \
      EXPECT_FALSE(outcome.is_over());                                                         \
      try {                                                                                    \
        outcome.begins();                                                                      \
        const auto result = co_await c.OPERATION##_async(__VA_ARGS__);                         \
        outcome.ends();                                                                        \
        EXPECT_FALSE(outcome.is_over()) << "it completes once";                                \
        outcome.result = describe(result);                                                     \
      } catch (...) {                                                                          \
        outcome.ends();                                                                        \
        outcome.error = std::current_exception();                                              \
      }                                                                                        \
      EXPECT_TRUE(is_outside());                                                               \
    }                                                                                          \
  }
// clang-format on

template <class Face>
std::vector<Twins<Face>> twins_of_one_key() {
  using Container = typename Face::Container;
  using Value = typename Face::Value;
  std::vector<Twins<Face>> all = {
      SCREE_TWINS(remove, a.key),
      SCREE_TWINS(remove_if, a.key, [&a](const auto&...) { return a.called(), true; }),
      SCREE_TWINS(remove_if, a.key, [&a](const auto&...) { return a.called(), false; }),
  };
  const auto add = [&all](std::initializer_list<Twins<Face>> more) { all.insert(all.end(), more); };
  if constexpr (Face::kKind == Kind::kSet) {
    add({SCREE_TWINS(insert, a.key), SCREE_TWINS(insert, std::move(a.key))});
  } else {
    add({SCREE_TWINS(insert, a.key, a.value), SCREE_TWINS(insert, std::move(a.key), std::move(a.value)),
         SCREE_TWINS(entry, a.key), SCREE_TWINS(entry, std::move(a.key))});
  }
  if constexpr (Face::kKind == Kind::kIndex) {
    using Change = std::optional<std::optional<Value>>;
    add({SCREE_TWINS(upsert, a.key, a.value), SCREE_TWINS(upsert, std::move(a.key), std::move(a.value)),
         SCREE_TWINS(update, a.key, [&a](const Value&) { return a.other_value(); }),
         SCREE_TWINS(modify, a.key, [&a](const Value&) { return a.called(), Change(); }),
         SCREE_TWINS(modify, a.key, [&a](const Value&) { return a.called(), Change(std::in_place); }),
         SCREE_TWINS(modify, a.key, [&a](const Value&) { return Change(std::in_place, a.other_value()); })});
  } else {
    add({SCREE_TWINS(contains, a.key), SCREE_TWINS(replace, a.key), SCREE_TWINS(replace, std::move(a.key)),
         SCREE_TWINS(read, a.key, [&a](const auto& key, const auto&...) { return a.met(key); }),
         SCREE_TWINS(read, a.key, [&a](const auto& key, const auto&...) { a.met(key); })});
  }
  if constexpr (Face::kKind == Kind::kMap) {
    add({SCREE_TWINS(
             upsert, a.key, [&a] { return a.other_value(); }, [&a](Value& value) { value = a.other_value(); }),
         SCREE_TWINS(
             upsert, std::move(a.key), [&a] { return a.other_value(); },
             [&a](Value& value) { value = a.other_value(); }),
         SCREE_TWINS(update, a.key, [&a](Value& value) { value = a.other_value(); }),
         SCREE_TWINS(update, a.key, [&a](Value& value) { return value = a.other_value(), 7; }),
         SCREE_TWINS(get, a.key)});
  }
  return all;
}

// `all`: of those that go through all buckets in any case. They keep, or accept, every fourth key.
template <class Face>
std::vector<Twins<Face>> twins_of_many_keys(bool all) {
  using Container = typename Face::Container;
  using Value = typename Face::Value;
  std::vector<Twins<Face>> found = {
      SCREE_TWINS(retain, [&a](const auto& key, const auto&...) { return a.met(key) % nth(4) == 0; }),
      SCREE_TWINS(clear, ),
  };
  const auto add = [&found](std::initializer_list<Twins<Face>> more) { found.insert(found.end(), more); };
  if constexpr (Face::kKind != Kind::kIndex) {
    add({SCREE_TWINS(scan, [&a](const auto& key, const auto&...) { a.met(key); }),
         SCREE_TWINS(any, [&a](const auto& key, const auto&...) { return a.met(key) == nth(kKeys); })});
    if (!all) add({SCREE_TWINS(any, [&a](const auto& key, const auto&...) { return a.met(key) % nth(4) == 0; })});
  }
  if constexpr (Face::kKind == Kind::kMap) {
    add({SCREE_TWINS(for_each, [&a](const auto& key, Value& value) { a.met(key), value = a.other_value(); }),
         SCREE_TWINS(prune,
                     [&a](const auto& key, Value&& value) {
                       const bool keeps = a.met(key) % nth(4) == 0;
                       return keeps ? std::optional<Value>(std::move(value)) : std::nullopt;
                     }),
         SCREE_TWINS(any_entry, [&a](const auto& key, const Value&) { return a.met(key) == nth(kKeys); })});
    if (!all) {
      add({SCREE_TWINS(first_entry, ),
           SCREE_TWINS(any_entry, [&a](const auto& key, const Value&) { return a.met(key) % nth(4) == 0; })});
    }
  }
  return found;
}
#undef SCREE_TWINS

}  // namespace scree::test
