import Base
import Tensors

/// Sets elements to 0 with probability `p` in training and scales the others by `1 / (1 - p)`; does nothing in evaluation.
public struct Dropout: Layer {
  public let p: Double

  public init(_ p: Double) {
    require(p >= 0 && p < 1, "Dropout: probability \(p) is outside 0..<1")
    self.p = p
  }

  public func callAsFunction(_ x: Tensor, _ pass: Pass) -> Tensor {
    pass.dropsOut && p > 0 ? x.dropout(p, &pass.random) : x
  }
}

/// As `Dropout`, for whole channels of `[n, h, w, c]`.
public struct Dropout2d: Layer {
  public let p: Double

  public init(_ p: Double) {
    require(p >= 0 && p < 1, "Dropout2d: probability \(p) is outside 0..<1")
    self.p = p
  }

  public func callAsFunction(_ x: Tensor, _ pass: Pass) -> Tensor {
    pass.dropsOut && p > 0 ? x.dropoutChannels(p, &pass.random) : x
  }
}
