// SPDX-License-Identifier: Apache-2.0

#include "registry.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace scree::bench {
namespace {

void add_once(std::vector<std::string>* names, const std::string& name) {
  if (std::find(names->begin(), names->end(), name) == names->end()) names->push_back(name);
}

}  // namespace

void Registry::add(Benchmark benchmark) { benchmarks_.push_back(std::move(benchmark)); }

void Registry::add_peer(std::string name, std::string version) {
  peers_.push_back({.name = std::move(name), .version = std::move(version), .missing_package = {}});
}

void Registry::add_absent_peer(std::string name, std::string package) {
  peers_.push_back({.name = std::move(name), .version = {}, .missing_package = std::move(package)});
}

void Registry::add_side(std::string_view container, std::string_view benchmark, Contender peer) {
  for (Benchmark& known : benchmarks_) {
    if (known.name == benchmark && known.container.name == container) {
      known.peers.push_back(std::move(peer));
      return;
    }
  }
  throw std::logic_error("no benchmark " + std::string(benchmark) + " of " + std::string(container));
}

std::vector<std::string> Registry::container_names() const {
  std::vector<std::string> names;
  for (const Benchmark& benchmark : benchmarks_) add_once(&names, benchmark.container.name);
  return names;
}

std::vector<std::string> Registry::benchmark_names() const {
  std::vector<std::string> names;
  for (const Benchmark& benchmark : benchmarks_) add_once(&names, benchmark.name);
  return names;
}

std::vector<std::string> Registry::peer_names() const {
  std::vector<std::string> names;
  for (const Peer& peer : peers_) names.push_back(peer.name);
  return names;
}

Facts Registry::peer_versions() const {
  Facts versions;
  for (const Peer& peer : peers_) {
    if (!peer.version.empty()) versions.emplace_back(peer.name, peer.version);
  }
  return versions;
}

std::string Registry::missing_package(std::string_view peer) const {
  const auto found = std::find_if(peers_.begin(), peers_.end(), [&](const Peer& known) { return known.name == peer; });
  return found == peers_.end() ? std::string() : found->missing_package;
}

Registry all_contenders() {
  Registry registry;
  // A container comes before its peers.
  add_ebr(&registry);
  add_ebr_garbage(&registry);
  add_release_store(&registry);
  add_ebr_fenced(&registry);
  add_urcu_memb(&registry);
  add_malloc_free(&registry);
  add_lock(&registry);
  add_std_mutex(&registry);
  add_stack(&registry);
  add_boost_stack(&registry);
  add_bag(&registry);
  add_queue(&registry);
  add_moodycamel(&registry);
  add_tbb_queue(&registry);
  add_boost_queue(&registry);
  add_tree_index(&registry);
  add_absl_btree_map(&registry);
  add_tbb_map(&registry);
  add_hash(&registry);
  add_absl_flat_hash_map(&registry);
  add_tbb_hash_map(&registry);
  add_libcuckoo(&registry);
  return registry;
}

}  // namespace scree::bench
