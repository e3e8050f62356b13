import Base
import Networks
import Tensors

/// The update operator of all iterations: one block that all share, or one for each.
enum UpdateBlocks: Module {
  case tied(UpdateBlock), untied([UpdateBlock])

  init(_ config: RAFT.Config, _ random: inout Random) {
    self = switch config.weightTying {
    case .tied: .tied(UpdateBlock(config, &random))
    case .untied: .untied((0..<config.untiedBlocks).map { _ in UpdateBlock(config, &random) })
    }
  }

  /// The blocks with what their recurrent units compute once for all iterations.
  struct Prepared {
    fileprivate let blocks: [(block: UpdateBlock, steps: [any StateUpdate])]

    private subscript(k: Int) -> (block: UpdateBlock, steps: [any StateUpdate]) { blocks[min(k, blocks.count - 1)] }

    /// Iteration `k`: see `UpdateBlock`.
    func callAsFunction(_ k: Int, _ h: Tensor, _ match: Tensor, flow: Tensor) -> (hidden: Tensor, flow: Tensor) {
      self[k].block(h, match, flow: flow, self[k].steps)
    }

    /// The flow after iteration `k` at full resolution: see `UpdateBlock`.
    func upsampled(_ k: Int, _ flow: Tensor, _ h: Tensor) -> Tensor { self[k].block.upsampled(flow, h) }
  }

  /// - Parameter context: what feeds every update beside the motion, `[n, h, w, context]`.
  func prepared(iterations: Int, context: Tensor?) -> Prepared {
    switch self {
    case .tied(let block): return Prepared(blocks: [(block, block.gru.steps(context: context))])
    case .untied(let blocks):
      require(iterations <= blocks.count, "RAFT: \(iterations) iterations with \(blocks.count) untied update blocks; take at most as many")
      return Prepared(blocks: blocks.prefix(iterations).map { ($0, $0.gru.steps(context: context)) })
    }
  }
}

/// Section 3.3: one step of the recurrent update operator.
struct UpdateBlock: Module {
  let encoder: MotionEncoder
  let gru: RecurrentUnit
  let flowHead: FlowHead
  /// `nil`: bilinear upsampling.
  let mask: UpsamplingMaskHead?

  init(_ config: RAFT.Config, _ random: inout Random) {
    let preset = config.preset, context = config.context ? preset.context : 0
    encoder = MotionEncoder(preset, match: config.matchChannels, &random)
    let kind = config.updateOperator == .preset ? preset.updateOperator : config.updateOperator
    gru = RecurrentUnit(kind, hidden: preset.hidden, input: context + preset.motion + 2, &random)
    flowHead = FlowHead(preset.hidden, preset.headWidth, &random)
    mask = config.isUpsamplingConvex ? UpsamplingMaskHead(preset.hidden, preset.headWidth, &random) : nil
  }

  /// - Shape: hidden `[n, h, w, hidden]`, match, flow `[n, h, w, 2]` → the new hidden state and the change of the flow.
  /// - Parameter steps: `gru.steps(context:)`, made once for all iterations.
  func callAsFunction(_ h: Tensor, _ match: Tensor, flow: Tensor, _ steps: [any StateUpdate]) -> (hidden: Tensor, flow: Tensor) {
    let x = [encoder(flow, match), flow]
    let h = steps.reduce(h) { h, step in step(h, x) }
    return (h, flowHead(h))
  }

  /// Flow at full resolution, in its pixels: a convex combination of neighbours if there is a mask head, else bilinear, corners aligned.
  /// - Shape: flow `[n, h, w, 2]` in cells, hidden `[n, h, w, hidden]` → `[n, 8·h, 8·w, 2]`.
  func upsampled(_ flow: Tensor, _ h: Tensor) -> Tensor {
    let (_, height, width, _) = flow.shape4, stride = RAFT.stride
    if let mask { return (flow * Double(stride)).convexUpsampled(by: mask(h), factor: stride, scale: UpsamplingMaskHead.scale) }
    return flow.resized(to: Extent(height: stride * height, width: stride * width), .bilinear, alignCorners: true) * Double(stride)
  }
}

/// The motion encoder: features of the match and the flow so far; the raw flow is passed on beside them.
struct MotionEncoder: Module {
  let convc1: Conv2d
  let convc2: Conv2d?
  let convf1, convf2: Conv2d
  let conv: Conv2d

  init(_ preset: RAFT.Preset, match: Int, _ random: inout Random) {
    let (c, f) = (preset.correlationWidths, preset.flowWidths), width = c[c.count - 1]
    convc1 = Conv2d(match, c[0], kernel: 1, Conv2dOptions(), &random)
    convc2 = c.count > 1 ? Conv2d(c[0], c[1], kernel: 3, Conv2dOptions(padding: 1), &random) : nil
    convf1 = Conv2d(2, f[0], kernel: 7, Conv2dOptions(padding: 3), &random)
    convf2 = Conv2d(f[0], f[1], kernel: 3, Conv2dOptions(padding: 1), &random)
    conv = Conv2d(width + f[1], preset.motion, kernel: 3, Conv2dOptions(padding: 1), &random)
  }

  func callAsFunction(_ flow: Tensor, _ match: Tensor) -> Tensor {
    var c = convc1(match, activation: .relu)
    if let convc2 { c = convc2(c, activation: .relu) }
    let f = convf2(convf1(flow, activation: .relu), activation: .relu)
    return conv(concatenate([c, f], axis: -1), activation: .relu)
  }
}

/// Hidden state → change of the flow, in cells.
struct FlowHead: Module {
  let conv1, conv2: Conv2d

  init(_ inputs: Int, _ width: Int, _ random: inout Random) {
    conv1 = Conv2d(inputs, width, kernel: 3, Conv2dOptions(padding: 1), &random)
    conv2 = Conv2d(width, 2, kernel: 3, Conv2dOptions(padding: 1), &random)
  }

  func callAsFunction(_ h: Tensor) -> Tensor { conv2(conv1(h, activation: .relu)) }
}

/// Hidden state → logits of the weights of nine neighbours for each of 8x8 pixels.
struct UpsamplingMaskHead: Module {
  static let checkpointNames = ["conv1": "0", "conv2": "2"]
  /// The authors multiply the logits by this, to balance gradients; their checkpoints need it.
  static let scale = 0.25
  let conv1, conv2: Conv2d

  init(_ inputs: Int, _ width: Int, _ random: inout Random) {
    conv1 = Conv2d(inputs, width, kernel: 3, Conv2dOptions(padding: 1), &random)
    conv2 = Conv2d(width, 9 * RAFT.stride * RAFT.stride, kernel: 1, Conv2dOptions(), &random)
  }

  func callAsFunction(_ h: Tensor) -> Tensor { conv2(conv1(h, activation: .relu)) }
}
