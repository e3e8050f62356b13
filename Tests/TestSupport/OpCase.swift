import Base
import Tensors

/// One row of the gradient table: an expression of float64 inputs whose derivatives are checked by central differences.
public struct OpCase: Sendable {
  public let name: String
  /// The op that this case is about; it must appear in the recorded graph. `nil` for derived ops.
  public let op: Op?
  public let shapes: [[Int]]
  /// The inputs are uniform in this range, per input (the last one repeats).
  public let ranges: [ClosedRange<Double>]
  /// Whether gradients of gradients are promised.
  public let isTwiceDifferentiable: Bool
  public let body: @Sendable ([Tensor]) -> Tensor

  public init(
    _ name: String, _ op: Op?, _ shapes: [[Int]], in ranges: ClosedRange<Double>..., twice: Bool = true,
    _ body: @escaping @Sendable ([Tensor]) -> Tensor
  ) {
    self.name = name
    self.op = op
    self.shapes = shapes
    self.ranges = ranges.isEmpty ? [-1...1] : ranges
    isTwiceDifferentiable = twice
    self.body = body
  }


}

/// Checks gradients against central differences.
public struct GradientCheck {
  private let step = 1e-5
  /// Central differences err by h²·f‴/6 ≈ 1e-10 and by rounding ε/h ≈ 2e-11 of the value: 1e-6 leaves room for curvature.
  private let tolerance = 1e-6
  private var random: Random
  public private(set) var recordedOps: Set<Op> = []

  public init(seed: UInt64 = 7) { random = Random(seed: seed, stream: .test) }

  /// `nil` if all is well, else what differs.
  public mutating func check(_ item: OpCase) -> String? {
    let inputs = item.shapes.enumerated().map { i, shape in
      let range = item.ranges[min(i, item.ranges.count - 1)]
      return Tensor.uniform(shape, from: range.lowerBound, to: range.upperBound, &random, precision: .float64)
    }
    let leaves = inputs.map { $0.asLeaf() }
    let output = item.body(leaves)
    recordedOps.formUnion(output.recordedOps)
    if let op = item.op, !output.recordedOps.contains(op) { return "\(item.name): op '\(op.rawValue)' was not recorded" }
    let cotangent = Tensor.uniform(output.shape, from: -1, to: 1, &random, precision: .float64)
    let value: ([Tensor]) -> Tensor = { (item.body($0) * cotangent).sum() }
    if let problem = compare("\(item.name), first order", value, at: inputs) { return problem }
    guard item.isTwiceDifferentiable else { return nil }
    return checkSecondOrder(item, value, inputs)
  }

  /// The gradient's own gradient: `G = Σ ⟨∂L/∂xᵢ, dᵢ⟩` with fixed `dᵢ`.
  private mutating func checkSecondOrder(_ item: OpCase, _ value: @escaping ([Tensor]) -> Tensor, _ inputs: [Tensor]) -> String? {
    let directions = inputs.map { Tensor.uniform($0.shape, from: -1, to: 1, &random, precision: .float64) }
    let slope: ([Tensor]) -> Tensor = { leaves in
      let tracked = leaves.map { $0.isRecorded ? $0 : $0.asLeaf() }
      let gradients = value(tracked).gradients(recording: true)
      var total = Tensor(0, precision: .float64)
      for (leaf, direction) in zip(tracked, directions) {
        if let g = gradients[leaf] { total = total + (g * direction).sum() }
      }
      return total
    }
    if let problem = compareRecorded(item, value, inputs) { return problem }
    let leaves = inputs.map { $0.asLeaf() }
    let recorded = slope(leaves)
    guard recorded.isRecorded else { return nil }  // piecewise linear: the gradient does not depend on the inputs
    recordedOps.formUnion(recorded.recordedOps)
    return compare("\(item.name), second order", slope, at: inputs)
  }

  /// The gradients of a recorded walk, which other formulas compute for some ops, must equal those of a plain one.
  private func compareRecorded(_ item: OpCase, _ value: ([Tensor]) -> Tensor, _ inputs: [Tensor]) -> String? {
    let leaves = inputs.map { $0.asLeaf() }
    let plain = value(leaves).gradients(), recorded = value(leaves).gradients(recording: true)
    for (i, leaf) in leaves.enumerated() {
      guard let expected = plain[leaf] else { continue }
      let differences = zip(expected.doubles, recorded[leaf]?.doubles ?? []).map { abs($0 - $1) / max(1, abs($0)) }
      guard differences.count == expected.count, (differences.max() ?? 0) <= 1e-12 else {
        return "\(item.name): input \(i) of shape \(leaf.shape): gradient \(expected.doubles), recorded \(recorded[leaf]?.doubles ?? [])"
      }
    }
    return nil
  }

  /// Compares the gradient of `f` with central differences: every element of small inputs, random directions of large ones.
  private mutating func compare(_ name: String, _ f: ([Tensor]) -> Tensor, at inputs: [Tensor]) -> String? {
    let leaves = inputs.map { $0.asLeaf() }
    let result = f(leaves)
    guard result.isRecorded else { return "\(name): nothing was recorded" }
    let gradients = result.gradients()
    for (i, input) in inputs.enumerated() {
      let analytic = gradients[leaves[i]] ?? .zeros(input.shape, .float64)
      for direction in directions(for: input) {
        var above = inputs, below = inputs
        above[i] = input + direction * step
        below[i] = input - direction * step
        let numeric = (f(above).item - f(below).item) / (2 * step)
        let slope = (analytic * direction).sum().item
        let scale = max(1, abs(numeric), abs(slope))
        guard abs(numeric - slope) <= tolerance * scale else {
          return "\(name): input \(i) of shape \(input.shape): gradient \(slope), central difference \(numeric), "
            + "along \(direction.count <= 12 ? "\(direction.doubles)" : "a random direction")"
        }
      }
    }
    return nil
  }

  private mutating func directions(for input: Tensor) -> [Tensor] {
    if input.count <= 24 {
      return (0..<input.count).map { hot in
        Tensor((0..<input.count).map { $0 == hot ? 1 : 0 }, shape: input.shape, precision: .float64)
      }
    }
    return (0..<6).map { _ in Tensor.uniform(input.shape, from: -1, to: 1, &random, precision: .float64) }
  }
}
