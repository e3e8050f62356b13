/* What every loop file needs: includes, the vectorisation pragmas, and the names of the tables of each instruction set.
 *
 * VECTORIZE stands before a loop whose iterations do not depend on each other. In-place calls (y equal to an input) are allowed: an
 * iteration reads its elements before it writes them. NO_VECTORIZE stands before loops of a few iterations, where the set-up of a vector
 * loop costs more than it saves. UNROLLED stands before loops over registers, BY_EIGHT before the innermost ones around them.
 *
 * No sum is left to the compiler's order: those that run across lanes have 32 of them whatever the vectors' length (see reduction.inc), so
 * that AVX2 and AVX-512 give the same bits. */
#ifndef APUS_LOOPS_H
#define APUS_LOOPS_H

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "kernels.h"

#define VECTORIZE _Pragma("clang loop vectorize(assume_safety)")
#define NO_VECTORIZE _Pragma("clang loop vectorize(disable) unroll(disable)")
#define UNROLLED _Pragma("clang loop unroll(full)")
#define BY_EIGHT _Pragma("clang loop unroll_count(8)")
#define INLINE static inline __attribute__((always_inline))

/* Sets y[i] for all i < n, where a stands for x[i]; EACH_CALL for expressions that call the C library, which do not vectorise. */
#define EACH(expression) \
  do { VECTORIZE for (size_t i = 0; i < n; i++) { const REAL a = x[i]; y[i] = (expression); } } while (0)
#define EACH_CALL(expression) \
  do { for (size_t i = 0; i < n; i++) { const REAL a = x[i]; y[i] = (expression); } } while (0)

/* Elements of a stack tile: constants repeated along rows, and the running sums of one strip of columns. */
enum { TILE = 256 };

/* What a sum adds up: x, (x - mean)^2, or x z. */
enum { TERM_VALUE, TERM_DEVIATION, TERM_PRODUCT };

/* Longer runs are cut for their sums. */
enum { LONGEST_SHORT_SUM = 1024 };

/* Where: at a multiple of half of that. */
INLINE size_t first_half(size_t n) { return (n / 2 + 511) / 512 * 512; }

INLINE size_t smaller(size_t a, size_t b) { return a < b ? a : b; }
INLINE size_t larger(size_t a, size_t b) { return a > b ? a : b; }

extern const apus_kernels apus_portable_float32, apus_portable_float64;
extern const apus_kernels apus_avx2_float32, apus_avx2_float64;
extern const apus_kernels apus_avx512_float32, apus_avx512_float64;

#endif
