/* What the back ends of split products share. */

#ifndef APUS_SPLIT_H
#define APUS_SPLIT_H

#include "loops.h"
#include "split_products.h"

enum {
  PANEL_COLUMNS = APUS_PANEL_COLUMNS, PANEL_DEPTH = APUS_PANEL_DEPTH,
  HALF = 16 * 16 * 2,  /* elements of 16 columns of one part of a block: 16 pairs x 16 columns x 2 */
  PART = 2 * HALF,     /* elements of one part of a block */
};

/* The products of each number of parts, smallest first, for sums that take one product after the other. */
typedef struct { unsigned char x, w; } split_factors;
static const split_factors SPLIT_FACTORS[4][6] = {
  {{0, 0}}, {{0, 0}}, {{0, 1}, {1, 0}, {0, 0}}, {{0, 2}, {1, 1}, {2, 0}, {0, 1}, {1, 0}, {0, 0}},
};
static const unsigned char SPLIT_PRODUCTS[4] = {0, 1, 3, 6};

INLINE size_t blocks_of(size_t count, size_t size) { return (count + size - 1) / size; }

extern const apus_split_kernels apus_split_portable, apus_split_emulated;
extern const apus_split_kernels apus_split_avx512, apus_split_amx;

/* The conversions, which the tables of the tile registers share. */
void apus_split_rows_portable(const apus_split_rows *options, const float *x, uint16_t *y);
void apus_split_transposed_portable(const apus_split_rows *options, const float *x, uint16_t *y);
void apus_split_pack_portable(const apus_split_panels *options, const float *b, uint16_t *y);
void apus_split_pack_transposed_portable(const apus_split_panels *options, const float *b, uint16_t *y);
void apus_split_rows_avx512(const apus_split_rows *options, const float *x, uint16_t *y);
void apus_split_transposed_avx512(const apus_split_rows *options, const float *x, uint16_t *y);
void apus_split_pack_avx512(const apus_split_panels *options, const float *b, uint16_t *y);
void apus_split_pack_transposed_avx512(const apus_split_panels *options, const float *b, uint16_t *y);

#endif
