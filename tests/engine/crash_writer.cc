// SPDX-License-Identifier: Apache-2.0
//
// crash_writer PATH FD MODE FIRST...: opens the store and writes until it is killed; thread t begins with its operation
// FIRST[t]. Acknowledged operations are reported through FD.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

#include <scree/engine.h>

#include "engine/crash_workload.h"

namespace scree::test {
namespace {

[[noreturn]] void give_up(const Status& status) {
  std::fprintf(stderr, "crash_writer: %s\n", status.to_string().c_str());
  std::_Exit(2);
}

Status perform(Engine& engine, const std::vector<Index>& indexes, const std::vector<CrashWrite>& writes,
               CrashWriterMode mode) {
  WriteOptions options;
  if (mode == CrashWriterMode::kBuffered) options.durability = Durability::kBuffered;
  if (writes.size() > 1 && mode != CrashWriterMode::kInParts) {
    WriteBatch batch;
    for (const CrashWrite& write : writes) {
      const Index& index = indexes[static_cast<std::size_t>(write.index)];
      write.value ? batch.put(index, write.key, *write.value) : batch.erase(index, write.key);
    }
    return engine.write(options, batch);
  }
  Status status;
  for (const CrashWrite& write : writes) {
    const Index& index = indexes[static_cast<std::size_t>(write.index)];
    if (status.is_ok()) {
      status =
          write.value ? engine.put(options, index, write.key, *write.value) : engine.erase(options, index, write.key);
    }
  }
  return status;
}

void run(const std::string& path, int fd, CrashWriterMode mode, const std::vector<std::uint64_t>& first) {
  std::unique_ptr<Engine> engine;
  if (Status status = Engine::open(crash_options(), path, &engine); !status.is_ok()) give_up(status);
  std::vector<Index> indexes(kCrashIndexes);
  for (std::size_t i = 0; i < indexes.size(); ++i) {
    Status status = engine->open_index(kCrashIndexNames[i], kCrashIndexKinds[i], &indexes[i]);
    if (status.is_not_found()) status = engine->create_index(kCrashIndexNames[i], kCrashIndexKinds[i], &indexes[i]);
    if (!status.is_ok()) give_up(status);
  }
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < first.size(); ++t) {
    threads.emplace_back([&, t] {
      for (std::uint64_t n = first[t];; ++n) {
        const Status status = perform(*engine, indexes, crash_operation(static_cast<int>(t), n), mode);
        if (!status.is_ok()) give_up(status);
        const CrashAcknowledgement acknowledgement{t, n};
        if (::write(fd, &acknowledgement, sizeof acknowledgement) != sizeof acknowledgement) std::_Exit(3);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace scree::test

int main(int argc, char** argv) {
  if (argc < 5) return 1;
  std::vector<std::uint64_t> first;
  for (int i = 4; i < argc; ++i) first.push_back(std::strtoull(argv[i], nullptr, 10));
  scree::test::run(argv[1], std::atoi(argv[2]), static_cast<scree::test::CrashWriterMode>(std::atoi(argv[3])), first);
}
