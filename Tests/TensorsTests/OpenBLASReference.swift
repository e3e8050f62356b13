import COpenBLAS
import Foundation
import Tensors

/// OpenBLAS, single-threaded: what our products are compared with.
enum OpenBLASReference {
  /// Prepares the library once: one thread, and the kernels of this processor.
  ///
  /// Older builds take newer processors for a Haswell, so where our own path is AVX-512 and the library chose an older core, its
  /// SkylakeX kernels are selected. The two functions exist only in builds with dynamic architecture, hence the look-up by name.
  private static let isReady: Bool = {
    openblas_set_num_threads(1)
    let core = openblas_get_corename().map { String(cString: $0) } ?? ""
    let newer: Set<String> = ["SkylakeX", "Cooperlake", "SapphireRapids", "Zen"]
    guard [.avx512, .amx].contains(InstructionSet.current), !newer.contains(core) else { return true }
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
