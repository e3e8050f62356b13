import Base
import Tensors
import Testing
import TestSupport

/// LAPACK's factorisations by what defines them.
@Suite("Factorisations") struct FactorizationTests {
  private func matrix(_ rows: Int, _ columns: Int, seed: UInt64 = 1) -> Tensor {
    var random = Random(seed: seed, stream: .test)
    return .uniform([rows, columns], from: -1, to: 1, &random, precision: .float64)
  }

  private func diagonal(_ values: [Double]) -> Tensor {
    var elements = [Double](repeating: 0, count: values.count * values.count)
    for (i, value) in values.enumerated() { elements[i * (values.count + 1)] = value }
    return Tensor(elements, shape: [values.count, values.count], precision: .float64)
  }

  @Test("eigenvalues and eigenvectors", arguments: [1, 2, 7, 40]) func eigen(_ n: Int) {
    let a = matrix(n, n)
    let symmetric = a + a.transposed([1, 0])
    let (values, vectors) = symmetric.symmetricEigen()
    #expect(values.doubles == values.doubles.sorted())
    #expect(difference(vectors.matmul(diagonal(values.doubles), transposed: true).matmul(vectors), symmetric, absolute: 1e-13 * Double(n)) == nil)
    #expect(difference(vectors.matmul(vectors, otherTransposed: true), diagonal(Array(repeating: 1, count: n)), absolute: 1e-14 * Double(n)) == nil)
  }

  @Test("eigenvalues that are known") func knownEigenvalues() {
    // 2 on the diagonal, -1 beside it: 2 - 2 cos(k π / 4).
    let (values, _) = Tensor([2, -1, 0, -1, 2, -1, 0, -1, 2], shape: [3, 3], precision: .float64).symmetricEigen()
    let expected = Tensor([2 - 2.0.squareRoot(), 2, 2 + 2.0.squareRoot()], shape: [3], precision: .float64)
    #expect(difference(values, expected, absolute: 1e-15) == nil)
  }

  @Test("singular values", arguments: [(1, 1), (5, 3), (3, 5), (30, 12)]) func singular(_ rows: Int, _ columns: Int) {
    let a = matrix(rows, columns)
    let values = a.singularValues().doubles
    let (squares, _) = (rows <= columns ? a.matmul(a, otherTransposed: true) : a.matmul(a, transposed: true)).symmetricEigen()
    #expect(values.count == min(rows, columns) && values == values.sorted(by: >))
    for (value, square) in zip(values, squares.doubles.reversed()) { #expect(abs(value * value - square) <= 1e-13 * Double(rows + columns)) }
  }

  @Test("a positive definite system, and one that is not") func cholesky() {
    let a = matrix(9, 6)
    let square = a.matmul(a, transposed: true)
    let x = matrix(6, 1, seed: 2)
    let solution = square.choleskySolved(square.matmul(x).reshaped(to: [6]))
    #expect(solution.flatMap { difference($0, x.reshaped(to: [6]), absolute: 1e-12) } == nil && solution != nil)
    #expect(diagonal([1, -1]).choleskySolved(.ones([2], .float64)) == nil)
  }

  @Test("nothing is factored in place") func inputs() {
    let a = matrix(4, 4)
    let copy = Tensor(a.doubles, shape: [4, 4], precision: .float64)
    _ = (a.symmetricEigen(), a.singularValues(), a.choleskySolved(.ones([4], .float64)))
    #expect(a.isIdentical(to: copy))
  }

  @Test("no rows") func empty() {
    #expect(Tensor.zeros([0, 0], .float64).symmetricEigen().values.count == 0)
    #expect(Tensor.zeros([0, 3], .float64).singularValues().count == 0)
  }

  @Test("what cannot be factored stops") func refused() async {
    await #expect(processExitsWith: .failure) { _ = Tensor.zeros([2, 3], .float64).symmetricEigen() }
    await #expect(processExitsWith: .failure) { _ = Tensor([.nan, 0, 0, 1], shape: [2, 2], precision: .float64).symmetricEigen() }
    await #expect(processExitsWith: .failure) { _ = Tensor.zeros([2, 2]).singularValues() }
  }
}
