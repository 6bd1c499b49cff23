// SPDX-License-Identifier: Apache-2.0
//
// What the tests of a container under the explorer have in common: programs that hold, within their bounds and at
// random beyond them, and programs that find a planted bug.
//
//   class StackModel : public ProgramTest {};
//   TEST_P(StackModel, holds_within_the_bounds) { expect_holds_within_the_bounds(); }
//   TEST_P(StackModel, holds_at_random_beyond_the_bounds) { expect_holds_at_random_beyond_the_bounds(); }

#pragma once

#include <gtest/gtest.h>

#include <ostream>
#include <string>

#include "model/explorer.h"

namespace scree::model {

struct Case {
  const char* name;
  void (*program)(Program&);
  Options options = {};
};

inline void PrintTo(const Case& of, std::ostream* out) { *out << of.name; }
inline std::string name_of(const testing::TestParamInfo<Case>& of) { return of.param.name; }

class ProgramTest : public testing::TestWithParam<Case> {
 protected:
  static void expect_holds_within_the_bounds() {
    Options options = GetParam().options;
    options.name = GetParam().name;
    const Result result = explore(options, GetParam().program);
    EXPECT_TRUE(result.ok()) << result.report();
    EXPECT_TRUE(result.complete) << result.summary();
  }

  static void expect_holds_at_random_beyond_the_bounds() {
    Options options = GetParam().options;
    options.name = GetParam().name;
    options.preemptions = -1;
    options.stale_reads = -1;
    options.delayed_stores = 4;
    options.membarrier_at_once = false;
    options.spurious_failures = 2;
    options.max_executions = 0;
    if (options.random_executions == 0) options.random_executions = 20'000;
    const Result result = explore(options, GetParam().program);
    EXPECT_TRUE(result.ok()) << result.report();
  }
};

// A bug put into the shipped code, and a program that finds it.
struct Bug {
  Plant plant;
  void (*program)(Program&);
  Error found_as;
  Options options = {};

  std::string name() const {
    if (plant.kind == Plant::Kind::kSwitch) return plant.marker;
    return std::string(plant.kind == Plant::Kind::kDrop ? "without_" : "relaxed_") + plant.marker;
  }
};

inline void PrintTo(const Bug& bug, std::ostream* out) { *out << bug.name(); }
// The same step may be broken in several programs.
inline std::string name_of(const testing::TestParamInfo<Bug>& of) {
  return of.param.name() + "_as_" + std::to_string(of.index);
}

class PlantedTest : public testing::TestWithParam<Bug> {
 protected:
  static void expect_is_found() {
    const Bug& bug = GetParam();
    Options options = bug.options;
    options.name = bug.name();
    options.planted = {bug.plant};
    const Result result = explore(options, bug.program);
    EXPECT_EQ(to_string(result.error), std::string(to_string(bug.found_as))) << result.report();
  }
};

}  // namespace scree::model
