/* Split products on emulated tile registers: proves the text of split_tiles.inc on processors without AMX.
 *
 * What the instructions do is taken from Intel's Software Developer's Manual (TILELOADD, TILESTORED, TDPBF16PS). Uses that the
 * processor answers with an exception (tiles that are not shaped, or shapes that do not fit) trap. */

#include <float.h>
#include "split.h"

typedef struct {
  size_t rows, row_bytes; /* 0: not shaped */
  union { uint16_t halves[16][32]; float sums[16][16]; };
} emulated_tile;

/* One set per thread, as in the processor. */
static _Thread_local emulated_tile tiles[8];

INLINE void demand(int condition) { if (!condition) __builtin_trap(); }

static void shape_tiles(size_t upper, size_t lower) {
  const size_t rows[8] = {upper, upper, lower, lower, upper, lower, 16, 16};
  memset(tiles, 0, sizeof tiles);
  for (int t = 0; t < 8; t++) {
    demand(rows[t] >= 1 && rows[t] <= 16);
    tiles[t].rows = rows[t], tiles[t].row_bytes = 64;
  }
}

static void clear_tile(emulated_tile *tile) {
  demand(tile->rows > 0);
  memset(tile->halves, 0, sizeof tile->halves);
}

static void load_tile(emulated_tile *tile, const void *base, ptrdiff_t bytes) {
  clear_tile(tile);
  for (size_t r = 0; r < tile->rows; r++) memcpy(tile->halves[r], (const char *)base + (ptrdiff_t)r * bytes, tile->row_bytes);
}

static void store_tile(const emulated_tile *tile, void *base, ptrdiff_t bytes) {
  demand(tile->rows > 0);
  for (size_t r = 0; r < tile->rows; r++) memcpy((char *)base + (ptrdiff_t)r * bytes, tile->sums[r], tile->row_bytes);
}

/* A denormal becomes a zero, as operand and as result. */
INLINE float flushed(float x) { return fabsf(x) < FLT_MIN ? copysignf(0, x) : x; }

INLINE float widened(uint16_t x) {
  const uint32_t bits = (uint32_t)x << 16;
  float y;
  memcpy(&y, &bits, sizeof y);
  return flushed(y);
}

/* sum + x y with one rounding: the product has 16 bits, so a double holds all that can change how the sum rounds to a float. */
INLINE float fused(float sum, float x, float y) { return flushed((float)((double)x * (double)y + (double)sum)); }

/* The even and the odd numbers of the pairs are summed by themselves from zero; their sum is then added to c. */
static void dot_tile(emulated_tile *c, const emulated_tile *a, const emulated_tile *b) {
  demand(c->rows > 0 && a->rows == c->rows && a->row_bytes == 4 * b->rows && b->row_bytes == c->row_bytes);
  for (size_t m = 0; m < c->rows; m++) {
    float even[16] = {0}, odd[16] = {0};
    for (size_t k = 0; k < b->rows; k++) {
      const float x = widened(a->halves[m][2 * k]), z = widened(a->halves[m][2 * k + 1]);
      VECTORIZE for (size_t n = 0; n < 16; n++) {
        even[n] = fused(even[n], x, widened(b->halves[k][2 * n]));
        odd[n] = fused(odd[n], z, widened(b->halves[k][2 * n + 1]));
      }
    }
    VECTORIZE for (size_t n = 0; n < 16; n++) c->sums[m][n] = flushed(flushed(c->sums[m][n]) + flushed(even[n] + odd[n]));
  }
}

#define NAME(x) x##_emulated
#define TILES_SHAPE(upper, lower) shape_tiles(upper, lower)
#define TILES_RELEASE() memset(tiles, 0, sizeof tiles)
#define TILE_ZERO(t) clear_tile(&tiles[t])
#define TILE_LOAD(t, base, bytes) load_tile(&tiles[t], base, bytes)
#define TILE_STORE(t, base, bytes) store_tile(&tiles[t], base, bytes)
#define TILE_DOT(c, a, b) dot_tile(&tiles[c], &tiles[a], &tiles[b])
#include "split_tiles.inc"

const apus_split_kernels apus_split_emulated = {
  .split = apus_split_rows_portable, .split_transposed = apus_split_transposed_portable,
  .pack = apus_split_pack_portable, .pack_transposed = apus_split_pack_transposed_portable,
  .product = product_emulated, .tiles_begin = tiles_begin_emulated, .tiles_end = tiles_end_emulated,
};
