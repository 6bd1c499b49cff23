// SPDX-License-Identifier: Apache-2.0
//
// Hash functions, and keys that are looked up by something else, for the tests of the hash containers.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

namespace scree::test {

struct OneHash {
  template <class K>
  std::size_t operator()(const K&) const noexcept {
    return 1;
  }
};

// All that a bucket is chosen by, the highest bits, of these: keys 0 to 255 are in the order of their hashes.
struct HighBits {
  using is_avalanching = void;
  std::uint64_t operator()(std::uint64_t n) const noexcept { return n << 56; }
};

// What a key's hash and equality are is known to the objects of these only.
class SeededHash {
 public:
  explicit SeededHash(std::uint64_t seed) : seed_(seed) {}
  std::size_t operator()(int n) const noexcept { return static_cast<std::uint64_t>(n % 100) * seed_; }

 private:
  std::uint64_t seed_;
};
class EqualUpTo {
 public:
  explicit EqualUpTo(int modulus) : modulus_(modulus) {}
  bool operator()(int a, int b) const noexcept { return a % modulus_ == b % modulus_; }

 private:
  int modulus_;
};

// A key that is looked up by something else of the user's.
struct Person {
  int id;
  std::string name;
};
struct HashPerson {
  using is_transparent = void;
  std::size_t operator()(const Person& p) const { return static_cast<std::size_t>(p.id); }
  std::size_t operator()(int id) const { return static_cast<std::size_t>(id); }
};
struct EqualPerson {
  using is_transparent = void;
  bool operator()(const Person& a, const Person& b) const { return a.id == b.id; }
  bool operator()(const Person& a, int id) const { return a.id == id; }
};

}  // namespace scree::test
