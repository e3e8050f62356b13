/* Which tables this build and this processor have, and conversions between the precisions. */

#include "loops.h"
#if defined(__GLIBC__)
#include <malloc.h>
#endif

void apus_malloc_apart(size_t bytes) {
#if defined(__GLIBC__)
  mallopt(M_MMAP_THRESHOLD, (int)bytes);
#else
  (void)bytes;
#endif
}

apus_isa apus_best_isa(void) {
#if defined(__x86_64__)
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return APUS_PORTABLE;
  const int avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq")
                     && __builtin_cpu_supports("avx512vl");
  return avx512 ? APUS_AVX512 : APUS_AVX2;
#else
  return APUS_PORTABLE;
#endif
}

const apus_kernels *apus_kernels_float32(apus_isa isa) {
  if (isa > apus_best_isa()) return NULL;
#if defined(__x86_64__)
  if (isa == APUS_AVX512) return &apus_avx512_float32;
  if (isa == APUS_AVX2) return &apus_avx2_float32;
#endif
  return &apus_portable_float32;
}

const apus_kernels *apus_kernels_float64(apus_isa isa) {
  if (isa > apus_best_isa()) return NULL;
#if defined(__x86_64__)
  if (isa == APUS_AVX512) return &apus_avx512_float64;
  if (isa == APUS_AVX2) return &apus_avx2_float64;
#endif
  return &apus_portable_float64;
}

void apus_widen(const float *x, double *y, size_t n) {
  VECTORIZE for (size_t i = 0; i < n; i++) y[i] = (double)x[i];
}

void apus_narrow(const double *x, float *y, size_t n) {
  VECTORIZE for (size_t i = 0; i < n; i++) y[i] = (float)x[i];
}
