import COpenBLAS
import Foundation

/// OpenBLAS, the one place that calls it: single-threaded, inside our own threads, with the kernels of this processor.
enum BLAS {
  /// Prepares the library once: one thread, and the right kernel family.
  ///
  /// Older builds take newer processors for a Haswell and lose 40 % of their speed, so where AVX-512 (F, DQ, BW, VL) is there and
  /// the library chose an older core, its SkylakeX kernels are selected. The two functions exist only in builds with dynamic
  /// architecture, hence the look-up by name.
  private static let isReady: Bool = {
    openblas_set_num_threads(1)
    let core = openblas_get_corename().map { String(cString: $0) } ?? ""
    let newer: Set<String> = ["SkylakeX", "Cooperlake", "SapphireRapids", "Zen"]
    guard InstructionSet.current == .avx512, !newer.contains(core) else { return true }
    typealias Action = @convention(c) () -> Void
    guard let library = dlopen(nil, RTLD_NOW), let quit = dlsym(library, "gotoblas_dynamic_quit"),
      let start = dlsym(library, "gotoblas_dynamic_init")
    else { return true }
    setenv("OPENBLAS_CORETYPE", "SkylakeX", 1)
    unsafeBitCast(quit, to: Action.self)()
    unsafeBitCast(start, to: Action.self)()
    openblas_set_num_threads(1)
    return true
  }()

  /// The name of the kernel family in use, for the run log.
  static var coreName: String { isReady ? openblas_get_corename().map { String(cString: $0) } ?? "unknown" : "unknown" }

  /// One factor of a product: a row-major matrix, its row stride, and whether it is used transposed.
  struct Factor {
    let address: UnsafeRawPointer
    let stride: Int
    var isTransposed = false
  }

  /// `c = a · b + beta · c` with `a` `[m, k]`, `b` `[k, n]` after transposition, `c` `[m, n]` with row stride `stride`.
  static func multiply(
    _ precision: Precision, m: Int, n: Int, k: Int, _ a: Factor, _ b: Factor, into c: UnsafeMutableRawPointer, stride: Int,
    beta: Double = 0
  ) {
    guard isReady, m > 0, n > 0 else { return }
    let (ta, tb) = (a.isTransposed ? CblasTrans : CblasNoTrans, b.isTransposed ? CblasTrans : CblasNoTrans)
    switch precision {
    case .float32:
      cblas_sgemm(CblasRowMajor, ta, tb, blasint(m), blasint(n), blasint(k), 1,
        a.address.assumingMemoryBound(to: Float.self), blasint(a.stride), b.address.assumingMemoryBound(to: Float.self),
        blasint(b.stride), Float(beta), c.assumingMemoryBound(to: Float.self), blasint(stride))
    case .float64:
      cblas_dgemm(CblasRowMajor, ta, tb, blasint(m), blasint(n), blasint(k), 1,
        a.address.assumingMemoryBound(to: Double.self), blasint(a.stride), b.address.assumingMemoryBound(to: Double.self),
        blasint(b.stride), beta, c.assumingMemoryBound(to: Double.self), blasint(stride))
    }
  }
}
