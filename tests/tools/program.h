// SPDX-License-Identifier: Apache-2.0

#pragma once

#include "program_run.h"

namespace scree::bench {

// Runs db_bench.
class Program : public ProgramRun {
 protected:
  std::filesystem::path db() const { return directory_ / "db"; }

  // --db is set before `arguments`.
  Outcome run(const std::string& arguments) const {
    return run_program(DB_BENCH_PROGRAM, "--db='" + db().string() + "' " + arguments);
  }
};

}  // namespace scree::bench
