// SPDX-License-Identifier: Apache-2.0
//
// Small programs over TreeIndex for the explorer, whose leaves have a base of up to four entries and two slots, and
// whose inner nodes have up to four children. tree_model_test.cc expects them to be right, tree_planted_test.cc to fail
// in one way each when a step of the protocol is broken.

#pragma once

#include "model/explorer.h"
#include "tree_scene.h"

namespace scree::model::tree {

// A tree that is made by some steps, and threads that do a few each.
template <class Kept>
void beside(Program& p, TreeSteps before, TreeSteps first, TreeSteps second) {
  on_a_tree<Kept>(p, before, {first, second});
}

// One leaf. fill(1) and fill(3) leave one slot free; after fill(2) and fill(4) the leaf is used up, after fill(6) it
// must be split. fill(6) and an insert of 35 leave 40, 50, 60 in a base with two free slots.
inline void insert_beside_insert_of_the_key(Program& p) {
  beside<KeysInLeaves>(p, {}, {insert(10, 1)}, {insert(10, 2), read(10)});
}
inline void insert_beside_insert_into_the_gap(Program& p) {
  beside<InLeaves>(p, {fill(6), insert(35)}, {insert(45), read(46)}, {insert(46)});
}
inline void insert_beside_remove(Program& p) {
  beside<KeysInLeaves>(p, {fill(1)}, {insert(10, 2)}, {remove(10), read(10)});
}
inline void insert_beside_remove_from_the_base(Program& p) {
  beside<KeysInLeaves>(p, {fill(6), insert(35)}, {insert(50, 2)}, {remove(50), read(50)});
}
inline void upsert_beside_read(Program& p) {
  beside<KeysInLeaves>(p, {fill(1)}, {upsert(10), collect()}, {read(10), read(10)});
}
inline void upsert_beside_read_of_the_base(Program& p) {
  beside<KeysInLeaves>(p, {fill(6), insert(35)}, {upsert(50), collect()}, {read(50), read(50)});
}
inline void upsert_beside_upsert(Program& p) {
  beside<KeysInLeaves>(p, {}, {upsert(10, 1)}, {upsert(10, 2), read(10)});
}
inline void upsert_beside_upsert_of_the_base(Program& p) {
  beside<KeysInLeaves>(p, {fill(6), insert(35)}, {upsert(50, 2)}, {upsert(50, 3), read(50)});
}
inline void remove_beside_remove(Program& p) { beside<KeysInLeaves>(p, {fill(1)}, {remove(10)}, {remove(10)}); }
inline void remove_beside_remove_from_the_base(Program& p) {
  beside<KeysInLeaves>(p, {fill(6), insert(35)}, {remove(50)}, {remove(50)});
}
inline void remove_beside_read_in_the_leaf(Program& p) {
  beside<InLeaves>(p, {fill(1)}, {remove(10), insert(20)}, {read(20), read(10)});
}

// The leaf is used up: both copy it.
inline void copy_beside_copy(Program& p) { beside<KeysInLeaves>(p, {fill(2)}, {insert(30)}, {insert(40)}); }
inline void copies_beside_copy(Program& p) {
  beside<KeysInLeaves>(p, {fill(2)}, {insert(30), insert(40), insert(50)}, {upsert(20), read(30)});
}
// One has reserved the last slot and publishes it while the other freezes the leaf.
inline void publication_beside_copy(Program& p) { beside<KeysInLeaves>(p, {fill(1)}, {insert(20)}, {insert(30)}); }
inline void publication_beside_copy_with_keys(Program& p) {
  beside<Strings>(p, {fill(1)}, {insert(20)}, {upsert(10), read(20)});
}
// The removal needs no slot: it comes before the leaf is frozen, or to its copy, linked or not.
inline void copy_beside_remove(Program& p) { beside<KeysInLeaves>(p, {fill(2)}, {insert(30)}, {remove(10), read(10)}); }
inline void copy_beside_read(Program& p) {
  beside<KeysInLeaves>(p, {fill(2)}, {upsert(20), collect()}, {read(20), read(20)});
}
inline void copy_beside_reads(Program& p) { beside<KeysInLeaves>(p, {fill(2)}, {upsert(20)}, {upsert(10), read(10)}); }
inline void copy_beside_walk(Program& p) { beside<KeysInLeaves>(p, {fill(2)}, {upsert(20), collect()}, {walk()}); }
inline void two_copies_beside_remove(Program& p) {
  on_a_tree<KeysInLeaves>(p, {fill(2)}, {{insert(30)}, {insert(40)}, {remove(10)}});
}

// The key of what is removed is looked at by searches in the base until the leaf is copied.
inline void remove_beside_comparison(Program& p) {
  beside<Strings>(p, {fill(3)}, {remove(10), insert(40), collect()}, {read(20), read(10)});
}
inline void remove_beside_copy_with_keys(Program& p) {
  beside<Strings>(p, {fill(3)}, {remove(10), collect()}, {insert(40), insert(50), collect()});
}
inline void remove_beside_remove_with_keys(Program& p) {
  beside<Strings>(p, {fill(3)}, {remove(10), insert(10)}, {remove(10)});
}
inline void remove_of_a_long_key_beside_comparison(Program& p) {
  beside<LongStrings>(p, {fill(3)}, {remove(10), collect()}, {read(20), upsert(10)});
}

// Two leaves: 10 to 40 without slots; then 50, 60 and a slot more for each up to fill(10), after which it must be
// split.
inline void split_beside_insert_into_the_leaf(Program& p) {
  beside<KeysInLeaves>(p, {fill(6)}, {insert(35)}, {insert(25)});
}
inline void split_beside_remove(Program& p) {
  beside<KeysInLeaves>(p, {fill(6)}, {insert(35)}, {remove(60), read(60)});
}
inline void split_beside_insert_into_the_neighbour(Program& p) {
  beside<KeysInLeaves>(p, {fill(10)}, {insert(110)}, {insert(15), insert(16)});
}
inline void split_beside_copies_of_the_neighbour(Program& p) {
  beside<KeysInLeaves>(p, {fill(10)}, {insert(110), collect()}, {upsert(10, 3), upsert(20, 3), upsert(30, 3)});
}
inline void split_beside_split_of_the_neighbour(Program& p) {
  beside<KeysInLeaves>(p, {fill(10), insert(15), insert(16)}, {insert(110)}, {insert(17), read(110)});
}
inline void split_beside_read(Program& p) {
  beside<KeysInLeaves>(p, {fill(6)}, {insert(35), upsert(60), collect()}, {read(60), read(35)});
}
inline void split_beside_walk(Program& p) {
  beside<KeysInLeaves>(p, {fill(6)}, {insert(35), remove(60), collect()}, {walk()});
}
inline void split_beside_walk_back(Program& p) {
  beside<KeysInLeaves>(p, {fill(6)}, {insert(35), remove(10), collect()}, {walk_back()});
}
inline void split_with_keys_beside_read(Program& p) {
  beside<Strings>(p, {fill(6)}, {insert(35), collect()}, {read(60), read(35)});
}

// Memory may be short.
inline void failing_split_beside_insert(Program& p) { beside<KeysInLeaves>(p, {fill(6)}, {insert(35)}, {insert(25)}); }
// The neighbour is copied, linked or not, and read.
inline void split_beside_copy_of_the_neighbour_and_read(Program& p) {
  on_a_tree<KeysInLeaves>(p, {fill(10)}, {{insert(110)}, {upsert(10, 3)}, {read(10), read(10)}});
}

// Two leaves: 10 to 40 without slots; 50 and 60, of which one is removed. Both are too many for one leaf, so the small
// one is replaced by a claimed copy.
inline void replacement_beside_upsert(Program& p) {
  beside<KeysInLeaves>(p, {fill(7), remove(70)}, {remove(60)}, {upsert(50), read(50)});
}
inline void replacement_beside_read(Program& p) {
  beside<KeysInLeaves>(p, {fill(7), remove(70)}, {remove(60), upsert(50), collect()}, {read(50), read(60)});
}
inline void replacement_beside_copy_of_the_neighbour(Program& p) {
  beside<KeysInLeaves>(p, {fill(7), remove(70)}, {remove(60)}, {upsert(10, 3), upsert(20, 3), upsert(30, 3)});
}

// Two leaves: 40 alone with free slots; 50 and 60, of which one is removed: that merges both.
#define SCREE_TWO_SMALL_LEAVES fill(7), remove(10), remove(20), remove(30), remove(70)
inline void merge_beside_insert_into_the_neighbour(Program& p) {
  beside<KeysInLeaves>(p, {SCREE_TWO_SMALL_LEAVES}, {remove(60)}, {insert(45), read(45)});
}
inline void merge_beside_remove_from_the_neighbour(Program& p) {
  beside<KeysInLeaves>(p, {SCREE_TWO_SMALL_LEAVES}, {remove(60)}, {remove(40), insert(55)});
}
inline void merge_beside_copy_of_the_neighbour(Program& p) {
  beside<KeysInLeaves>(p, {SCREE_TWO_SMALL_LEAVES, upsert(40), upsert(40)}, {remove(60)}, {upsert(40, 3), read(60)});
}
inline void merge_beside_copies_of_the_neighbour(Program& p) {
  beside<KeysInLeaves>(p, {SCREE_TWO_SMALL_LEAVES, upsert(40)}, {remove(60)},
                       {upsert(40, 3), upsert(40, 4), upsert(40, 5)});
}
inline void merge_beside_merge(Program& p) {
  beside<KeysInLeaves>(p, {SCREE_TWO_SMALL_LEAVES, insert(45)}, {remove(60)}, {remove(40)});
}
inline void merge_beside_read(Program& p) {
  beside<KeysInLeaves>(p, {SCREE_TWO_SMALL_LEAVES}, {remove(60), upsert(40), collect()}, {read(40), read(50)});
}
inline void merge_beside_walk(Program& p) {
  beside<KeysInLeaves>(p, {SCREE_TWO_SMALL_LEAVES}, {remove(60), collect()}, {walk()});
}
inline void merge_beside_walk_back(Program& p) {
  beside<KeysInLeaves>(p, {SCREE_TWO_SMALL_LEAVES}, {remove(60), collect()}, {walk_back()});
}
inline void merge_with_keys_beside_read(Program& p) {
  beside<Strings>(p, {SCREE_TWO_SMALL_LEAVES}, {remove(60), collect()}, {read(40), read(50)});
}
inline void failing_merge_beside_upsert(Program& p) {
  beside<KeysInLeaves>(p, {SCREE_TWO_SMALL_LEAVES, upsert(40), upsert(40)}, {remove(60)}, {upsert(40, 3), read(60)});
}
inline void merge_beside_copy_of_the_neighbour_and_read(Program& p) {
  on_a_tree<KeysInLeaves>(p, {SCREE_TWO_SMALL_LEAVES, upsert(40), upsert(40)},
                          {{remove(60)}, {upsert(40, 3)}, {read(40), read(60)}});
}
#undef SCREE_TWO_SMALL_LEAVES

// Two leaves: 10 to 40 without slots; 50 alone, whose removal unlinks the leaf.
#define SCREE_A_LAST_ENTRY fill(7), remove(70), remove(60)
inline void unlink_beside_insert(Program& p) {
  beside<KeysInLeaves>(p, {SCREE_A_LAST_ENTRY}, {remove(50)}, {insert(55), read(50)});
}
inline void unlink_beside_insert_into_the_neighbour(Program& p) {
  beside<KeysInLeaves>(p, {SCREE_A_LAST_ENTRY}, {remove(50)}, {insert(15), insert(16)});
}
inline void unlink_beside_read(Program& p) {
  beside<KeysInLeaves>(p, {SCREE_A_LAST_ENTRY}, {remove(50), collect()}, {read(50), read(10)});
}
inline void unlink_beside_walk_back(Program& p) {
  beside<KeysInLeaves>(p, {SCREE_A_LAST_ENTRY}, {remove(50), insert(60), collect()}, {walk_back()});
}
#undef SCREE_A_LAST_ENTRY

// Four leaves, the last of which must be split.
inline void root_growth_beside_read(Program& p) {
  beside<KeysInLeaves>(p, {fill(18)}, {insert(190), collect()}, {read(190), read(10)});
}
inline void root_growth_beside_insert(Program& p) {
  beside<KeysInLeaves>(p, {fill(18)}, {insert(190)}, {insert(15), read(190)});
}
inline void root_growth_beside_walk(Program& p) { beside<KeysInLeaves>(p, {fill(18)}, {insert(190)}, {walk()}); }
// Two inner nodes; the last leaf of the second must be split, which replaces that node below the root.
inline void split_below_the_root_beside_read(Program& p) {
  beside<KeysInLeaves>(p, {fill(22)}, {insert(230), collect()}, {read(230), read(210)});
}
inline void split_below_the_root_beside_insert(Program& p) {
  beside<KeysInLeaves>(p, {fill(22)}, {insert(230)}, {insert(135), read(230)});
}
// Two inner nodes: with three leaves, and with the leaf of 170 alone.
#define SCREE_A_LAST_LEAF fill(19), remove(130), remove(140), remove(150), remove(160), remove(190), remove(180)
inline void root_shrinkage_beside_insert(Program& p) {
  beside<KeysInLeaves>(p, {SCREE_A_LAST_LEAF}, {remove(170)}, {insert(15), insert(175)});
}
inline void root_shrinkage_by_a_range_beside_insert(Program& p) {
  beside<KeysInLeaves>(p, {SCREE_A_LAST_LEAF}, {remove_range(170, 200)}, {insert(15), insert(175)});
}
inline void root_shrinkage_beside_read(Program& p) {
  beside<KeysInLeaves>(p, {SCREE_A_LAST_LEAF}, {remove(170), collect()}, {read(10), read(170)});
}
inline void root_shrinkage_by_pop_beside_insert(Program& p) {
  beside<KeysInLeaves>(p, {SCREE_A_LAST_LEAF}, {pop_last()}, {insert(15), insert(175)});
}
#undef SCREE_A_LAST_LEAF
// Two inner nodes with two leaves each; where one is unlinked, both become one, which is the root.
#define SCREE_TWO_SMALL_INNER_NODES \
  fill(19), remove(10), remove(20), remove(30), remove(40), remove(130), remove(140), remove(150)
inline void merge_of_inner_nodes_beside_insert(Program& p) {
  beside<KeysInLeaves>(p, {SCREE_TWO_SMALL_INNER_NODES}, {remove(160)}, {insert(55), insert(195)});
}
inline void merge_of_inner_nodes_beside_read(Program& p) {
  beside<KeysInLeaves>(p, {SCREE_TWO_SMALL_INNER_NODES}, {remove(160), collect()}, {read(190), read(50)});
}
#undef SCREE_TWO_SMALL_INNER_NODES

// Changes of an entry that is in a slot, and of one in a base.
inline void update_beside_remove(Program& p) {
  beside<KeysInLeaves>(p, {fill(1)}, {update(10)}, {remove(10), read(10)});
}
inline void update_beside_update(Program& p) {
  beside<KeysInLeaves>(p, {fill(1)}, {update(10)}, {update(10, 20), read(10)});
}
inline void update_beside_update_in_the_leaf(Program& p) {
  beside<InLeaves>(p, {fill(1)}, {update(10)}, {update(10, 20), read(10)});
}
inline void update_beside_update_of_the_base(Program& p) {
  beside<KeysInLeaves>(p, {fill(6), insert(35)}, {update(50)}, {update(50, 20), read(50)});
}
inline void update_beside_remove_from_the_base(Program& p) {
  beside<KeysInLeaves>(p, {fill(6), insert(35)}, {update(50)}, {remove(50), insert(50, 3)});
}
// The leaf is used up: both copy it.
inline void update_beside_copy(Program& p) {
  beside<KeysInLeaves>(p, {fill(2)}, {update(20)}, {update(20, 20), read(20)});
}
inline void update_beside_copy_in_the_leaf(Program& p) {
  beside<InLeaves>(p, {fill(2)}, {update(20)}, {update(20, 20), insert(30)});
}
inline void exchange_beside_upsert(Program& p) {
  beside<KeysInLeaves>(p, {fill(1)}, {exchange(10, 5)}, {upsert(10, 7), read(10)});
}
inline void exchange_beside_exchange(Program& p) {
  beside<InLeaves>(p, {fill(1)}, {exchange(10, 5)}, {exchange(10, 7)});
}
inline void exchange_beside_exchange_of_none(Program& p) {
  beside<KeysInLeaves>(p, {}, {exchange(10, 5)}, {exchange(10, 7)});
}
inline void exchange_beside_remove(Program& p) {
  beside<KeysInLeaves>(p, {fill(6), insert(35)}, {exchange(50, 5)}, {remove(50), insert(50, 7)});
}
inline void exchange_beside_copy(Program& p) {
  beside<InLeaves>(p, {fill(2)}, {exchange(10, 5)}, {insert(30), insert(40)});
}
inline void exchange_beside_clear(Program& p) {
  beside<KeysInLeaves>(p, {fill(1)}, {exchange(10, 5), read(10)}, {clear(), read(10)});
}

// Of one leaf, and of a base.
inline void pop_beside_pop(Program& p) { beside<KeysInLeaves>(p, {fill(1)}, {pop_first()}, {pop_first()}); }
inline void pop_beside_pop_from_the_other_end(Program& p) {
  beside<KeysInLeaves>(p, {fill(2)}, {pop_first(), pop_first()}, {pop_last()});
}
inline void pop_beside_insert_of_less(Program& p) {
  beside<KeysInLeaves>(p, {fill(1)}, {pop_first()}, {insert(5), upsert(10, 3)});
}
inline void pop_beside_insert_into_nothing(Program& p) {
  beside<InLeaves>(p, {}, {pop_first(), pop_last()}, {insert(10), insert(5)});
}
inline void pop_from_the_base_beside_insert(Program& p) {
  beside<InLeaves>(p, {fill(6), insert(35)}, {pop_last()}, {insert(65), remove(60)});
}
inline void pop_beside_read(Program& p) {
  beside<KeysInLeaves>(p, {fill(2)}, {pop_first(), collect()}, {read(10), pop_first()});
}
inline void pop_with_keys_beside_comparison(Program& p) {
  beside<Strings>(p, {fill(3)}, {pop_first(), collect()}, {read(20), pop_first()});
}
inline void pop_beside_copy(Program& p) { beside<KeysInLeaves>(p, {fill(2)}, {insert(30)}, {pop_first(), pop_last()}); }
inline void pop_beside_clear(Program& p) {
  beside<KeysInLeaves>(p, {fill(2)}, {clear(), insert(30)}, {pop_first(), pop_first()});
}
inline void pop_beside_split(Program& p) {
  beside<KeysInLeaves>(p, {fill(6)}, {insert(35)}, {pop_last(), pop_first()});
}

// Two leaves: 40 alone; 50 and 60. While the first one is empty, nothing behind it may be taken: 45 may come into it.
#define SCREE_A_FIRST_ENTRY fill(7), remove(10), remove(20), remove(30), remove(70)
inline void pop_beside_unlink_of_the_first_leaf(Program& p) {
  beside<KeysInLeaves>(p, {SCREE_A_FIRST_ENTRY}, {remove(40), insert(45), upsert(50, 3)}, {pop_first()});
}
inline void pop_of_the_first_leaf_beside_insert(Program& p) {
  beside<KeysInLeaves>(p, {SCREE_A_FIRST_ENTRY}, {pop_first(), pop_first()}, {insert(35), read(50)});
}
inline void pop_of_the_first_leaf_beside_pop(Program& p) {
  beside<KeysInLeaves>(p, {SCREE_A_FIRST_ENTRY}, {pop_first()}, {pop_first(), pop_first()});
}
#undef SCREE_A_FIRST_ENTRY
// Two leaves: 10 to 40 without slots; 50 alone.
#define SCREE_A_LAST_ENTRY fill(7), remove(70), remove(60)
inline void pop_beside_unlink_of_the_last_leaf(Program& p) {
  beside<KeysInLeaves>(p, {SCREE_A_LAST_ENTRY}, {remove(50), insert(55), upsert(40, 3)}, {pop_last()});
}
inline void pop_of_the_last_leaf_beside_insert(Program& p) {
  beside<KeysInLeaves>(p, {SCREE_A_LAST_ENTRY}, {pop_last(), pop_last()}, {insert(55), read(40)});
}
inline void failing_pop_beside_insert(Program& p) {
  beside<KeysInLeaves>(p, {SCREE_A_LAST_ENTRY}, {pop_last(), pop_last()}, {insert(55)});
}
inline void pop_beside_unlink_and_pop_from_the_other_end(Program& p) {
  on_a_tree<KeysInLeaves>(p, {SCREE_A_LAST_ENTRY}, {{remove(50)}, {pop_last()}, {pop_first()}});
}
#undef SCREE_A_LAST_ENTRY

// Three leaves: 10 to 40 and 50 to 80 without slots, then 90 to 140. Whole leaves go.
inline void range_beside_insert(Program& p) {
  beside<KeysInLeaves>(p, {fill(14)}, {remove_range(50, 80)}, {insert(55), read(60)});
}
// Into the leaf, and not into the range.
inline void range_beside_insert_of_another(Program& p) {
  beside<KeysInLeaves>(p, {fill(14), upsert(60)}, {remove_range(50, 80)}, {insert(85), read(85)});
}
inline void range_beside_upsert(Program& p) {
  beside<KeysInLeaves>(p, {fill(14)}, {remove_range(50, 80)}, {upsert(60, 3), read(60)});
}
inline void range_beside_remove(Program& p) {
  beside<KeysInLeaves>(p, {fill(14)}, {remove_range(45, 85)}, {remove(60), insert(60)});
}
inline void range_beside_read(Program& p) {
  beside<KeysInLeaves>(p, {fill(14)}, {remove_range(50, 80), collect()}, {read(60), read(50)});
}
inline void range_beside_comparison(Program& p) {
  beside<Strings>(p, {fill(14)}, {remove_range(50, 80), collect()}, {read(70), read(60)});
}
inline void range_beside_removed_keys(Program& p) {
  beside<Strings>(p, {fill(14), remove(60)}, {remove_range(50, 80), collect()}, {read(70), remove(80)});
}
inline void range_beside_walk(Program& p) {
  beside<KeysInLeaves>(p, {fill(14)}, {remove_range(50, 80), insert(75), collect()}, {walk()});
}
inline void range_beside_walk_back(Program& p) {
  beside<KeysInLeaves>(p, {fill(14)}, {remove_range(50, 80), insert(55), collect()}, {walk_back()});
}
inline void range_beside_split_of_the_neighbour(Program& p) {
  beside<KeysInLeaves>(p, {fill(14), insert(15), insert(16)}, {remove_range(50, 80)}, {insert(17), read(70)});
}
inline void range_beside_copies_of_the_neighbour(Program& p) {
  beside<KeysInLeaves>(p, {fill(14)}, {remove_range(50, 80)}, {upsert(10, 3), upsert(20, 3), upsert(30, 3)});
}
inline void range_beside_range(Program& p) {
  beside<KeysInLeaves>(p, {fill(14)}, {remove_range(50, 80)}, {remove_range(50, 140)});
}
inline void range_of_leaves_beside_insert(Program& p) {
  beside<KeysInLeaves>(p, {fill(14)}, {remove_range(10, 80)}, {insert(75), read(20)});
}
inline void range_of_parts_of_leaves_beside_insert(Program& p) {
  beside<KeysInLeaves>(p, {fill(10)}, {remove_range(40, 50)}, {insert(45), read(40)});
}
inline void failing_range_beside_upsert(Program& p) {
  beside<KeysInLeaves>(p, {fill(14)}, {remove_range(50, 80)}, {upsert(60, 3), read(70)});
}
// The only leaf is replaced.
inline void range_of_the_only_leaf_beside_insert(Program& p) {
  beside<KeysInLeaves>(p, {fill(2)}, {remove_range(5, 25)}, {insert(15), read(10)});
}
inline void range_of_the_only_leaf_beside_comparison(Program& p) {
  beside<Strings>(p, {fill(3)}, {remove_range(5, 35), collect()}, {read(20), read(10)});
}

inline void clear_beside_insert(Program& p) {
  beside<KeysInLeaves>(p, {fill(1)}, {clear(), insert(30), collect()}, {insert(20), read(30)});
}
inline void clear_beside_copy(Program& p) {
  beside<KeysInLeaves>(p, {fill(2)}, {clear(), collect()}, {insert(30), read(30)});
}

}  // namespace scree::model::tree
