/* The loops of Apus over raw memory: one table of functions per instruction set and precision.
 *
 * Every `void *` below points to elements of the table's precision (float or double), contiguous unless strides are given;
 * strides and counts are in elements. The caller owns all memory, splits the work between threads, and has checked every
 * shape. Outputs are overwritten unless the comment says "adds to". No function allocates, fails or keeps state.
 *
 * The same text (one .inc file per family) is compiled for portable C, AVX2 and AVX-512, in both precisions, so the float64
 * gradient checks run the very loops that train. Results do not depend on how the caller splits the outer dimension.
 */
#ifndef APUS_KERNELS_H
#define APUS_KERNELS_H

#include <stddef.h>
#include <stdint.h>

/* Element-wise functions of one argument; p and q are the constants of the function. */
typedef enum {
  APUS_NEGATE, APUS_EXP, APUS_LOG, APUS_SQRT, APUS_ABS, APUS_SIGN, APUS_SQUARE,
  APUS_POWER,        /* x to the p */
  APUS_AFFINE,       /* p x + q */
  APUS_CLAMP,        /* into [p, q]; NaN stays NaN */
  APUS_INSIDE,       /* 1 where p <= x <= q, else 0 */
  APUS_RELU, APUS_LEAKY_RELU /* slope p */, APUS_SIGMOID, APUS_TANH,
  APUS_SOFTPLUS,     /* log(1 + exp(x)), without overflow */
  APUS_ERF, APUS_FLOOR,
  APUS_GREATER_THAN, /* 1 where x > p, else 0 */
  APUS_GELU,         /* x / 2 (1 + erf(x / sqrt 2)) */
  APUS_SILU,         /* x sigmoid(x) */
  APUS_ELU,          /* x above 0, else exp(x) - 1 */
} apus_unary;

/* Element-wise functions of two arguments. */
typedef enum {
  APUS_ADD, APUS_SUBTRACT, APUS_MULTIPLY, APUS_DIVIDE, APUS_MAXIMUM, APUS_MINIMUM,
  APUS_GREATER, APUS_GREATER_EQUAL, APUS_EQUAL,  /* 1 or 0 */
  APUS_GATE,             /* b > 0 ? a : p a  (gradient of relu with p = 0, of leaky relu with its slope) */
  APUS_SIGMOID_GRADIENT, /* a b (1 - b), b the sigmoid's value */
  APUS_TANH_GRADIENT,    /* a (1 - b b), b the tanh's value */
  APUS_GELU_GRADIENT, APUS_SILU_GRADIENT, /* a times the derivative at b; both operands whole */
  APUS_ELU_GRADIENT,     /* b > 0 ? a : a (1 + b), b the value of elu */
} apus_binary;

typedef enum { APUS_PAD_ZEROS, APUS_PAD_BORDER, APUS_PAD_REFLECTION } apus_grid_padding;

/* Settings of grid_sample: x is [height, width, channels], the grid holds (x, y) in [-1, 1] for each of `points` samples. */
typedef struct {
  size_t height, width, channels, points;
  int nearest;        /* 0 bilinear, 1 nearest (ties to even, as nearbyint) */
  int padding;        /* apus_grid_padding */
  int align_corners;  /* 1: -1 and 1 are the centres of the corner pixels; 0: their outer edges */
} apus_grid;

/* A window that max_pool slides over [height, width, channels]; padded cells never win. */
typedef struct {
  size_t height, width, channels, out_height, out_width;
  size_t window_height, window_width, stride_y, stride_x, pad_y, pad_x;
} apus_window;

/* Settings of local_correlation: bilinear samples of the correlation volume whose cells are the products <query, target>, computed
 * without storing it. Queries are the pixels `first`, `first` + 1, ... of an image with `row` pixels a row; centres times `scale` are
 * positions in the targets [height, width, channels], whose cells are `spacing` pixels of the queries' image apart. */
typedef struct {
  size_t queries, channels, height, width;
  double scale;
  int radius;
  size_t first, row, spacing;
  ptrdiff_t reach;  /* cells farther than so many pixels from the query's own position count as outside; negative: no limit */
} apus_local_correlation;

/* x [height, width, channels] to `factor` times the size; the weights are softmax(scale logits). */
typedef struct {
  size_t height, width, channels, factor; /* factor <= 8 */
  double scale;                           /* above 0 */
} apus_convex_upsampling;

