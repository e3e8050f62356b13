import Base
import Networks
import Tensors

/// A stage of the body: a change of resolution, blocks, a convolution, and a residual around the last two.
///
/// - Shape: tokens `[n, h, w, c]`, mask `[n, h, w, 1]` → the same at the stage's resolution.
/// - Names: `downsample.conv` (upsampling stages too), `blocks.0`, …, `conv`.
struct BodyStage: Module {
  static let checkpointNames = ["downsample": "downsample.conv"]
  let downsample: PartialConv?
  let blocks: [BodyBlock]
  let conv: PartialConv

  init(_ config: MAT.Config, stage: Int, _ random: inout Random) {
    let width = config.width
    let resampling: ConvolutionResampling? = stage == 0 ? nil : stage < 3 ? .down : .up
    downsample = resampling.map { PartialConv(width, width, resampling: $0, &random) }
    blocks = (0..<config.depths[stage]).map { index in
      switch config.body {
      case .convolution: .convolution(PartialConv(width, width, &random))
      case .transformer: .transformer(TransformerBlock(
        config, grid: config.body(at: stage), window: config.windows[stage], isShifted: !index.isMultiple(of: 2), &random))
      }
    }
    conv = PartialConv(width, width, &random)
  }

  /// - Parameter seen: gets what each block gives, by its name in this stage.
  func callAsFunction(_ x: Tensor, mask: Tensor?, _ pass: Pass, seen: MATGenerator.Observer) -> (Tensor, Tensor?) {
    let (entered, ofEntered) = downsample?(x, mask: mask) ?? (x, mask)
    var (y, mask) = (entered, ofEntered)
    for (index, block) in blocks.enumerated() {
      (y, mask) = block(y, mask: mask, pass)
      seen("blocks.\(index)", y, mask)
    }
    let (closed, ofClosed) = conv(y, mask: mask)
    return (closed + entered, ofClosed)
  }
}

/// A block of the body; names are the block's own.
enum BodyBlock: Module {
  case transformer(TransformerBlock)
  case convolution(PartialConv)

  func callAsFunction(_ x: Tensor, mask: Tensor?, _ pass: Pass) -> (Tensor, Tensor?) {
    switch self {
    case .transformer(let block): block(x, mask: mask, pass)
    case .convolution(let block): block(x, mask: mask)
    }
  }
}
