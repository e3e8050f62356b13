import Base
import COpenBLAS

// Dense factorisations by the LAPACK inside OpenBLAS, on the calling thread. They take float64 matrices and give plain values: nothing here
// is differentiable.

extension Tensor {
  /// The eigenvalues of a symmetric matrix in ascending order, and orthonormal eigenvectors, one a row: `self = Vᵀ · diag(values) · V`.
  /// - Shape: `[n, n]`, of which the lower triangle is read → `values [n]`, `vectors [n, n]`.
  /// - Numerics: errors of the size of float64's rounding times the largest eigenvalue.   - Source: LAPACK's `dsyevd`.
  public func symmetricEigen() -> (values: Tensor, vectors: Tensor) {
    let n = squareMatrixSize("symmetricEigen")
    let vectors = copied()
    let values = Tensor(uninitialized: [n], .float64)
    guard n > 0 else { return (values, vectors) }
    LAPACK.check("dsyevd", LAPACK.withWorkspace { work, workCount, integers, integerCount in
      var info: blasint = 0
      var order = LAPACK.length(n)
      // In column-major order the lower triangle is the upper one, and an eigenvector in a column stands in a row of ours.
      dsyevd_("V", "U", &order, vectors.reals, &order, values.reals, work, &workCount, integers, &integerCount, &info, 1, 1)
      return info
    })
    return (values, vectors)
  }

  /// The singular values of a matrix in descending order.
  /// - Shape: `[m, n]` → `[min(m, n)]`.
  /// - Numerics: errors of the size of float64's rounding times the largest singular value.   - Source: LAPACK's `dgesdd`.
  public func singularValues() -> Tensor {
    require(rank == 2 && precision == .float64, "singularValues: expected a float64 matrix, got \(shape) in \(precision)")
    require(isFinite, "singularValues: the matrix \(shape) holds infinities or NaN")
    let copy = copied()
    let values = Tensor(uninitialized: [Swift.min(shape[0], shape[1])], .float64)
    guard values.count > 0 else { return values }
    LAPACK.check("dgesdd", LAPACK.withWorkspace(integers: 8 * values.count) { work, workCount, integers, _ in
      var info: blasint = 0
      var rows = LAPACK.length(shape[1])  // the transpose has the same singular values
      var columns = LAPACK.length(shape[0])
      var one: blasint = 1
      var unused = 0.0
      var unusedToo = 0.0
      dgesdd_("N", &rows, &columns, copy.reals, &rows, values.reals, &unused, &one, &unusedToo, &one, work, &workCount, integers, &info, 1)
      return info
    })
    return values
  }

  /// The solution `x` of `self · x = right` for a symmetric, positive definite matrix; nil if it is not positive definite.
  /// - Shape: `[n, n]`, of which the lower triangle is read; right `[n]` → `[n]`.   - Source: LAPACK's `dposv`.
  public func choleskySolved(_ right: Tensor) -> Tensor? {
    let n = squareMatrixSize("choleskySolved")
    require(right.shape == [n] && right.precision == .float64, "choleskySolved: right side \(right.shape), expected [\(n)] in float64")
    let factor = copied()
    let solution = right.copied()
    guard n > 0 else { return solution }
    var order = LAPACK.length(n)
    var one: blasint = 1
    var info: blasint = 0
    _ = BLAS.info  // one thread inside
    dposv_("U", &order, &one, factor.reals, &order, solution.reals, &order, &info, 1)
    require(info >= 0, "choleskySolved: argument \(-info) of dposv is wrong")
    return info == 0 ? solution : nil
  }

  private func squareMatrixSize(_ op: String) -> Int {
    require(rank == 2 && shape[0] == shape[1] && precision == .float64,
            "\(op): expected a square float64 matrix, got \(shape) in \(precision)")
    require(isFinite, "\(op): the matrix \(shape) holds infinities or NaN")
    return shape[0]
  }

  private var reals: UnsafeMutablePointer<Double> { address().assumingMemoryBound(to: Double.self) }
}

/// What the calls of LAPACK share.
private enum LAPACK {
  typealias Call = (
    _ work: UnsafeMutablePointer<Double>, _ workCount: inout blasint,
    _ integers: UnsafeMutablePointer<blasint>, _ integerCount: inout blasint
  ) -> blasint

  /// Asks a routine how much memory it wants (lengths of -1), then calls it with that.
  /// - Parameter integers: so many, where the routine does not tell.
  static func withWorkspace(integers known: Int? = nil, _ call: Call) -> blasint {
    _ = BLAS.info  // one thread inside
    var work = [0.0]
    var integers = [blasint](repeating: 0, count: known ?? 1)
    var workCount: blasint = -1
    var integerCount: blasint = -1
    let info = work.withUnsafeMutableBufferPointer { work in
      integers.withUnsafeMutableBufferPointer { integers in run(call, work, &workCount, integers, &integerCount) }
    }
    guard info == 0 else { return info }
    work = Array(repeating: 0, count: max(1, Int(work[0])))
    if known == nil { integers = Array(repeating: 0, count: max(1, Int(integers[0]))) }
    workCount = length(work.count)
    integerCount = length(integers.count)
    return work.withUnsafeMutableBufferPointer { work in
      integers.withUnsafeMutableBufferPointer { integers in run(call, work, &workCount, integers, &integerCount) }
    }
  }

  private static func run(
    _ call: Call, _ work: UnsafeMutableBufferPointer<Double>, _ workCount: inout blasint,
    _ integers: UnsafeMutableBufferPointer<blasint>, _ integerCount: inout blasint
  ) -> blasint {
    guard let work = work.baseAddress, let integers = integers.baseAddress else { stop("LAPACK: no workspace") }
    return call(work, &workCount, integers, &integerCount)
  }

  static func check(_ routine: String, _ info: blasint) {
    require(info == 0, "\(routine): " + (info < 0 ? "argument \(-info) is wrong" : "no convergence (\(info)) for a finite matrix"))
  }

  static func length(_ value: Int) -> blasint {
    guard let length = blasint(exactly: value) else { stop("LAPACK: a length of \(value) does not fit the library's integers") }
    return length
  }
}
