import Tensors

/// The settings and libraries that decide about the last bits of products. They are kept in `state.json`, so that a run that goes on
/// elsewhere can warn.
struct ProductFacts: Codable, Equatable {
  /// The promise of the run: `machine` or `processors`.
  var reproducible: Reproducibility
  /// The instruction set of our kernels; absent where it does not matter.
  var isa: String?
  /// Version, processor family and threads of the library behind plain products.
  var blas: String
  /// The precision of products.
  var precision: MatmulPrecision

  /// The facts of this process.
  static var current: ProductFacts {
    let isa = Reproducibility.current == .machine ? InstructionSet.current.rawValue : nil
    return ProductFacts(reproducible: .current, isa: isa, blas: "\(BLAS.info)", precision: .current)
  }

  /// A warning for a run of these facts that continues under `now`; `nil` if the bits stay the same.
  func warning(continuingWith now: ProductFacts) -> String? {
    var changes = [("plan.reproducible", reproducible.rawValue, now.reproducible.rawValue)]
      + [("plan.matmul_precision", precision.rawValue, now.precision.rawValue)]
    if reproducible == .machine, now.reproducible == .machine {
      changes += [("products", "\(isa ?? ""), \(blas)", "\(now.isa ?? ""), \(now.blas)")]
    }
    let told = changes.filter { $0.1 != $0.2 }.map { "\($0.0): \($0.1) -> \($0.2)" }
    guard !told.isEmpty else { return nil }
    let remedy = now.reproducible == .machine ? "; plan.reproducible=processors gives the same bits on all AVX2 and AVX-512 processors" : ""
    return "the last bits of products may differ from those of an uninterrupted run: \(told.joined(separator: "; "))\(remedy)"
  }
}
