import Base
import CKernels
import COpenBLAS
import Foundation

/// OpenBLAS, the library behind plain matrix products: one thread inside, our threads around it. Only this file and `LAPACK.swift`
/// import it.
public enum BLAS {
  /// The library as this process uses it: what decides about the last bits of its products.
  public struct Info: Sendable, Equatable, Codable, CustomStringConvertible {
    /// For example `0.3.21`.
    public let version: String
    /// The library's own description of its build.
    public let configuration: String
    /// The processor family whose kernels serve, for example `SkylakeX`.
    public let core: String
    /// Threads inside one call: 1, because our tiles are the parallel part.
    public let threads: Int

    /// For logs and state: `OpenBLAS 0.3.21, SkylakeX, 1 thread`.
    public var description: String { "OpenBLAS \(version), \(core), \(threads) thread\(threads == 1 ? "" : "s")" }

    /// The kernels compute in vectors of 512 bits.
    var isWide: Bool { BLAS.wideCores.contains(core) }
  }

  /// A matrix in memory, row-major, or the transpose of one.
  struct Operand {
    let address: UnsafeRawPointer
    /// Elements from one stored row to the next.
    let row: Int
    var isTransposed = false
  }

  /// The library, made ready at the first use: one thread, and the kernels of the real processor, whatever `APUS_ISA` says.
  public static let info: Info = {
    openblas_set_num_threads(1)
    chooseKernels()
    let configuration = text(openblas_get_config())
    let words = configuration.split(separator: " ").map(String.init)
    let version = words.count > 1 && words[0] == "OpenBLAS" ? words[1] : words.first ?? "unknown"
    return Info(
      version: version, configuration: configuration, core: text(openblas_get_corename()), threads: Int(openblas_get_num_threads()))
  }()

  /// The families that use AVX-512.
  private static let wideCores: Set<String> = ["SkylakeX", "Cooperlake", "SapphireRapids"]
  private static let coreVariable = "OPENBLAS_CORETYPE"

  private static func text(_ pointer: UnsafePointer<CChar>?) -> String {
    pointer.map { String(cString: $0).trimmingCharacters(in: .whitespaces) } ?? "unknown"
  }

  /// Selects SkylakeX's kernels where the processor has AVX-512 and the library took it for something else: for a Haswell because it is
  /// older than the processor, or for a Cooperlake, whose kernels need up to twice the time on a Zen 5 (version 0.3.21).
  ///
  /// A family that the user named in `OPENBLAS_CORETYPE` stays. The two functions exist in builds for several families only, hence the
  /// look-up by name.
  private static func chooseKernels() {
    typealias Action = @convention(c) () -> Void
    let core = text(openblas_get_corename())
    guard getenv(coreVariable) == nil, apus_best_isa() == APUS_AVX512, core != "SkylakeX", core != "SapphireRapids",
      let process = dlopen(nil, RTLD_NOW), let quit = dlsym(process, "gotoblas_dynamic_quit"),
      let start = dlsym(process, "gotoblas_dynamic_init")
    else { return }
    setenv(coreVariable, "SkylakeX", 1)
    unsafeBitCast(quit, to: Action.self)()
    unsafeBitCast(start, to: Action.self)()
    unsetenv(coreVariable)
    openblas_set_num_threads(1)
  }

  /// Runs `body` with so many threads inside each call: for comparisons with the library by itself, never beside our own threads.
  static func withOwnThreads(_ count: Int, _ body: () -> Void) {
    openblas_set_num_threads(Int32(count))
    defer { openblas_set_num_threads(1) }
    body()
  }

  /// `c = a · b`, or `c += a · b`, on the calling thread.
  /// - Parameters:
  ///   - size: rows `m` and columns `n` of the result, and terms `k` of each sum; all above 0.
  ///   - c: rows `row` elements apart.
  static func multiply(
    _ precision: Precision, size: (m: Int, n: Int, k: Int), _ a: Operand, _ b: Operand, into c: UnsafeMutableRawPointer, row: Int,
    adds: Bool = false
  ) {
    let (ta, tb) = (a.isTransposed ? CblasTrans : CblasNoTrans, b.isTransposed ? CblasTrans : CblasNoTrans)
    let (m, n, k) = (length(size.m), length(size.n), length(size.k)), (lda, ldb, ldc) = (length(a.row), length(b.row), length(row))
    switch precision {
    case .float32:
      cblas_sgemm(CblasRowMajor, ta, tb, m, n, k, 1, a.address.assumingMemoryBound(to: Float.self), lda,
                  b.address.assumingMemoryBound(to: Float.self), ldb, adds ? 1 : 0, c.assumingMemoryBound(to: Float.self), ldc)
    case .float64:
      cblas_dgemm(CblasRowMajor, ta, tb, m, n, k, 1, a.address.assumingMemoryBound(to: Double.self), lda,
                  b.address.assumingMemoryBound(to: Double.self), ldb, adds ? 1 : 0, c.assumingMemoryBound(to: Double.self), ldc)
    }
  }

  private static func length(_ value: Int) -> blasint {
    guard let length = blasint(exactly: value) else { stop("BLAS: a length of \(value) does not fit the library's integers") }
    return length
  }
}
