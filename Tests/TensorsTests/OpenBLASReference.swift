import COpenBLAS
import Tensors

/// OpenBLAS, single-threaded: what our products are compared with.
enum OpenBLASReference {
  /// The library is made ready by the framework.
  private static var isReady: Bool { BLAS.info.threads == 1 }

  /// `a · b` of row-major `a` `[m, k]` and `b` `[k, n]`.
  static func multiply(_ a: [Float], _ b: [Float], m: Int, n: Int, k: Int) -> [Float] {
    precondition(isReady && a.count == m * k && b.count == k * n)
    var c = [Float](repeating: 0, count: m * n)
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, blasint(m), blasint(n), blasint(k), 1, a, blasint(k), b, blasint(n), 0, &c,
                blasint(n))
    return c
  }

  static func multiply(_ a: [Double], _ b: [Double], m: Int, n: Int, k: Int) -> [Double] {
    precondition(isReady && a.count == m * k && b.count == k * n)
    var c = [Double](repeating: 0, count: m * n)
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, blasint(m), blasint(n), blasint(k), 1, a, blasint(k), b, blasint(n), 0, &c,
                blasint(n))
    return c
  }
}