/* y = output_relu(residual + relu((x - mean) rstd weight + bias)); the two flags say which relu there is. */
typedef struct {
  const void *mean, *rstd;   /* [outer, keep] */
  const void *weight, *bias; /* [keep, fold]; NULL for 1 and 0 */
  int relu, output_relu;
} apus_normalization;

/* Constants of one AdamW or Adam step. decay multiplies the parameter before the update (AdamW: 1 - lr wd, else 1);
 * l2 is added to the gradient times the parameter (Adam's weight decay, else 0); the gradient is first scaled by `scale`. */
typedef struct { double rate, beta1, beta2, epsilon, correction1, correction2, decay, l2, scale; } apus_adam;
/* Constants of one SGD step (PyTorch's definition); first: the momentum buffer starts as the gradient. */
typedef struct { double rate, momentum, dampening, l2, scale; int nesterov, first; } apus_sgd;

/* A stream of random words: the n-th is a function of key, counter and n (Philox 4x32 with 10 rounds), so threads draw apart. Word 0 is
 * word `offset` (below 4) of the block at `counter`; further blocks count up in counter[0]. */
typedef struct { uint32_t key[2], counter[4], offset; } apus_random;

/* Memory that will be read soon: `rows` rows of `bytes` each, `pitch` bytes apart; no rows for nothing. */
typedef struct {
  const void *from;
  size_t rows, bytes;
  ptrdiff_t pitch;
} apus_fetch;

/* The longest sum that is kept in one register: longer ones are added up in memory, which bounds rounding errors. */
enum { APUS_LONGEST_SUM = 192 };

/* One panel of a matrix product whose sum runs over several stretches of a (the taps of a convolution, the rows of an image):
 *   c[i, j] = sum over t < tap_count and k < depth of a[i a_row + taps[t] + k a_depth] panel[t depth + k, j]
 * for i < rows and j < columns, at c[i c_row + j], where a_row or a_depth is 1; adds: added to c rather than written. Columns that
 * exist only in the panel are not written. `next` is fetched into the second-level cache meanwhile, a little at a time. */
typedef struct {
  size_t rows, columns, depth, tap_count;
  const ptrdiff_t *taps;
  ptrdiff_t a_row, a_depth, c_row;
  int adds;
  apus_fetch next;
} apus_product;

/* What follows a product: y = activation(y scale + residual + bias). scale and bias are one number a column, the residual has the rows of
 * y; each may be NULL. The activation is an apus_unary (with its first parameter) or -1. */
typedef struct {
  int activation;
  double parameter;
  const void *scale, *residual, *bias;
} apus_epilogue;

/* The taps of a plain product: one, at the start. */
static inline const ptrdiff_t *apus_one_tap(void) {
  static const ptrdiff_t start = 0;
  return &start;
}

/* Tiles of Winograd's algorithms, named by the kernel: F(2x4, 3x3) with 24 planes, F(1x4, 1x5) and F(4x1, 5x1) with 8. */
enum apus_winograd { APUS_WINOGRAD_3X3, APUS_WINOGRAD_1X5, APUS_WINOGRAD_5X1 };

/* The part of an image [height, width, channels] that one row of tiles covers: rows and pixels a row within the image (the last tiles
 * reach beyond it), and the channels of a panel (`columns`); `row` and `pixel` are elements from one row and pixel to the next. */
typedef struct { size_t rows, pixels, columns, row, pixel; } apus_pixels;

