// SPDX-License-Identifier: Apache-2.0

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

#include <scree/engine.h>

namespace {

// Opens the store, writes `value` unless it is empty, and reads what is there.
scree::Status use(const std::string& path, const std::string& value, std::string* read) {
  std::unique_ptr<scree::Engine> engine;
  scree::Status status = scree::Engine::open({}, path, &engine);
  if (!status.is_ok()) return status;
  scree::Index index;
  if (value.empty()) {
    status = engine->open_index("greetings", scree::IndexKind::kTree, &index);
  } else {
    status = engine->create_index("greetings", scree::IndexKind::kTree, &index);
    if (status.is_ok()) status = engine->put({}, index, "hello", value);
  }
  if (status.is_ok()) status = engine->get({}, index, "hello", read);
  return status.is_ok() ? engine->close() : status;
}

}  // namespace

int main() {
  const std::string path = std::filesystem::current_path() / "outside-store";
  std::filesystem::remove_all(path);
  for (const char* value : {"world", ""}) {
    std::string read;
    const scree::Status status = use(path, value, &read);
    if (!status.is_ok() || read != "world") {
      std::fprintf(stderr, "%s, read '%s'\n", status.to_string().c_str(), read.c_str());
      return 1;
    }
  }
  return 0;
}
