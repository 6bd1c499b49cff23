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

std::string Planting::resolve(const std::vector<Plant>& plants, const std::vector<Mark>& unobserved) {
  plants_.clear();
  unobserved_.clear();
  std::string wrong;
  const auto place_of = [&wrong](const std::string& file, const std::string& marker) {
    Place place{file, {}};
    const auto files = files_named(file);
    if (files.size() != 1) {
      wrong = std::to_string(files.size()) + " files are named " + file;
    } else {
      place.lines = lines_with(files.front(), '[' + marker + ']');
      if (place.lines.empty()) wrong = "no marker [" + marker + "] in " + file;
    }
    return place;
  };
  for (const Plant& plant : plants) {
    plants_.push_back(
        {plant, plant.kind == Plant::Kind::kSwitch ? Place{} : place_of(plant.file, plant.marker), false});
  }
  for (const Mark& mark : unobserved) unobserved_.push_back(place_of(mark.file, mark.marker));
  return wrong;
}

bool Planting::Place::holds(hooks::Site site) const {
  return std::find(lines.begin(), lines.end(), site.line) != lines.end() && is_file(site.file, file);
}

const Plant* Planting::find_plant(hooks::Site site) {
  for (Resolved& r : plants_) {
    if (r.place.holds(site)) {
      r.executed = true;
      return &r.plant;
    }
  }
  return nullptr;
}

bool Planting::find_unobserved(hooks::Site site) {
  return std::any_of(unobserved_.begin(), unobserved_.end(), [&](const Place& place) { return place.holds(site); });
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
