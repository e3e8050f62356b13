import Base
import Networks
import Tensors

/// How the resolutions of a module are fused.
struct FusionPlan {
  let isFused: Bool
  let outputs: HRNet.Outputs
  let downsampling: HRNet.Downsampling
  let upsampling: Upsampling
  /// Whether the blocks of the highest resolution run again in the backward pass.
  let recompute: Bool
}

/// Basic blocks of every resolution, and the fusion of all resolutions into each: `yᵢ = relu(Σⱼ fᵢⱼ(xⱼ))`.
///
/// - Shape: the resolutions, the highest first, each half of the one before (rounded up) → same, or only the highest.
/// - Names: `branches.<resolution>.<block>`, `fuse_layers.<output>.<input>`.
/// - Source: figure 3 of the paper; on the way up the 1x1 convolution comes before the interpolation, as in the authors' code.
struct ExchangeModule: Module {
  let branches: [Sequential]
  /// For each output, the functions of all inputs; nil: identity. Empty without fusion.
  let fuseLayers: [[FuseLayer?]]
  private let upsampling: Upsampling
  private let recompute: Bool

  init(_ stage: HRNet.Stage, _ plan: FusionPlan, _ style: BlockStyle, _ random: inout Random) {
    branches = stage.widths.map { width in
      Sequential((0..<stage.blocks).map { _ -> any Layer in BasicBlock(BlockShape(inputs: width, width: width), style, &random) })
    }
    let outputs = plan.outputs == .all ? stage.widths.indices : 0..<1
    fuseLayers = !plan.isFused || stage.widths.count == 1 ? [] : outputs.map { i in
      stage.widths.indices.map { j in FuseLayer(from: j, to: i, stage.widths, plan.downsampling, style, &random) }
    }
    (upsampling, recompute) = (plan.upsampling, plan.recompute)
  }

  func callAsFunction(_ x: [Tensor], _ pass: Pass) -> [Tensor] {
    let x = branches.indices.map { i in
      recompute && i == 0 ? pass.recomputed { branches[i](x[i], pass) } : branches[i](x[i], pass)
    }
    return fuseLayers.isEmpty ? x : fuseLayers.indices.map { fused(x, into: $0, pass) }
  }

  /// The terms are added in the order of the inputs.
  private func fused(_ x: [Tensor], into i: Int, _ pass: Pass) -> Tensor {
    let size = Extent(height: x[i].shape[1], width: x[i].shape[2])
    var sum: Tensor?
    for (j, layer) in fuseLayers[i].enumerated() {
      switch layer {
      case nil: sum = sum.map { $0 + x[j] } ?? x[j]
      case .raised(let unit):
        let term = upsampling(unit(x[j], pass), to: size)
        sum = sum.map { $0 + term } ?? term
      case .halved(let units):
        let y = units.dropLast().reduce(x[j]) { $1($0, pass, activation: .relu) }
        sum = units[units.count - 1](y, pass, residual: sum)
      case .resized(let unit): sum = unit(x[j].resized(to: size), pass, residual: sum)
      }
    }
    return (sum ?? x[i]).relu()
  }
}

/// The function of one resolution in a fusion.
enum FuseLayer: Module {
  /// From a lower resolution: a 1x1 convolution, then interpolation. - Names: `0`, `1`.
  case raised(ConvNorm)
  /// From a higher resolution: strided 3x3 convolutions, all but the last rectified. - Names: `0.0`, `0.1`, `1.0`, …
  case halved([ConvNorm])
  /// From a higher resolution: bilinear interpolation, then a 1x1 convolution. - Names: `0`, `1`.
  case resized(ConvNorm)

  /// - Parameters:
  ///   - j: the input.
  ///   - i: the output. The function of equal resolutions is the identity: nil.
  init?(from j: Int, to i: Int, _ widths: [Int], _ downsampling: HRNet.Downsampling, _ style: BlockStyle, _ random: inout Random) {
    if i == j { return nil }
    if j > i {
      self = .raised(ConvNorm(widths[j], widths[i], kernel: 1, style, &random))
    } else if downsampling == .bilinear {
      self = .resized(ConvNorm(widths[j], widths[i], kernel: 1, style, &random))
    } else {
      self = .halved((j + 1...i).map { ConvNorm(widths[j], $0 == i ? widths[i] : widths[j], kernel: 3, stride: 2, style, &random) })
    }
  }
}
