/* The tables of loops compiled for AVX2 and FMA. */

#include "loops.h"
#define REGISTER_BYTES 32
#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)

#define EACH_FLOOR EACH
#define REAL float
#define WHOLE int32_t
#define NAME(x) x##_float32
#define TABLE apus_avx2_float32
#include "transcendental_float32.inc"
#include "table.inc"

#define EACH_FLOOR EACH
#define REAL double
#define WHOLE int64_t
#define NAME(x) x##_float64
#define TABLE apus_avx2_float64
#include "transcendental_float64.inc"
#include "table.inc"
#pragma clang attribute pop
#endif
