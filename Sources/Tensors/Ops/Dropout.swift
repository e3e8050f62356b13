import Base

extension Tensor {
  /// Each element set to 0 with probability `p`, the others scaled by `1 / (1 - p)`.
  /// - Source: Srivastava et al. 2014, in the inverted form.
  public func dropout(_ p: Double, _ random: inout Random) -> Tensor {
    dropped(p, maskShape: shape, &random)
  }

  /// Whole channels of each image set to 0 with probability `p`. - Shape: `[n, ..., c]`.
  public func dropoutChannels(_ p: Double, _ random: inout Random) -> Tensor {
    dropped(p, maskShape: shape.indices.map { $0 == 0 || $0 == rank - 1 ? shape[$0] : 1 }, &random)
  }

  private func dropped(_ p: Double, maskShape: [Int], _ random: inout Random) -> Tensor {
    require(p >= 0 && p < 1, "dropout: probability \(p) is outside 0..<1")
    guard p > 0 else { return self }
    let kept = (0..<maskShape.reduce(1, *)).map { _ in random.uniform() >= p ? 1 / (1 - p) : 0 }
    return self * Tensor(kept, shape: maskShape, precision: precision)
  }
}
