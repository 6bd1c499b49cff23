// SPDX-License-Identifier: Apache-2.0
//
// A chain of versions, alone: order by sequence, whatever the order of arrival, and what pruning keeps.

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <scree/detail/version_chain.h>

#include "containers/stop_at.h"
#include "snapshot/verdict.h"

namespace scree::test {
namespace {

using Version = scree::detail::Version<std::int64_t>;

enum class Bug { kLinksOnTop, kFirstWriteCounts, kPrunesTheNewestSeen, kLinksWithAPlainStore };

// The chain as it could have been written. For one thread; frees what it was given at its end, also what it lost.
template <Bug kBug>
class BrokenChain {
 public:
  ~BrokenChain() {
    for (Version* v : all_) Version::destroy(v);
  }
  const Version* at(Sequence sequence) const {
    const Version* v = newest_.load();
    while (v != nullptr && v->sequence > sequence) v = v->next.load();
    return v;
  }
  void link(Version* version) {
    all_.push_back(version);
    Atomic<Version*>* place = &newest_;
    while (kBug != Bug::kLinksOnTop && place->load() != nullptr && goes_below(*version, *place->load())) {
      place = &place->load()->next;
    }
    version->next.store(place->load());
    SCREE_SYNC_POINT("chain:link");
    place->store(version);
  }
  std::size_t prune(const ebr::Barrier&, Sequence horizon) {
    Atomic<Version*>* place = &newest_;
    while (place->load() != nullptr && place->load()->sequence > horizon) place = &place->load()->next;
    if (kBug != Bug::kPrunesTheNewestSeen && place->load() != nullptr) place = &place->load()->next;
    return cut(*place);
  }

 private:
  static bool goes_below(const Version& version, const Version& other) {
    return kBug == Bug::kFirstWriteCounts ? version.sequence <= other.sequence : version.sequence < other.sequence;
  }
  static std::size_t cut(Atomic<Version*>& place) {
    std::size_t bytes = 0;
    for (Version* v = place.exchange(nullptr); v != nullptr; v = v->next.load()) bytes += v->bytes();
    return bytes;
  }
  Atomic<Version*> newest_{nullptr};
  std::vector<Version*> all_;
};

template <class Chain>
void link(Chain& chain, Sequence sequence, std::int64_t value) {
  Version* version = Version::make(value);
  version->sequence = sequence;
  chain.link(version);
}

// Sequences 2, 4, ... 10 in every order of arrival, then pruned at every horizon: whoever reads at or above the horizon
// sees what was there before, and what is below the newest version that it sees is gone.
template <class Chain>
std::optional<std::string> check_order_and_pruning() {
  ebr::Barrier barrier;
  std::vector<Sequence> arrival = {2, 4, 6, 8, 10};
  do {
    for (Sequence horizon = 0; horizon <= 11; ++horizon) {
      Chain chain;
      for (Sequence sequence : arrival) link(chain, sequence, static_cast<std::int64_t>(sequence));
      const std::size_t each = chain.at(11)->bytes();
      const std::size_t bytes = chain.prune(barrier, horizon);
      const Sequence kept = std::max<Sequence>(2, std::min<Sequence>(10, horizon / 2 * 2));
      if (bytes != (kept - 2) / 2 * each) return "pruned " + std::to_string(bytes) + " bytes";
      for (Sequence sequence = 0; sequence <= 11; ++sequence) {
        const Sequence expected = sequence < kept ? 0 : std::min<Sequence>(10, sequence / 2 * 2);
        const Version* version = chain.at(sequence);
        const Sequence found = version == nullptr ? 0 : version->sequence;
        if (found != expected || (version != nullptr && version->value() != static_cast<std::int64_t>(expected))) {
          return "at " + std::to_string(sequence) + " of a chain pruned at " + std::to_string(horizon) + " there is " +
                 std::to_string(found);
        }
      }
    }
  } while (std::next_permutation(arrival.begin(), arrival.end()));
  return std::nullopt;
}

template <class Chain>
std::optional<std::string> check_last_write_counts() {
  Chain chain;
  ebr::Barrier barrier;
  link(chain, 1, 10);
  link(chain, 2, 20);
  link(chain, 2, 21);
  if (chain.at(2)->value() != 21) return "the last write of a commit is hidden";
  chain.prune(barrier, 2);
  return chain.at(2)->value() == 21 ? std::nullopt
                                    : std::optional<std::string>("the last write of a commit was pruned");
}

TEST(VersionChain, is_ordered_by_sequence_and_pruning_keeps_what_can_be_seen) {
  EXPECT_TRUE(is_right(check_order_and_pruning<scree::detail::VersionChain<std::int64_t>>()));
}
TEST(VersionChain, links_on_top_are_caught) {
  EXPECT_FALSE(is_right(check_order_and_pruning<BrokenChain<Bug::kLinksOnTop>>()));
}
TEST(VersionChain, pruning_of_the_newest_version_seen_is_caught) {
  EXPECT_FALSE(is_right(check_order_and_pruning<BrokenChain<Bug::kPrunesTheNewestSeen>>()));
}

TEST(VersionChain, shows_the_last_of_several_writes_of_one_commit) {
  EXPECT_TRUE(is_right(check_last_write_counts<scree::detail::VersionChain<std::int64_t>>()));
}
TEST(VersionChain, showing_the_first_is_caught) {
  EXPECT_FALSE(is_right(check_last_write_counts<BrokenChain<Bug::kFirstWriteCounts>>()));
}

#if SCREE_SYNC_POINTS

// Others link above and below between a writer's look at its place and its exchange.
template <class Chain>
std::optional<std::string> check_overtaken_link() {
  ebr::Barrier barrier;
  Chain chain;
  link(chain, 1, 1);
  const StopAt stop("chain:link", [&] {
    link(chain, 7, 7);
    link(chain, 3, 3);
  });
  link(chain, 5, 5);
  for (Sequence sequence = 1; sequence <= 8; ++sequence) {
    const auto expected = static_cast<std::int64_t>((sequence - 1) / 2 * 2 + 1);
    if (chain.at(sequence)->value() != expected) {
      return "at " + std::to_string(sequence) + " there is " + std::to_string(chain.at(sequence)->value());
    }
  }
  return std::nullopt;
}

TEST(VersionChain, a_link_overtaken_by_others_finds_its_place) {
  EXPECT_TRUE(is_right(check_overtaken_link<scree::detail::VersionChain<std::int64_t>>()));
}

TEST(VersionChain, a_link_by_a_plain_store_is_caught) {
  EXPECT_FALSE(is_right(check_overtaken_link<BrokenChain<Bug::kLinksWithAPlainStore>>()));
}

#endif

}  // namespace
}  // namespace scree::test
