// SPDX-License-Identifier: Apache-2.0
//
// Small programs for the explorer in which coroutines await TreeIndex's operations beside threads that change the same
// leaves; tree_programs.h has the others.

#pragma once

#include "model/explorer.h"
#include "tree_scene.h"

namespace scree::model::tree {

// The leaf must be split: by a thread, for whose lock of the parent, or of the tree, the coroutine waits; or by the
// coroutine.
inline void split_beside_awaited_insert(Program& p) {
  on_a_tree<KeysInLeaves>(p, {fill(6)}, {{insert(35)}, {insert_async(25)}});
}
inline void split_with_keys_beside_awaited_insert(Program& p) {
  on_a_tree<Strings>(p, {fill(6)}, {{insert(35), collect()}, {insert_async(25)}});
}
inline void split_beside_awaited_insert_of_the_key(Program& p) {
  on_a_tree<KeysInLeaves>(p, {fill(6)}, {{insert(35)}, {insert_async(35, 3)}});
}
inline void awaited_insert_beside_awaited_insert(Program& p) {
  on_a_tree<KeysInLeaves>(p, {fill(6)}, {{insert_async(35)}, {insert_async(25)}});
}
inline void split_beside_two_awaited_inserts(Program& p) {
  on_a_tree<KeysInLeaves>(p, {fill(6)}, {{insert(35)}, {insert_async(25)}, {insert_async(26)}});
}
inline void three_awaited_inserts(Program& p) {
  on_a_tree<KeysInLeaves>(p, {fill(6)}, {{insert_async(35)}, {insert_async(25)}, {insert_async(26)}});
}
inline void failing_split_beside_awaited_insert(Program& p) { split_beside_awaited_insert(p); }
inline void failing_awaited_insert_beside_awaited_insert(Program& p) { awaited_insert_beside_awaited_insert(p); }

// Both leaves must be split: that of one is held up by the other in the tree's lock.
inline void split_beside_awaited_split_of_the_neighbour(Program& p) {
  on_a_tree<KeysInLeaves>(p, {fill(10), insert(15), insert(16)}, {{insert(110)}, {insert_async(17)}});
}
inline void split_beside_clear_and_awaited_split_of_the_neighbour(Program& p) {
  on_a_tree<KeysInLeaves>(p, {fill(10), insert(15), insert(16)},
                          {{insert(110)}, {insert_async(17)}, {clear(), collect()}});
}

// A coroutine that has been let on, and is not resumed yet, holds up nobody.
inline void splits_beside_a_deferred_coroutine(Program& p) {
  on_a_tree<KeysInLeaves>(p, {fill(10), insert(15), insert(16)},
                          {{insert(110)}, {insert_async(17), defer()}, {insert(18)}});
}

// As in tree_programs.h: two small leaves, 40 alone, and 50 and 60, of which one is removed.
#define SCREE_TWO_SMALL_LEAVES fill(7), remove(10), remove(20), remove(30), remove(70)
inline void merge_beside_awaited_insert_into_the_neighbour(Program& p) {
  on_a_tree<KeysInLeaves>(p, {SCREE_TWO_SMALL_LEAVES, upsert(40), upsert(40)}, {{remove(60)}, {insert_async(45)}});
}
inline void merge_beside_awaited_remove_from_the_neighbour(Program& p) {
  on_a_tree<KeysInLeaves>(p, {SCREE_TWO_SMALL_LEAVES}, {{remove(60), collect()}, {remove_async(40)}});
}
inline void awaited_merge_beside_insert_into_the_neighbour(Program& p) {
  on_a_tree<KeysInLeaves>(p, {SCREE_TWO_SMALL_LEAVES, upsert(40), upsert(40)}, {{remove_async(60)}, {upsert(40, 3)}});
}
inline void awaited_merge_beside_merge(Program& p) {
  on_a_tree<KeysInLeaves>(p, {SCREE_TWO_SMALL_LEAVES, insert(45)}, {{remove_async(60)}, {remove(40)}});
}
#undef SCREE_TWO_SMALL_LEAVES
// Three leaves: the first two small, 40 and 70, 80; the last one must be split. Its split holds the tree's lock when it
// is published, so that the merge of the others is undone, whose neighbour hangs on a leaf that is copied.
inline void refused_merge_beside_copy_of_the_neighbour(Program& p) {
  on_a_tree<KeysInLeaves>(
      p, {fill(14), remove(10), remove(20), remove(30), remove(50), remove(60), upsert(40), upsert(40)},
      {{insert(150)}, {upsert(40, 3), read(40), crowd(40)}, {remove_async(80)}});
}
// The first leaf has 40 alone; it is taken out, and the leaf unlinked.
inline void awaited_pop_beside_unlink(Program& p) {
  on_a_tree<KeysInLeaves>(p, {fill(7), remove(10), remove(20), remove(30)}, {{remove(40)}, {pop_first_async()}});
}
inline void awaited_pop_beside_awaited_pop(Program& p) {
  on_a_tree<KeysInLeaves>(p, {fill(7), remove(10), remove(20), remove(30)}, {{pop_first_async()}, {pop_first_async()}});
}

// Two inner nodes with two leaves each; where one is unlinked, both become one: an undone merge, or one beside it.
#define SCREE_TWO_SMALL_INNER_NODES \
  fill(19), remove(10), remove(20), remove(30), remove(40), remove(130), remove(140), remove(150)
inline void awaited_merge_of_inner_nodes_beside_insert(Program& p) {
  on_a_tree<KeysInLeaves>(p, {SCREE_TWO_SMALL_INNER_NODES}, {{remove_async(160)}, {insert(55), insert(195)}});
}
inline void merge_of_inner_nodes_beside_awaited_insert(Program& p) {
  on_a_tree<KeysInLeaves>(p, {SCREE_TWO_SMALL_INNER_NODES}, {{remove(160), collect()}, {insert_async(165)}});
}
#undef SCREE_TWO_SMALL_INNER_NODES

// A coroutine that waits is destroyed, before the node has died or after.
inline void destroy_awaited_insert_beside_split(Program& p) {
  on_a_tree<KeysInLeaves>(p, {fill(6)}, {{insert(35), collect()}, {insert_async(25), destroy()}});
}
inline void destroy_awaited_insert_beside_split_and_awaited_insert(Program& p) {
  on_a_tree<KeysInLeaves>(p, {fill(6)}, {{insert(35)}, {insert_async(25), destroy()}, {insert_async(26)}});
}
inline void destroy_awaited_insert_beside_split_and_clear(Program& p) {
  on_a_tree<KeysInLeaves>(p, {fill(6)}, {{insert(35)}, {insert_async(25), destroy()}, {clear(), collect()}});
}

}  // namespace scree::model::tree
