/* Split products in portable C: the conversions and the product. */

#include "split.h"

/* The nearest bfloat16 as a float, by the rules of split_products.h. */
INLINE float rounded(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  const uint32_t sign = bits & 0x80000000u, magnitude = bits & 0x7fffffffu;
  const uint32_t largest = 0x7f7f0000u, infinity = 0x7f800000u, smallest_normal = 0x00800000u, quiet = 0x00400000u;
  uint32_t near = (magnitude + 0x7fffu + ((magnitude >> 16) & 1u)) & 0xffff0000u;
  near = near > largest ? largest : near;
  near = magnitude < smallest_normal ? 0 : near;
  near = magnitude == infinity ? infinity : near;
  near = magnitude > infinity ? (magnitude | quiet) & 0xffff0000u : near;
  near |= sign;
  memcpy(&x, &near, sizeof x);
  return x;
}

INLINE uint16_t upper_half(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return (uint16_t)(bits >> 16);
}

/* The next part of x, which keeps the remainder; nothing remains of infinities and NaNs. */
INLINE uint16_t split_off(float *x) {
  const float part = rounded(*x);
  *x = fabsf(*x) < HUGE_VALF ? *x - part : 0;
  return upper_half(part);
}

/* y[q y_plane + i y_step] = the parts of x[i x_step], of zeros for n <= i < width. */
static void split_run(const float *x, ptrdiff_t x_step, size_t n, size_t width, uint16_t *y, ptrdiff_t y_step, ptrdiff_t y_plane,
                      int parts) {
  for (size_t i = 0; i < width; i++) {
    float rest = i < n ? x[(ptrdiff_t)i * x_step] : 0;
    for (int q = 0; q < parts; q++) y[q * y_plane + (ptrdiff_t)i * y_step] = split_off(&rest);
  }
}

void apus_split_rows_portable(const apus_split_rows *options, const float *x, uint16_t *y) {
  for (size_t r = 0; r < options->rows; r++) {
    split_run(x + (ptrdiff_t)r * options->x_row, 1, options->columns, options->width, y + (ptrdiff_t)r * options->y_row, 1, options->y_plane, options->parts);
  }
}

void apus_split_transposed_portable(const apus_split_rows *options, const float *x, uint16_t *y) {
  for (size_t c = 0; c < options->columns; c++) {
    split_run(x + c, options->x_row, options->rows, options->width, y + (ptrdiff_t)c * options->y_row, 1, options->y_plane, options->parts);
  }
}

/* Panels of b[t tap + k down + n across]. */
static void pack(const apus_split_panels *options, const float *b, ptrdiff_t down, ptrdiff_t across, uint16_t *y) {
  for (size_t panel = 0; panel < options->columns; panel += PANEL_COLUMNS) {
    for (size_t t = 0; t < options->taps; t++) {
      for (size_t block = 0; block < options->depth; block += PANEL_DEPTH, y += options->parts * PART) {
        const size_t valid = smaller(PANEL_DEPTH, options->depth - block);
        for (size_t n = 0; n < PANEL_COLUMNS; n++) {
          const float *x = b + (ptrdiff_t)t * options->tap + (ptrdiff_t)block * down + (ptrdiff_t)(panel + n) * across;
          uint16_t *column = y + n / 16 * HALF + n % 16 * 2;
          const size_t depth = panel + n < options->columns ? valid : 0;
          for (size_t odd = 0; odd < 2; odd++) {
            const size_t count = (depth + 1 - odd) / 2;
            split_run(x + (ptrdiff_t)odd * down, 2 * down, count, 16, column + odd, 32, PART, options->parts);
          }
        }
      }
    }
  }
}

void apus_split_pack_portable(const apus_split_panels *options, const float *b, uint16_t *y) { pack(options, b, options->row, 1, y); }

void apus_split_pack_transposed_portable(const apus_split_panels *options, const float *b, uint16_t *y) { pack(options, b, 1, options->row, y); }

INLINE float widened(uint16_t x) {
  const uint32_t bits = (uint32_t)x << 16;
  float y;
  memcpy(&y, &bits, sizeof y);
  return y;
}

/* sums [32] += x [2 pairs] times the pairs of one part of a block. */
INLINE void dot_part(const uint16_t *x, const uint16_t *part, size_t pairs, float *sums) {
  for (size_t r = 0; r < pairs; r++, x += 2, part += 32) {
    const float even = widened(x[0]), odd = widened(x[1]);
    for (size_t half = 0; half < 2; half++) {
      const uint16_t *w = part + half * HALF;
      VECTORIZE for (size_t n = 0; n < 16; n++) {
        sums[half * 16 + n] += odd * widened(w[2 * n + 1]);
        sums[half * 16 + n] += even * widened(w[2 * n]);
      }
    }
  }
}

/* The products of each 32 of depth are summed by themselves, smallest first: their rounding errors stay below those of a plain
 * sum. */
static void block_portable(const apus_split_product *options, size_t rows, const uint16_t *a, const uint16_t *panel, float *y,
                           ptrdiff_t y_row) {
  const int products = SPLIT_PRODUCTS[options->parts];
  const size_t columns = options->columns > 16 ? 32 : 16;
  for (size_t r = 0; r < rows; r++, a += options->a_row, y += y_row) {
    const uint16_t *block = panel;
    float totals[PANEL_COLUMNS] = {0};
    for (size_t t = 0; t < options->taps; t++) {
      for (size_t k = 0; k < options->depth; k += PANEL_DEPTH, block += options->parts * PART) {
        float sums[PANEL_COLUMNS] = {0};
        const size_t pairs = (smaller(PANEL_DEPTH, options->depth - k) + 1) / 2;
        for (int p = 0; p < products; p++) {
          const split_factors factors = SPLIT_FACTORS[options->parts][p];
          dot_part(a + options->tap_offsets[t] + k + factors.x * options->a_plane, block + factors.w * PART, pairs, sums);
        }
        for (size_t n = 0; n < PANEL_COLUMNS; n++) totals[n] += sums[n];
      }
    }
    memcpy(y, totals, columns * sizeof *y);
  }
}

static void no_tiles(void) {}

#define NAME(x) x##_portable
#define ROWS 16
#define EVEN 0
#include "split_driver.inc"

const apus_split_kernels apus_split_portable = {
  .split = apus_split_rows_portable, .split_transposed = apus_split_transposed_portable,
  .pack = apus_split_pack_portable, .pack_transposed = apus_split_pack_transposed_portable,
  .product = product_portable, .tiles_begin = no_tiles, .tiles_end = no_tiles,
};
