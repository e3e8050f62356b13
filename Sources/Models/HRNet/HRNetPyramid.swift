import Base
import Networks
import Tensors

/// V2p: a pyramid of maps for detectors, from all resolutions.
///
/// - Shape: the body's outputs → `[n, h / 4, w / 4, outputs]`, then half of the resolution with each level.
/// - Names: `reduction_conv.0`, `fpn_conv.<level>`, as in the authors' detection repository.
/// - Initialiser: normal with deviation `1 / √fan_in` (He's rule for a = 1: no relu follows), biases 0.
/// - Source: section 3.3 of the paper; HRFPN.
public struct HRNetPyramid: Module {
  public static let checkpointNames = ["reduction": "reduction_conv.0"]
  let reduction: Conv2d
  /// nil: a level that nobody asks for.
  let fpnConv: [Conv2d?]
  let levels: Range<Int>

  /// - Parameters:
  ///   - widths: channels of the body's outputs.
  ///   - outputs: channels of every level.
  ///   - levels: those that are computed, 0..<5 as published.
  public init(_ widths: [Int], outputs: Int = 256, levels: Range<Int> = 0..<5, _ random: inout Random) {
    func conv(_ inputs: Int, kernel: Int, _ random: inout Random) -> Conv2d {
      let fanIn = Double(kernel * kernel * inputs)
      let weight = Initializer.normal(deviation: (1 / fanIn).squareRoot())([kernel, kernel, inputs, outputs], &random)
      let options = Conv2dOptions(padding: Extent(kernel / 2))
      return Conv2d(weight: Parameter(weight, layout: .convolution), bias: Parameter(.zeros([outputs])), options)
    }
    reduction = conv(widths.reduce(0, +), kernel: 1, &random)
    fpnConv = (0..<levels.upperBound).map { levels.contains($0) ? conv(outputs, kernel: 3, &random) : nil }
    self.levels = levels
  }

  /// The maps of the levels.
  public func callAsFunction(_ branches: [Tensor]) -> [Tensor] {
    let x = reduction(branches.joined(.bilinear))
    return levels.compactMap { level in
      fpnConv[level]?(level == 0 ? x : x.averagePooled(window: Extent(1 << level), stride: Extent(1 << level)))
    }
  }
}