/* The table of functions. It never changes, so Swift may use it from any thread. */
typedef struct __attribute__((swift_attr("@Sendable"))) {
  /* --- element-wise --- */
  void (*fill)(void *y, size_t n, double value);
  void (*unary)(int function, const void *x, void *y, size_t n, double p, double q);
  /* y = x where x > 0, else p x; bit i of the bytes `above` says where x[i] > 0. */
  void (*leaky_relu)(const void *x, void *y, uint8_t *above, size_t n, double p);
  /* y = x where the bit is set, else p x. */
  void (*gate_by_bits)(const void *x, const uint8_t *above, void *y, size_t n, double p);
  /* y[r, c] = f(a[r a_row + c a_column], b[...]); column strides are 0 or 1; y is contiguous [rows, columns]. */
  void (*binary)(int function, size_t rows, size_t columns, const void *a, ptrdiff_t a_row, ptrdiff_t a_column,
                 const void *b, ptrdiff_t b_row, ptrdiff_t b_column, void *y, double p);
  void (*select)(const void *mask, const void *a, const void *b, void *y, size_t n); /* mask != 0 ? a : b */
  void (*accumulate)(const void *x, void *y, size_t n);                              /* adds x to y */
  /* adds x to y, in rows that are x_stride and y_stride apart */
  void (*accumulate_rows)(const void *x, size_t x_stride, size_t rows, size_t columns, size_t y_stride, void *y);
  void (*scale_add)(double p, const void *x, double q, void *y, size_t n);           /* y = p x + q y */

  /* --- moving data --- y[i0, i1, ...] = x[...], both strided (x strides may be 0: broadcasting); rank <= 8. */
  void (*copy)(size_t rank, const size_t *shape, const void *x, const ptrdiff_t *x_strides, void *y, const ptrdiff_t *y_strides);
  /* x [outer, length, inner], y [outer, count, inner]: y[o, k] = x[o, indices[k]], and its transpose, which adds to y. */
  void (*gather)(const void *x, size_t outer, size_t length, size_t inner, const int64_t *indices, size_t count, void *y);
  void (*scatter_add)(const void *x, size_t outer, size_t length, size_t inner, const int64_t *indices, size_t count, void *y);

  /* --- random numbers --- elements first ..< first + n of an array drawn in order; see Random for the definitions. */
  void (*random_uniform)(const apus_random *source, size_t first, size_t n, double low, double high, void *y);
  void (*random_normal)(const apus_random *source, size_t first, size_t n, double deviation, void *y);
  /* y = x times 0 with probability p, else times 1 / (1 - p); the factors themselves if x is NULL. y may be x. */
  void (*dropout)(const apus_random *source, size_t first, size_t n, double p, const void *x, void *y);

  /* --- reductions --- x [outer, reduced, inner] -> y [outer, inner]. Float sums keep several running sums, so their error
   * grows with the logarithm of the length rather than the length. */
  void (*sum)(const void *x, size_t outer, size_t reduced, size_t inner, void *y);
  void (*maximum)(const void *x, size_t outer, size_t reduced, size_t inner, void *y);
  double (*sum_of_squares)(const void *x, size_t n); /* accumulated in double */
  int (*all_finite)(const void *x, size_t n);

  /* --- normalisation --- x is [outer, rows, keep, fold]; statistics run over rows and fold, one per outer and keep. */
  /* the mean and the sum of squared distances from it, [outer, keep] */
  void (*moments)(const void *x, size_t outer, size_t rows, size_t keep, size_t fold, void *mean, void *square);
  /* the moments of blocks, [outer, blocks, keep], of block_count elements each (the last one of last_count) -> [outer, keep] */
  void (*combine_moments)(const void *block_means, const void *block_squares, size_t outer, size_t blocks, size_t keep,
                          size_t block_count, size_t last_count, double epsilon, void *mean, void *variance, void *rstd);
  void (*normalize)(const apus_normalization *options, const void *x, const void *residual, size_t outer, size_t rows, size_t keep,
                    size_t fold, void *y);
  /* one image (outer index): the sums over rows of g and g (x - mean) rstd, [keep, fold] each; g is dy where the activations let it pass */
  void (*normalize_backward_sums)(const apus_normalization *options, const void *x, const void *dy, const void *y, size_t rows, size_t keep,
                                  size_t fold, void *sum, void *product);
  /* one image: means holds the mean of w g, then that of w g (x - mean) rstd, [2, keep]; NULL if the statistics are constants.
   * y is read and dresidual written if there is an output relu. */
  void (*normalize_backward)(const apus_normalization *options, const void *x, const void *dy, const void *y, const void *means,
                             size_t rows, size_t keep, size_t fold, void *dx, void *dresidual);
  /* both in one pass for rows = keep = 1 (layer norm); sum and product are [channels] */
  void (*layer_backward)(const apus_normalization *options, const void *x, const void *dy, const void *y, size_t tokens, size_t channels,
                         void *dx, void *dresidual, void *sum, void *product);

  /* --- softmax over the columns of [rows, columns]; a row of -inf gives NaN, as in PyTorch --- */
  void (*softmax)(const void *x, size_t rows, size_t columns, void *y);
  /* softmax(scale x + bias); rows of bias are bias_row apart (0: one for all); bias may be NULL */
  void (*scaled_softmax)(const void *x, double scale, const void *bias, size_t bias_row, size_t rows, size_t columns, void *y);
  void (*softmax_backward)(const void *dy, const void *y, size_t rows, size_t columns, void *dx);
  void (*log_softmax)(const void *x, size_t rows, size_t columns, void *y);
  void (*log_softmax_backward)(const void *dy, const void *y, size_t rows, size_t columns, void *dx);

  /* --- products --- */
  /* Elements of one vector: a panel has two vectors a row, or one if it has no more columns than that. */
  size_t lanes;
  /* The panel of b[k, j] = b[k row + j column], k < depth, j < columns <= 2 lanes: row by row, zeros beyond the last column. */
  void (*pack)(const void *b, ptrdiff_t row, ptrdiff_t column, size_t depth, size_t columns, void *panel);
  /* See apus_product; sums longer than a few hundred terms are added up in pieces. */
  void (*product)(const apus_product *options, const void *a, const void *panel, void *c);
  /* In place; rows of y and of the residual are row_stride apart. */
  void (*epilogue)(const apus_epilogue *tail, size_t rows, size_t columns, ptrdiff_t row_stride, void *y);

  /* --- Winograd's algorithms --- planes of transformed values, `plane` apart; channels >= lanes; see apus_winograd and winograd.inc.
   * Rows of windows of x, one tile's results apart -> v [planes, tiles, channels]. */
  void (*winograd_input)(int form, const void *x, size_t pitch, size_t channels, size_t tiles, void *v, size_t plane);
  /* w [taps, n] -> u [planes, n], n a multiple of lanes. */
  void (*winograd_weight)(int form, const void *w, size_t n, void *u);
  /* m [planes, tiles, panel width] -> pixels of y, and the adjoint: dy -> z, zeros where no pixel or column is. */
  void (*winograd_output)(int form, const void *m, size_t plane, const apus_pixels *to, void *y);
  void (*winograd_gradient)(int form, const void *dy, const apus_pixels *of, void *z, size_t plane);
  /* u [planes, n] -> dw [taps, n], taps `tap` apart: the adjoint of winograd_weight. */
  void (*winograd_weight_gradient)(int form, const void *u, size_t plane, size_t n, void *dw, size_t tap);

  /* --- pooling and resampling --- */
  /* y and the flat index (into x) of each maximum, first one on ties (row-major), NaN wins; output rows first..<last only. */
  void (*max_pool)(const void *x, const apus_window *window, size_t first, size_t last, void *y, int64_t *indices);
  /* adds dy [pixels, channels] to dx at the indices, for channels first..<last only, so that threads can share one image */
  void (*max_pool_backward)(const void *dy, const int64_t *indices, size_t pixels, size_t channels, size_t first, size_t last, void *dx);
  /* x [outer, in, inner], y [outer, out, inner]: y[o, j] = sum over k in starts[j]..<starts[j+1] of weights[k] x[o, columns[k]] */
  void (*resample)(const void *x, size_t outer, size_t in, size_t inner, size_t out, const int32_t *starts, const int32_t *columns,
                   const double *weights, void *y);
  void (*grid_sample)(const apus_grid *options, const void *x, const void *grid, void *y);
  /* adds to dx for channels first..<last only, so that threads can share one image */
  void (*grid_sample_backward_input)(const apus_grid *options, const void *dy, const void *grid, size_t first, size_t last, void *dx);
  void (*grid_sample_backward_grid)(const apus_grid *options, const void *x, const void *dy, const void *grid, void *dgrid);

  /* --- correlation lookup (RAFT) --- volume [queries, height, width], centres [queries, 2] as (x, y) in cells of this level after
   * multiplication by `scale`; window of (2 radius + 1)^2 bilinear samples, zero outside; sample (ox, oy) goes to
   * y[query y_stride + (ox + radius)(2 radius + 1) + oy + radius]: the slow index moves along x. */
  void (*lookup)(const void *volume, const void *centres, double scale, size_t queries, size_t height, size_t width, int radius,
                 size_t y_stride, void *y);
  /* adds to dvolume */
  void (*lookup_backward)(const void *dy, size_t dy_stride, const void *centres, double scale, size_t queries, size_t height,
                          size_t width, int radius, void *dvolume);

  /* --- the lookup without a volume --- as lookup, in a plane whose cells are the products <query, target>; queries [queries, channels],
   * targets [height, width, channels] */
  void (*local_correlation)(const apus_local_correlation *options, const void *queries, const void *targets, const void *centres,
                            size_t y_stride, void *y);
  /* adds to dqueries */
  void (*local_correlation_backward_queries)(const apus_local_correlation *options, const void *dy, size_t dy_stride, const void *targets,
                                             const void *centres, void *dqueries);
  /* adds to dtargets for channels first..<last only, so that threads can share one image */
  void (*local_correlation_backward_targets)(const apus_local_correlation *options, const void *dy, size_t dy_stride, const void *queries,
                                             const void *centres, size_t first, size_t last, void *dtargets);

  /* --- convex upsampling (RAFT) --- coarse rows first..<last only; logits [height, width, 9, factor, factor] */
  /* y [factor height, factor width, channels] */
  void (*convex_upsample)(const apus_convex_upsampling *options, const void *logits, const void *x, size_t first, size_t last, void *y);
  /* dlogits, and shares [height, width, 9, channels]: what each pixel gives to the gradients of its neighbours */
  void (*convex_upsample_backward)(const apus_convex_upsampling *options, const void *dy, const void *logits, const void *x, size_t first,
                                   size_t last, void *dlogits, void *shares);
  /* dx, from the shares of all pixels */
  void (*convex_gather)(const apus_convex_upsampling *options, const void *shares, size_t first, size_t last, void *dx);

  /* --- gated recurrent unit --- gates is [rows, 2 hidden]: update gate z, then reset gate r, both before the sigmoid */
  /* y [rows, width] = joined, its first `hidden` columns multiplied by sigmoid(r) */
  void (*gru_reset)(const void *gates, const void *joined, size_t rows, size_t hidden, size_t width, void *y);
  /* the gradient of gates is written (its z half with zeros) or, if add, added to; that of joined likewise; either may be NULL */
  void (*gru_reset_backward)(const void *dy, const void *gates, const void *joined, size_t rows, size_t hidden, size_t width, int add,
                             void *dgates, void *djoined);
  /* y [rows, hidden] = (1 - z) h + z q with z = sigmoid(gates), q = tanh(candidate) */
  void (*gru_update)(const void *gates, const void *candidate, const void *h, size_t rows, size_t hidden, void *y);
  /* the r half of dgates is set to zero */
  void (*gru_update_backward)(const void *dy, const void *gates, const void *candidate, const void *h, size_t rows, size_t hidden,
                              void *dgates, void *dcandidate, void *dh);

  /* --- losses --- x and target are [pixels, channels], mask [pixels] */
  double (*masked_l1)(const void *x, const void *target, const void *mask, size_t pixels, size_t channels); /* sum mask |x - target| */
  /* dx = scale mask sign(x - target) */
  void (*masked_l1_backward)(const void *x, const void *target, const void *mask, double scale, size_t pixels, size_t channels, void *dx);

  /* --- optimisers, in place --- */
  void (*adam)(const apus_adam *options, const void *gradient, void *parameter, void *m, void *v, size_t n);
  void (*sgd)(const apus_sgd *options, const void *gradient, void *parameter, void *velocity, size_t n);

  /* --- the processor's peak --- values[i] = p values[i] + q, `rounds` times over, in registers: 2 n rounds operations */
  void (*multiply_add)(size_t rounds, double p, double q, void *values, size_t n);
} apus_kernels;

typedef enum { APUS_PORTABLE, APUS_AVX2, APUS_AVX512 } apus_isa;

/* The best instruction set of this processor (AVX-512 means F, BW, DQ and VL). */
apus_isa apus_best_isa(void);
/* The tables; NULL if this build or processor lacks the instruction set. */
const apus_kernels *apus_kernels_float32(apus_isa isa);
const apus_kernels *apus_kernels_float64(apus_isa isa);
void apus_widen(const float *x, double *y, size_t n);
void apus_narrow(const double *x, float *y, size_t n);

/* Makes malloc map blocks of at least `bytes` separately, so that free returns them to the system at once; glibc only. */
void apus_malloc_apart(size_t bytes);

/* The spin-wait hint of the processor, some 20 to 50 ns. */
static inline void apus_pause(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("isb");
#endif
}

#endif
