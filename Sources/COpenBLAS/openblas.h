#include <cblas.h>
#include <stddef.h>

/* The routines of LAPACK that Debian's OpenBLAS contains and we call. Matrices are column-major, everything goes by address, the last
   arguments are the lengths of the texts; info is 0 on success, below 0 for a wrong argument, above 0 if the method failed. */

/* Eigenvalues w, ascending, and eigenvectors of a symmetric matrix a, which they replace, one a column. */
void dsyevd_(const char *jobz, const char *uplo, const blasint *n, double *a, const blasint *lda, double *w, double *work,
             const blasint *lwork, blasint *iwork, const blasint *liwork, blasint *info, size_t, size_t);

/* Singular values s, descending, of an m x n matrix a, which is destroyed. */
void dgesdd_(const char *jobz, const blasint *m, const blasint *n, double *a, const blasint *lda, double *s, double *u, const blasint *ldu,
             double *vt, const blasint *ldvt, double *work, const blasint *lwork, blasint *iwork, blasint *info, size_t);

/* The solution of a x = b for a symmetric, positive definite a; it replaces b. */
void dposv_(const char *uplo, const blasint *n, const blasint *nrhs, double *a, const blasint *lda, double *b, const blasint *ldb,
            blasint *info, size_t);
