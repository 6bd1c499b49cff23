// SPDX-License-Identifier: Apache-2.0
#include "planting.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string_view>

namespace scree::model {
namespace {

// "/x/ebr_domain.h" ends with "ebr_domain.h", "/x/my_ebr_domain.h" does not.
bool is_file(std::string_view path, std::string_view file) {
  if (!path.ends_with(file)) return false;
  return path.size() == file.size() || path[path.size() - file.size() - 1] == '/';
}

std::vector<std::filesystem::path> files_named(const std::string& file) {
  namespace fs = std::filesystem;
  std::vector<fs::path> found;
  for (auto at = fs::recursive_directory_iterator(SCREE_SOURCE_DIR); at != fs::recursive_directory_iterator(); ++at) {
    if (at->is_directory()) {
      const std::string name = at->path().filename();
      if (name == ".git" || (at.depth() == 0 && name == "build")) at.disable_recursion_pending();
    } else if (is_file(at->path().native(), file)) {
      found.push_back(at->path());
    }
  }
  return found;
}

std::vector<int> lines_with(const std::filesystem::path& path, const std::string& token) {
  std::vector<int> lines;
  std::ifstream in(path);
  std::string line;
  for (int number = 1; std::getline(in, line); ++number) {
    const std::size_t comment = line.find("//");
    if (comment != std::string::npos && line.find(token, comment) != std::string::npos) lines.push_back(number);
  }
  return lines;
}

}  // namespace

std::string Planting::resolve(const std::vector<Plant>& plants) {
  plants_.clear();
  for (const Plant& plant : plants) {
    Resolved resolved{plant, {}, false};
    if (plant.kind != Plant::Kind::kSwitch) {
      const auto files = files_named(plant.file);
      if (files.size() != 1) return std::to_string(files.size()) + " files are named " + plant.file;
      resolved.lines = lines_with(files.front(), '[' + plant.marker + ']');
      if (resolved.lines.empty()) return "no marker [" + plant.marker + "] in " + plant.file;
    }
    plants_.push_back(std::move(resolved));
  }
  return {};
}

const Plant* Planting::at(hooks::Site site) {
  if (site.file == nullptr) return nullptr;
  for (Resolved& r : plants_) {
    if (std::find(r.lines.begin(), r.lines.end(), site.line) != r.lines.end() && is_file(site.file, r.plant.file)) {
      r.executed = true;
      return &r.plant;
    }
  }
  return nullptr;
}

bool Planting::switched_on(const char* name) {
  for (Resolved& r : plants_) {
    if (r.plant.kind == Plant::Kind::kSwitch && r.plant.marker == name) {
      r.executed = true;
      return true;
    }
  }
  return false;
}

std::string Planting::not_executed() const {
  for (const Resolved& r : plants_) {
    if (!r.executed) {
      return r.plant.kind == Plant::Kind::kSwitch ? "nothing asked for the plant " + r.plant.marker
                                                  : "no operation at [" + r.plant.marker + "] of " + r.plant.file;
    }
  }
  return {};
}

}  // namespace scree::model
