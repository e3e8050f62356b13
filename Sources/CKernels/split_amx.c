/* Split products on the tile registers of AMX. */

#include "split.h"
#if defined(__x86_64__)
#include <immintrin.h>
#pragma clang attribute push(__attribute__((target( \
  "amx-tile,amx-bf16,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx2,fma"))), apply_to = function)

/* The operand of ldtilecfg: bytes of a row and number of rows of each tile. */
typedef struct {
  uint8_t palette, start_row, reserved[14];
  uint16_t row_bytes[16];
  uint8_t rows[16];
} tile_shapes;

INLINE void shape_tiles(size_t upper, size_t lower) {
  tile_shapes shapes = {.palette = 1};
  const size_t rows[8] = {upper, upper, lower, lower, upper, lower, 16, 16};
  for (int t = 0; t < 8; t++) shapes.row_bytes[t] = 64, shapes.rows[t] = (uint8_t)rows[t];
  _tile_loadconfig(&shapes);
}

#define NAME(x) x##_amx
#define TILES_SHAPE(upper, lower) shape_tiles(upper, lower)
#define TILES_RELEASE() _tile_release()
#define TILE_ZERO(t) _tile_zero(t)
#define TILE_LOAD(t, base, bytes) _tile_loadd(t, base, bytes)
#define TILE_STORE(t, base, bytes) _tile_stored(t, base, bytes)
#define TILE_DOT(c, a, b) _tile_dpbf16ps(c, a, b)
#include "split_tiles.inc"
#pragma clang attribute pop

const apus_split_kernels apus_split_amx = {
  .split = apus_split_rows_avx512, .split_transposed = apus_split_transposed_avx512,
  .pack = apus_split_pack_avx512, .pack_transposed = apus_split_pack_transposed_avx512,
  .product = product_amx, .tiles_begin = tiles_begin_amx, .tiles_end = tiles_end_amx,
};
#endif
