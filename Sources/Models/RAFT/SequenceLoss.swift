import Tensors

extension RAFT {
  /// Section 3.4: `Σᵢ γᴺ⁻ⁱ · mean(v · |fᵢ - f|)`, later iterations weighing more.
  ///
  /// The mean divides by all elements, masked ones and both components included, as the authors' code does. Pixels count if
  /// their flow is known and shorter than `maxFlow`.
  /// - Parameters:
  ///   - flows: `[n, h, w, 2]` after each iteration.
  ///   - target: `[n, h, w, 2]`, pixels.
  ///   - valid: `[n, h, w, 1]`, known where at least 0.5.
  ///   - maxFlow: pixels.
  public static func sequenceLoss(_ flows: [Tensor], target: Tensor, valid: Tensor, gamma: Double, maxFlow: Double = 400) -> Tensor {
    let mask = validPixels(target, valid, maxFlow: maxFlow)
    var loss = Tensor(0, precision: target.precision)
    for (i, flow) in flows.enumerated() {
      let weight = power(gamma, flows.count - 1 - i)
      loss = loss + flow.maskedL1(target, mask: mask) * (weight / Double(flow.count))
    }
    return loss
  }

  /// 1 where the flow is known and shorter than `maxFlow` pixels, else 0. - Shape: `[n, h, w, 1]`.
  public static func validPixels(_ target: Tensor, _ valid: Tensor, maxFlow: Double = 400) -> Tensor {
    let length = target.squared().sum([-1], keepingAxes: true).sqrt()
    return valid.isGreaterOrEqual(to: Tensor(0.5, precision: valid.precision))
      * Tensor(maxFlow, precision: length.precision).isGreater(than: length)
  }

  private static func power(_ base: Double, _ exponent: Int) -> Double { (0..<exponent).reduce(1) { product, _ in product * base } }
}
