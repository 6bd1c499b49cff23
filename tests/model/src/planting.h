// SPDX-License-Identifier: Apache-2.0
//
// Planted bugs: finds a marker's lines in the source, and says of an operation whether it stands there.

#pragma once

#include <string>
#include <vector>

#include "model/explorer.h"
#include "scree_model/hooks.h"

namespace scree::model {

class Planting {
 public:
  // Resolves the markers below SCREE_SOURCE_DIR; empty, or what is wrong.
  std::string resolve(const std::vector<Plant>& plants, const std::vector<Mark>& unobserved);

  // The plant at this operation, or null. It counts as executed.
  const Plant* plant_at(hooks::Site site) { return plants_.empty() ? nullptr : find_plant(site); }
  bool is_unobserved(hooks::Site site) { return !unobserved_.empty() && find_unobserved(site); }
  bool switched_on(const char* name);
  // Empty, or which of them no operation has met.
  std::string not_executed() const;

 private:
  struct Place {
    std::string file;
    std::vector<int> lines;
    bool holds(hooks::Site site) const;
  };
  struct Resolved {
    Plant plant;
    Place place;
    bool executed = false;
  };
  const Plant* find_plant(hooks::Site site);
  bool find_unobserved(hooks::Site site);

  std::vector<Resolved> plants_;
  std::vector<Place> unobserved_;
};

}  // namespace scree::model
