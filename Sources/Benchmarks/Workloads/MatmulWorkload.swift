import Base
import Tensors

/// A plain product of two matrices, forward only: the algorithm that ops choose beside the others.
struct MatmulWorkload: Workload {
  static let kind = "matmul"

  let rows: Int
  let columns: Int
  let terms: Int
  /// Whether the first factor, or the second, is stored as its transpose.
  let firstTransposed: Bool
  let secondTransposed: Bool

  init(_ rows: Int, _ columns: Int, _ terms: Int, firstTransposed: Bool = false, secondTransposed: Bool = false) {
    (self.rows, self.columns, self.terms) = (rows, columns, terms)
    (self.firstTransposed, self.secondTransposed) = (firstTransposed, secondTransposed)
  }

  /// For example `1700x256x256`; `t` marks a transposed factor.
  var label: String { "\(rows)x\(columns)x\(terms)\(firstTransposed ? "-t1" : "")\(secondTransposed ? "-t2" : "")" }

  var alternatives: [String] { ProductVariant.allCases.filter { $0 != .chosen }.map(\.rawValue) }

  func prepared() throws -> PreparedWorkload { prepared(.chosen) }

  func prepared(as alternative: String) throws -> PreparedWorkload {
    guard let variant = ProductVariant(rawValue: alternative) else {
      throw Failure(.usage, at: "bench", "there is no way '\(alternative)' to multiply; known: \(alternatives.joined(separator: ", "))")
    }
    return prepared(variant)
  }

  private func prepared(_ variant: ProductVariant) -> PreparedWorkload {
    var random = Random(seed: 1, stream: .test)
    let a = Tensor.normal(firstTransposed ? [terms, rows] : [rows, terms], &random)
    let b = Tensor.normal(secondTransposed ? [columns, terms] : [terms, columns], &random)
    return PreparedWorkload(operations: 2 * Double(rows * columns * terms)) {
      _ = a.multiplied(by: b, transposed: firstTransposed, otherTransposed: secondTransposed, variant)
    }
  }
}
