/* Split products with AVX-512 and its bfloat16 instructions: the conversions and the product. */

#include "split.h"
#if defined(__x86_64__)
#include <immintrin.h>
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx2,fma"))), apply_to = function)

#define UNROLLED _Pragma("clang loop unroll(full)")

/* The lowest `count` lanes, count clamped to 0...16 or 0...32. */
INLINE __mmask16 lanes16(ptrdiff_t count) { return count >= 16 ? 0xffff : count <= 0 ? 0 : (__mmask16)((1u << count) - 1); }
INLINE __mmask32 lanes32(ptrdiff_t count) { return count >= 32 ? ~0u : count <= 0 ? 0 : (1u << count) - 1; }

typedef struct { __m512 low, high; } floats32;

INLINE __m512 widened(__m256i x) { return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(x), 16)); }

/* No infinity and no NaN. */
INLINE __mmask16 finite_lanes(__m512 x) { return _knot_mask16(_mm512_fpclass_ps_mask(x, 0x99)); }

/* Finite numbers above the largest bfloat16 become that. */
INLINE __m512 clamped(__m512 x) {
  const __m512 largest = _mm512_castsi512_ps(_mm512_set1_epi32(0x7f7f0000));
  return _mm512_mask_range_ps(x, finite_lanes(x), x, largest, 2 /* the smaller magnitude, the sign of x */);
}

/* The next part of 32 numbers, which keep the remainder; nothing remains of infinities and NaNs. */
INLINE __m512i split_off(floats32 *x) {
  const __m512i part = (__m512i)_mm512_cvtne2ps_pbh(clamped(x->high), clamped(x->low));
  x->low = _mm512_maskz_sub_ps(finite_lanes(x->low), x->low, widened(_mm512_castsi512_si256(part)));
  x->high = _mm512_maskz_sub_ps(finite_lanes(x->high), x->high, widened(_mm512_extracti64x4_epi64(part, 1)));
  return part;
}

INLINE floats32 load32(const float *x, ptrdiff_t count) {
  return (floats32){_mm512_maskz_loadu_ps(lanes16(count), x), _mm512_maskz_loadu_ps(lanes16(count - 16), x + 16)};
}

/* y[q y_plane + i] = the parts of x[i] for i < n, of zeros for n <= i < width. */
static void split_run(const float *x, size_t n, size_t width, uint16_t *y, ptrdiff_t y_plane, int parts) {
  for (size_t i = 0; i < width; i += 32) {
    floats32 rest = load32(x + i, (ptrdiff_t)n - (ptrdiff_t)i);
    const __mmask32 stored = lanes32((ptrdiff_t)(width - i));
    for (int q = 0; q < parts; q++) _mm512_mask_storeu_epi16(y + q * y_plane + i, stored, split_off(&rest));
  }
}

void apus_split_rows_avx512(const apus_split_rows *options, const float *x, uint16_t *y) {
  const ptrdiff_t columns = (ptrdiff_t)options->columns;
  if (options->x_row == columns && options->y_row == columns) {
    split_run(x, options->rows * options->columns, options->rows * options->columns, y, options->y_plane, options->parts);
    return;
  }
  for (size_t r = 0; r < options->rows; r++, x += options->x_row, y += options->y_row) {
    split_run(x, options->columns, options->width, y, options->y_plane, options->parts);
  }
}

