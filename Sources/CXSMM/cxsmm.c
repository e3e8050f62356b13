#include "cxsmm.h"

#include <stddef.h>

#if defined(__x86_64__)
#include <libxsmm.h>

/* LIBXSMM is column-major: the transposed product c' = b' a' is computed, so its A is our b and its B our a. */
const cxsmm_kernel *cxsmm_dispatch(const cxsmm_shape *s) {
  const libxsmm_blasint lda = s->b_stride, ldb = s->a_stride, ldc = s->c_stride;
  const float alpha = 1, beta = s->adds ? 1 : 0;
  const int flags = s->a_transposed ? LIBXSMM_GEMM_FLAG_TRANS_B : LIBXSMM_GEMM_FLAG_NONE;
  const int prefetch = LIBXSMM_PREFETCH_NONE;
  return (const cxsmm_kernel *)libxsmm_smmdispatch_reducebatch_addr(
      s->columns, s->rows, s->depth, &lda, &ldb, &ldc, &alpha, &beta, &flags, &prefetch);
}

void cxsmm_run(const cxsmm_kernel *kernel, const float **a, const float **b, float *c, unsigned long long count) {
  ((libxsmm_smmfunction_reducebatch_addr)kernel)(b, a, c, &count);
}
#else
const cxsmm_kernel *cxsmm_dispatch(const cxsmm_shape *shape) { (void)shape; return NULL; }
void cxsmm_run(const cxsmm_kernel *kernel, const float **a, const float **b, float *c, unsigned long long count) {
  (void)kernel; (void)a; (void)b; (void)c; (void)count;
}
#endif
