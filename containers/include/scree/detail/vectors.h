// SPDX-License-Identifier: Apache-2.0
//
// Functions that use AVX-512 where the processor has it, as of Ice Lake and Zen 4: chosen at run time unless the
// program is compiled for such a processor. Once for a whole operation, with_vectors(), or where that would not pay,
// for each function, which is overloaded for how it is to work.

#pragma once

#include <scree/atomic.h>

#if defined(__x86_64__) && !SCREE_MODEL
#include <immintrin.h>
#define SCREE_HAS_VECTORS 1
#else
#define SCREE_HAS_VECTORS 0
#endif

namespace scree::detail {

// How to work.
struct Avx512 {};
struct ChosenAtRunTime {};

#if SCREE_HAS_VECTORS

#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512VBMI2__) && defined(__BMI2__)
#define SCREE_COMPILED_FOR_AVX512 1
#define SCREE_AVX512_FUNCTION
#else
#define SCREE_COMPILED_FOR_AVX512 0
#define SCREE_AVX512_FUNCTION [[gnu::target("avx512f,avx512bw,avx512vbmi2,popcnt,bmi,bmi2")]]
#endif

// All of what `f` calls becomes part of it, as far as that can be; not in instrumented programs, which would take long
// to compile.
#if SCREE_UNDER_ASAN || SCREE_UNDER_TSAN
#define SCREE_FLATTEN
#else
#define SCREE_FLATTEN [[gnu::flatten]]
#endif
template <class F>
SCREE_AVX512_FUNCTION SCREE_FLATTEN inline auto call_with_avx512(const F& f) {
  return f(Avx512());
}
#undef SCREE_FLATTEN

inline bool has_avx512() noexcept {
#if SCREE_COMPILED_FOR_AVX512
  return true;
#else
  return __builtin_cpu_supports("avx512vbmi2") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
         __builtin_cpu_supports("bmi2") != 0;
#endif
}

// Out of line, lest its registers are saved where it is not called.
template <class F>
[[gnu::noinline]] auto call_without(const F& f) {
  return f(ChosenAtRunTime());
}

#endif  // SCREE_HAS_VECTORS

// Calls `f(how to work)`: compiled for AVX-512 if the processor has it, where there are numbers to compare.
template <bool kNumbers, class F>
auto with_vectors(const F& f) {
#if SCREE_HAS_VECTORS && SCREE_COMPILED_FOR_AVX512
  return f(Avx512());
#else
#if SCREE_HAS_VECTORS
  if constexpr (kNumbers) return has_avx512() ? call_with_avx512(f) : call_without(f);
#endif
  return f(ChosenAtRunTime());
#endif
}

}  // namespace scree::detail
