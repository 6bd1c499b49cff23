// SPDX-License-Identifier: Apache-2.0
//
// All that container_bench knows by name.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "contender.h"
#include "host.h"

namespace scree::bench {

class Registry {
 public:
  // A new benchmark of the container that `benchmark.container` names.
  void add(Benchmark benchmark);

  // `version`: of the library it comes from; empty for what this tool defines itself.
  void add_peer(std::string name, std::string version);

  // A peer that could have been compiled in if `package` had been there.
  void add_absent_peer(std::string name, std::string package);

  // A peer's side of a benchmark of `container`, which is known already, as is the peer.
  void add_side(std::string_view container, std::string_view benchmark, Contender peer);

  const std::vector<Benchmark>& benchmarks() const { return benchmarks_; }
  std::vector<std::string> container_names() const;
  std::vector<std::string> benchmark_names() const;
  std::vector<std::string> peer_names() const;
  Facts peer_versions() const;

  // The package that is missing; empty if the peer is compiled in.
  std::string missing_package(std::string_view peer) const;

 private:
  struct Peer {
    std::string name;
    std::string version;
    std::string missing_package;
  };

  std::vector<Benchmark> benchmarks_;
  std::vector<Peer> peers_;
};

// Each is defined in the subject_*.cc or peer_*.cc of its name.
void add_ebr(Registry* registry);
void add_ebr_garbage(Registry* registry);
void add_release_store(Registry* registry);
void add_ebr_fenced(Registry* registry);
void add_urcu_memb(Registry* registry);
void add_malloc_free(Registry* registry);
void add_lock(Registry* registry);
void add_std_mutex(Registry* registry);
void add_stack(Registry* registry);
void add_boost_stack(Registry* registry);
void add_bag(Registry* registry);
void add_queue(Registry* registry);
void add_moodycamel(Registry* registry);
void add_tbb_queue(Registry* registry);
void add_boost_queue(Registry* registry);
void add_tree_index(Registry* registry);
void add_absl_btree_map(Registry* registry);
void add_tbb_map(Registry* registry);
void add_hash(Registry* registry);
void add_absl_flat_hash_map(Registry* registry);
void add_tbb_hash_map(Registry* registry);
void add_libcuckoo(Registry* registry);

// All of the above, in the order in which they run and are shown.
Registry all_contenders();

}  // namespace scree::bench
