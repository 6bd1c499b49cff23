// SPDX-License-Identifier: Apache-2.0

#include "machine.h"

namespace scree::bench {

Facts machine_facts(const Config& config) {
  Facts facts = host_facts();
  for (const EngineEntry* engine : {config.engine, config.peer}) {
    if (engine == nullptr) continue;
    facts.emplace_back(engine->name, engine->version());
    facts.emplace_back(std::string(engine->name) + "_options", engine->describe(config.store));
  }
  return facts;
}

}  // namespace scree::bench
