// SPDX-License-Identifier: Apache-2.0
#include <scree/engine.h>

#include <iostream>
#include <memory>

int main() {
  std::unique_ptr<scree::Engine> engine;
  scree::Status status = scree::Engine::open({}, "orders.scree", &engine);
  scree::Index orders;
  if (status.is_ok()) status = engine->open_index("orders", scree::IndexKind::kTree, &orders);
  if (status.is_not_found()) status = engine->create_index("orders", scree::IndexKind::kTree, &orders);

  scree::WriteBatch batch;
  batch.put(orders, "2026-11-01/17", "three apples");
  batch.put(orders, "2026-11-02/18", "a pear");
  if (status.is_ok()) status = engine->write({}, batch);
  if (!status.is_ok()) {
    std::cerr << status.to_string() << "\n";
    return 1;
  }

  const auto snapshot = engine->snapshot();  // what follows sees this moment, whatever is written meanwhile
  const auto it = engine->iterator({.snapshot = snapshot.get()}, orders);
  for (it->seek("2026-11-01"); it->valid(); it->next()) std::cout << it->key() << ": " << it->value() << "\n";
}
