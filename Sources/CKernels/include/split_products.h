/* Products of float32 matrices on bfloat16 units: every number is split into the sum of up to three bfloat16 parts.
 *
 *   x = x0 + x1 + x2 with x0 = bf16(x), x1 = bf16(x - x0), x2 = bf16(x - x0 - x1): 24 bits of significand, so nothing is lost
 *
 *   parts  products summed                          error of a b relative to |a| |b|
 *   3      x0w0 x0w1 x1w0 x0w2 x1w1 x2w0            at or below plain float32 accumulation
 *   2      x0w0 x0w1 x1w0                           at most 3 2^-16, typically 4e-6
 *   1      x0w0                                     at most 2^-7, typically 3e-3
 *
 * Method: Henry, Tang, Heinecke, "Leveraging the bfloat16 artificial intelligence datatype for higher-precision computations",
 * 2019. Sums are kept in float32, in an order that depends on the sizes alone: the same bits for every split of the rows.
 *
 * Numbers at the edges:
 * - Rounding is to nearest, ties to even. Magnitudes below 2^-126 become zeros of the same sign, in parts as in remainders: what
 *   bfloat16 units do. So parts of numbers below 2^-110 or so lose digits.
 * - A finite number above the largest bfloat16 (3.39e38) has that as part 0, never infinity; the next parts hold the remainder.
 * - Part 0 of an infinity or NaN is itself (NaN made quiet), its other parts are 0. A product with one is not finite, but may be NaN
 *   where float32 has an infinity: infinity times a part that is 0 is NaN.
 *
 * All counts and strides are in elements. The caller owns all memory and splits the work between threads; pointers need no
 * alignment beyond their element's, but panels gain from 64 bytes. No function allocates or fails.
 */
#ifndef APUS_SPLIT_PRODUCTS_H
#define APUS_SPLIT_PRODUCTS_H

#include <stddef.h>
#include <stdint.h>

enum {
  APUS_PANEL_COLUMNS = 32, /* columns of B per panel */
  APUS_PANEL_DEPTH = 32,   /* depth per block of a panel */
};

/* x [rows, columns] floats, rows x_row apart -> `parts` planes of bfloat16, y_plane apart, with rows y_row apart.
 * split: y[q][row][column], each row zero-filled from columns to `width`; split_transposed: y[q][column][row], each column
 * zero-filled from rows to `width`. width is at least columns (rows) and at most y_row. */
typedef struct {
  size_t rows, columns, width;
  ptrdiff_t x_row, y_row, y_plane;
  int parts;
} apus_split_rows;

/* B of a product, one matrix [depth, columns] of floats per tap -> panels of 32 columns, split.
 * pack reads b[t tap + k row + n], pack_transposed b[t tap + n row + k].
 * y [ceil(columns / 32)][taps][ceil(depth / 32)][parts][2 halves][16 pairs][16 columns][2]: element (k, n) of tap t is at pair
 * k % 32 / 2, position k % 2, half n % 32 / 16, column n % 16; zero beyond depth and columns. */
typedef struct {
  size_t taps, depth, columns;
  ptrdiff_t tap, row;
  int parts;
} apus_split_panels;

/* c[row, n] = sum over taps t and k < depth of a[row a_row + tap_offsets[t] + k] b[t][k, n] for the columns n < columns <= 32 of
 * one panel. The rows of A may overlap (a_row < depth: neighbouring pixels of a convolution).
 * From every row and tap the elements up to the next multiple of 32 of depth must be readable and finite, though they meet zeros.
 * adds: the sum, complete and rounded, is added to c instead of overwriting it. */
typedef struct {
  size_t rows, columns, depth, taps;
  const ptrdiff_t *tap_offsets;
  ptrdiff_t a_row, a_plane, c_row;
  int parts, adds;
} apus_split_product;

typedef struct {
  void (*split)(const apus_split_rows *options, const float *x, uint16_t *y);
  void (*split_transposed)(const apus_split_rows *options, const float *x, uint16_t *y);
  void (*pack)(const apus_split_panels *options, const float *b, uint16_t *y);
  void (*pack_transposed)(const apus_split_panels *options, const float *b, uint16_t *y);
  /* Must be called between tiles_begin and tiles_end of the same thread. panel: one panel of pack's output. */
  void (*product)(const apus_split_product *options, const uint16_t *a, const uint16_t *panel, float *c);
  /* Set up and release the tile registers of the calling thread, around a task; nothing to do without AMX. */
  void (*tiles_begin)(void);
  void (*tiles_end)(void);
} apus_split_kernels;

typedef enum {
  APUS_SPLIT_AMX,         /* tile registers: 2 x 2 tiles of 16 x 16 sums */
  APUS_SPLIT_AVX512_BF16, /* vdpbf16ps: 14 rows x 32 columns of sums */
  APUS_SPLIT_PORTABLE,
  APUS_SPLIT_AMX_EMULATED /* the text of APUS_SPLIT_AMX over tile registers emulated in C, for tests */
} apus_split_backend;

/* The functions of a back end; NULL if this build or processor lacks it, or the system refuses the tile registers. */
const apus_split_kernels *apus_split_kernels_of(apus_split_backend backend);
/* Elements of one panel of pack; B takes ceil(columns / 32) of them. */
size_t apus_split_panel_size(size_t taps, size_t depth, int parts);
/* 1 where the processor has AMX for bfloat16 and the system, asked once per process, lets it use the tile registers; else 0. */
int apus_tiles_permitted(void);

#endif
