/* A thin face of LIBXSMM: its just-in-time batch-reduce products, whose function pointers are variadic and so out of Swift's reach.
 *
 * Row-major convention: c[rows, columns] (+)= sum over i of a_i[rows, depth] b_i[depth, columns], where a_i may be stored as
 * [depth, rows]. Strides are between rows, in elements. Float32 only. */
#ifndef CXSMM_H
#define CXSMM_H

typedef struct cxsmm_kernel cxsmm_kernel; /* code generated for one shape; never freed */

typedef struct {
  int rows, columns, depth;
  int a_stride, b_stride, c_stride;
  int a_transposed; /* a_i is [depth, rows] */
  int adds;         /* 1: adds to c, 0: overwrites c */
} cxsmm_shape;

/* The kernel for a shape, generated at first use; NULL where LIBXSMM has none (another processor, an odd shape). Thread-safe. */
const cxsmm_kernel *cxsmm_dispatch(const cxsmm_shape *shape);
/* The pointer lists are working memory: the generated code changes them. */
void cxsmm_run(const cxsmm_kernel *kernel, const float **a, const float **b, float *c, unsigned long long count);

#endif
