// SPDX-License-Identifier: Apache-2.0
//
// Runs a built tool the way a user does, in a directory of the test's own.

#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace scree::bench {

struct Outcome {
  int exit_code = -1;
  std::string output;  // what it wrote to stdout
  std::string errors;  // and to stderr

  std::vector<std::string> lines() const {
    std::vector<std::string> result;
    std::istringstream stream(output);
    for (std::string line; std::getline(stream, line);) result.push_back(line);
    return result;
  }

  // The lines that begin with `name` and a colon, spaces between.
  std::vector<std::string> lines_of(const std::string& name) const {
    std::vector<std::string> result;
    for (const std::string& line : lines()) {
      if (!line.starts_with(name)) continue;
      const std::size_t at = line.find_first_not_of(' ', name.size());
      if (at != std::string::npos && line[at] == ':') result.push_back(line);
    }
    return result;
  }
};

class ProgramRun : public testing::Test {
 protected:
  ProgramRun() {
    std::string pattern = (std::filesystem::temp_directory_path() / "tools_test-XXXXXX").string();
    directory_ = mkdtemp(pattern.data());
  }
  ~ProgramRun() override { std::filesystem::remove_all(directory_); }

  static std::string read_file(const std::filesystem::path& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }

  // `arguments` goes through the shell.
  Outcome run_program(const std::string& program, const std::string& arguments) const {
    const std::filesystem::path output = directory_ / "stdout";
    const std::filesystem::path errors = directory_ / "stderr";
    const std::string command =
        "'" + program + "' " + arguments + " >'" + output.string() + "' 2>'" + errors.string() + "'";
    const int status = std::system(command.c_str());
    return {.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1,
            .output = read_file(output),
            .errors = read_file(errors)};
  }

  std::filesystem::path directory_;
};

}  // namespace scree::bench
