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
  std::string resolve(const std::vector<Plant>& plants);

  bool none() const { return plants_.empty(); }
  // The plant at this operation, or null. It counts as executed.
  const Plant* at(hooks::Site site);
  bool switched_on(const char* name);
  // Empty, or which of them no operation has met.
  std::string not_executed() const;

 private:
  struct Resolved {
    Plant plant;
    std::vector<int> lines;
    bool executed = false;
  };
  std::vector<Resolved> plants_;
};

}  // namespace scree::model