/* v[i] lane j becomes v[j] lane i. */
INLINE void transpose16(__m512i v[16]) {
  __m512i t[16], u[16];
  UNROLLED for (int i = 0; i < 16; i += 2) {
    t[i] = _mm512_unpacklo_epi32(v[i], v[i + 1]);
    t[i + 1] = _mm512_unpackhi_epi32(v[i], v[i + 1]);
  }
  UNROLLED for (int i = 0; i < 16; i += 4) {
    u[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
    u[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
    u[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
    u[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
  }
  UNROLLED for (int j = 0; j < 4; j++) { /* quarter l of u[4 g + j]: lane 4 l + j of v[4 g] ... v[4 g + 3] */
    const __m512i even_low = _mm512_shuffle_i32x4(u[j], u[4 + j], 0x88), even_high = _mm512_shuffle_i32x4(u[8 + j], u[12 + j], 0x88);
    const __m512i odd_low = _mm512_shuffle_i32x4(u[j], u[4 + j], 0xdd), odd_high = _mm512_shuffle_i32x4(u[8 + j], u[12 + j], 0xdd);
    v[j] = _mm512_shuffle_i32x4(even_low, even_high, 0x88);
    v[4 + j] = _mm512_shuffle_i32x4(odd_low, odd_high, 0x88);
    v[8 + j] = _mm512_shuffle_i32x4(even_low, even_high, 0xdd);
    v[12 + j] = _mm512_shuffle_i32x4(odd_low, odd_high, 0xdd);
  }
}

enum { STRIP = 128 }; /* rows of a transposed strip: four cache lines of one part */

/* strip[c][r] = x[r][c] for r < rows <= STRIP and c < columns <= 16. */
static void transpose_strip(const float *x, ptrdiff_t x_row, size_t rows, size_t columns, float strip[16][STRIP]) {
  const __mmask16 valid = lanes16((ptrdiff_t)columns);
  for (size_t first = 0; first < rows; first += 16) {
    __m512i v[16];
    UNROLLED for (size_t r = 0; r < 16; r++) {
      const size_t row = smaller(first + r, rows - 1); /* lanes beyond the last row are never read */
      v[r] = _mm512_maskz_loadu_epi32(valid, x + (ptrdiff_t)row * x_row);
    }
    transpose16(v);
    UNROLLED for (size_t c = 0; c < 16; c++) _mm512_store_si512(strip[c] + first, v[c]);
  }
}

void apus_split_transposed_avx512(const apus_split_rows *options, const float *x, uint16_t *y) {
  _Alignas(64) float strip[16][STRIP];
  for (size_t row = 0; row < larger(options->rows, 1); row += STRIP) {
    const size_t rows = smaller(STRIP, options->rows - row), width = row + rows < options->rows ? rows : options->width - row;
    for (size_t column = 0; column < options->columns; column += 16) {
      const size_t columns = smaller(16, options->columns - column);
      transpose_strip(x + (ptrdiff_t)row * options->x_row + column, options->x_row, rows, columns, strip);
      for (size_t c = 0; c < columns; c++) {
        uint16_t *to = y + (ptrdiff_t)(column + c) * options->y_row + row;
        split_run(strip[c], rows, smaller(width, STRIP), to, options->y_plane, options->parts);
        if (width > STRIP) for (int q = 0; q < options->parts; q++) memset(to + q * options->y_plane + STRIP, 0, 2 * (width - STRIP));
      }
    }
  }
}

/* One block from rows of depth: b[k row + n] for k < depth <= 32 and n < columns <= 32. */
static void pack_block(const float *b, ptrdiff_t row, ptrdiff_t depth, ptrdiff_t columns, int parts, uint16_t *y) {
  const __m512i pairs = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8,
                                         23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
  for (ptrdiff_t half = 0; half < 2; half++) {
    const __mmask16 valid = lanes16(columns - 16 * half);
    for (ptrdiff_t r = 0; r < 16; r++) {
      const float *even = b + 2 * r * row + 16 * half, *odd = even + row;
      floats32 rest = {_mm512_maskz_loadu_ps(2 * r < depth ? valid : 0, even), _mm512_maskz_loadu_ps(2 * r + 1 < depth ? valid : 0, odd)};
      for (int q = 0; q < parts; q++) {
        _mm512_storeu_si512(y + q * PART + half * HALF + r * 32, _mm512_permutexvar_epi16(pairs, split_off(&rest)));
      }
    }
  }
}

/* One block from rows of columns, b[n row + k]: the pairs already lie side by side and are transposed as one number. */
static void pack_block_transposed(const float *b, ptrdiff_t row, ptrdiff_t depth, ptrdiff_t columns, int parts, uint16_t *y) {
  __m512i split[3][16];
  for (ptrdiff_t half = 0; half < 2; half++) {
    for (ptrdiff_t n = 0; n < 16; n++) {
      floats32 rest = load32(b + (16 * half + n) * row, 16 * half + n < columns ? depth : 0);
      for (int q = 0; q < parts; q++) split[q][n] = split_off(&rest);
    }
    for (int q = 0; q < parts; q++) {
      transpose16(split[q]);
      UNROLLED for (int r = 0; r < 16; r++) _mm512_storeu_si512(y + q * PART + half * HALF + r * 32, split[q][r]);
    }
  }
}

INLINE void pack(const apus_split_panels *options, const float *b, int transposed, uint16_t *y) {
  const ptrdiff_t down = transposed ? 1 : options->row, across = transposed ? options->row : 1;
  for (size_t panel = 0; panel < options->columns; panel += PANEL_COLUMNS) {
    const ptrdiff_t columns = (ptrdiff_t)smaller(PANEL_COLUMNS, options->columns - panel);
    for (size_t t = 0; t < options->taps; t++) {
      for (size_t k = 0; k < options->depth; k += PANEL_DEPTH, y += options->parts * PART) {
        const float *from = b + (ptrdiff_t)t * options->tap + (ptrdiff_t)k * down + (ptrdiff_t)panel * across;
        const ptrdiff_t depth = (ptrdiff_t)smaller(PANEL_DEPTH, options->depth - k);
        if (transposed) pack_block_transposed(from, options->row, depth, columns, options->parts, y);
        else pack_block(from, options->row, depth, columns, options->parts, y);
      }
    }
  }
}

void apus_split_pack_avx512(const apus_split_panels *options, const float *b, uint16_t *y) { pack(options, b, 0, y); }

void apus_split_pack_transposed_avx512(const apus_split_panels *options, const float *b, uint16_t *y) { pack(options, b, 1, y); }

INLINE __m512bh pair_of(const uint16_t *x) {
  int pair;
  memcpy(&pair, x, sizeof pair);
  return (__m512bh)_mm512_set1_epi32(pair);
}

/* sums [rows][halves] += x [rows, 2 pairs] times the pairs of one part of a block. */
INLINE void dot_part(size_t rows, size_t halves, const uint16_t *x, ptrdiff_t x_row, const uint16_t *part, size_t pairs, __m512 sums[][2]) {
  for (size_t k = 0; k < pairs; k++, x += 2, part += 32) {
    __m512bh w[2];
    UNROLLED for (size_t h = 0; h < halves; h++) w[h] = (__m512bh)_mm512_loadu_si512(part + h * HALF);
    UNROLLED for (size_t r = 0; r < rows; r++) {
      const __m512bh pair = pair_of(x + (ptrdiff_t)r * x_row);
      UNROLLED for (size_t h = 0; h < halves; h++) sums[r][h] = _mm512_dpbf16_ps(sums[r][h], pair, w[h]);
    }
  }
}

/* The sums of `rows` (a constant). With several parts the products of each 32 of depth are summed by themselves, smallest first:
 * their rounding errors stay below those of a plain sum. */
INLINE void dot_rows(size_t rows, size_t halves, const apus_split_product *options, const uint16_t *a, const uint16_t *panel, float *y,
                     ptrdiff_t y_row) {
  const int parts = options->parts, products = SPLIT_PRODUCTS[parts];
  __m512 sums[14][2];
  float totals[14][PANEL_COLUMNS] __attribute__((aligned(64)));
  UNROLLED for (size_t r = 0; r < rows; r++) {
    UNROLLED for (size_t h = 0; h < halves; h++) _mm512_store_ps(totals[r] + 16 * h, sums[r][h] = _mm512_setzero_ps());
  }
  for (size_t t = 0; t < options->taps; t++) {
    for (size_t k = 0; k < options->depth; k += PANEL_DEPTH, panel += parts * PART) {
      const size_t pairs = (smaller(PANEL_DEPTH, options->depth - k) + 1) / 2;
      for (int p = 0; p < products; p++) {
        const split_factors factors = SPLIT_FACTORS[parts][p];
        dot_part(rows, halves, a + options->tap_offsets[t] + k + factors.x * options->a_plane, options->a_row, panel + factors.w * PART, pairs, sums);
      }
      if (parts == 1) continue;
      UNROLLED for (size_t r = 0; r < rows; r++) {
        UNROLLED for (size_t h = 0; h < halves; h++) {
          float *total = totals[r] + 16 * h;
          _mm512_store_ps(total, _mm512_add_ps(_mm512_load_ps(total), sums[r][h]));
          sums[r][h] = _mm512_setzero_ps();
        }
      }
    }
  }
  UNROLLED for (size_t r = 0; r < rows; r++) {
    UNROLLED for (size_t h = 0; h < halves; h++) {
      _mm512_storeu_ps(y + (ptrdiff_t)r * y_row + 16 * h, _mm512_add_ps(_mm512_load_ps(totals[r] + 16 * h), sums[r][h]));
    }
  }
}

static void block_avx512(const apus_split_product *options, size_t rows, const uint16_t *a, const uint16_t *panel, float *y, ptrdiff_t y_row) {
#define CASE(n) \
  case n: \
    if (options->columns > 16) dot_rows(n, 2, options, a, panel, y, y_row); \
    else dot_rows(n, 1, options, a, panel, y, y_row); \
    break;
  switch (rows) {
    CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6) CASE(7) CASE(8) CASE(9) CASE(10) CASE(11) CASE(12) CASE(13) CASE(14)
  }
#undef CASE
}

static void no_tiles(void) {}

#define NAME(x) x##_avx512
#define ROWS 14
#define EVEN 1
#include "split_driver.inc"
#pragma clang attribute pop

const apus_split_kernels apus_split_avx512 = {
  .split = apus_split_rows_avx512, .split_transposed = apus_split_transposed_avx512,
  .pack = apus_split_pack_avx512, .pack_transposed = apus_split_pack_transposed_avx512,
  .product = product_avx512, .tiles_begin = no_tiles, .tiles_end = no_tiles,
};
#endif
