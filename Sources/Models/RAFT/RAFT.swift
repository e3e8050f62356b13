// RAFT: Recurrent All-Pairs Field Transforms for Optical Flow. Teed, Deng, ECCV 2020, arXiv:2003.12039.
//
//   section 3.1  FeatureEncoder.swift       both images, and the context of image 1
//   section 3.2  CorrelationPyramid.swift   all pairs, pyramid, lookup
//   section 3.3  UpdateBlock.swift          motion encoder, recurrent unit, flow head
//   section 3.4  SequenceLoss.swift         supervision of all iterations
//
// Names of parameters are those of the authors' checkpoints (without the `module.` that their training script adds).

import Networks
import Tensors

/// Optical flow by recurrent updates of one field at an eighth of the resolution.
public struct RAFT: Module {
  let fnet: FeatureEncoder
  let cnet: FeatureEncoder
  let updateBlock: UpdateBlock
  public let config: Config

  /// Feature maps have an eighth of the image's resolution.
  public static let stride = 8
  /// Every level of the correlation pyramid needs two cells, so images need 128 pixels each way: `8 · 2³ · 2`.
  public var minimumSize: Int { Self.stride << config.correlationLevels }

  public init(_ config: Config, _ random: inout Random) {
    let preset = config.variant.preset
    fnet = FeatureEncoder(preset.encoder, outputs: preset.features, norm: .instance, dropout: config.dropout, &random)
    cnet = FeatureEncoder(
      preset.encoder, outputs: preset.hidden + preset.context, norm: preset.contextNorm, dropout: config.dropout, &random)
    let window = 2 * config.correlationRadius + 1
    updateBlock = UpdateBlock(preset, correlations: config.correlationLevels * window * window, &random)
    self.config = config
  }

  /// The flow from image 1 to image 2.
  public struct Estimate {
    /// After each iteration, or after the last one only: `[n, h, w, 2]`, pixels.
    public let flows: [Tensor]
    /// The last field as it was computed, in its own cells of eight pixels: `[n, h / 8, w / 8, 2]`. A warm start moves it on.
    public let coarseFlow: Tensor
  }

  /// The flow from image 1 to image 2, after every iteration.
  /// - Shape: images `[n, h, w, 3]`, 0...255, h and w multiples of 8 and at least `minimumSize`.
  /// - Parameters:
  ///   - iterations: updates of the field; 12 in training, more at test time.
  ///   - initialFlow: where to start, as a `coarseFlow`; `nil`: at rest.
  ///   - upsamplesAll: return every iteration's flow, as the loss needs them; else the last one only.
  public func callAsFunction(
    _ image1: Tensor, _ image2: Tensor, iterations: Int, initialFlow: Tensor? = nil, upsamplesAll: Bool = true, _ pass: Pass
  ) -> Estimate {
    requireSizes(image1, image2)
    let (x1, x2) = (image1.scaled(by: 2 / 255, plus: -1), image2.scaled(by: 2 / 255, plus: -1))
    let features = encoded(fnet, concatenate([x1, x2], axis: 0), pass).split(0, into: 2)
    let pyramid = CorrelationPyramid(features[0], features[1], levels: config.correlationLevels)
    let hidden = config.variant.preset.hidden
    let context = encoded(cnet, x1, pass).split(-1, sizes: [hidden, config.variant.preset.context])
    var h = context[0].tanh()
    let input = context[1].relu()

    let gates = updateBlock.gru.gates()
    let coords0 = Self.pixelGrid(features[0])
    var coords1 = initialFlow.map { coords0 + $0 } ?? coords0
    var flows: [Tensor] = []
    for k in 1...iterations {
      coords1 = coords1.detached()  // gradients pass through the updates, not through where they were looked up
      let correlations = pyramid.lookup(coords1, radius: config.correlationRadius)
      let update = updateBlock(h, input, correlations, flow: coords1 - coords0, gates)
      h = update.hidden
      coords1 = coords1 + update.flow
      if upsamplesAll || k == iterations { flows.append(Self.upsampled(coords1 - coords0)) }
    }
    return Estimate(flows: flows, coarseFlow: (coords1 - coords0).detached())
  }

  private func encoded(_ encoder: FeatureEncoder, _ x: Tensor, _ pass: Pass) -> Tensor {
    config.recompute ? pass.recomputed { encoder(x, pass) } : encoder(x, pass)
  }

  /// The coordinates `(x, y)` of every cell. - Shape: `[n, h, w, 2]` for features `[n, h, w, c]`.
  private static func pixelGrid(_ features: Tensor) -> Tensor {
    let (n, h, w, _) = features.shape4
    let cells = (0..<h).flatMap { y in (0..<w).flatMap { x in [Double(x), Double(y)] } }
    return Tensor(cells, shape: [1, h, w, 2], precision: features.precision).broadcast(to: [n, h, w, 2])
  }

  /// Flow at full resolution, in its pixels: bilinear, corners aligned.
  private static func upsampled(_ flow: Tensor) -> Tensor {
    let (_, h, w, _) = flow.shape4
    return flow.resized(to: Extent(height: stride * h, width: stride * w), .bilinear, alignCorners: true) * Double(stride)
  }

  private func requireSizes(_ image1: Tensor, _ image2: Tensor) {
    let (_, h, w, c) = image1.shape4
    require(image1.shape == image2.shape && c == 3, "RAFT: two images [n, h, w, 3] of one size are needed, got \(image1.shape) and \(image2.shape)")
    require(h % Self.stride == 0 && w % Self.stride == 0, "RAFT: height \(h) and width \(w) must be multiples of \(Self.stride); pad the images")
    require(h >= minimumSize && w >= minimumSize,
      "RAFT: \(h)x\(w) is too small; \(config.correlationLevels) pyramid levels need \(minimumSize) pixels each way")
  }
}

extension RAFT {
  public struct Config: Codable, Sendable, Equatable {
    public var variant = Variant.small
    /// Levels of the correlation pyramid, each half as large as the one before.
    public var correlationLevels = 4
    /// Half width of the lookup window, in cells of each level.
    public var correlationRadius = 3
    /// Share of feature channels dropped in training, 0..<1.
    public var dropout = 0.0
    /// Run the encoders again in the backward pass rather than keep their activations: less memory, more time, the same bits.
    public var recompute = false

    public init(variant: Variant = .small) { self.variant = variant }
  }

  /// The published sizes of the network.
  public enum Variant: String, Codable, Sendable, CaseIterable {
    case small

    var preset: Preset {
      switch self {
      case .small:
        Preset(encoder: .init(stem: 32, widths: [32, 64, 96]), features: 128, hidden: 96, context: 64, contextNorm: .none,
               correlationWidth: 96, flowWidths: [64, 32], motion: 80, flowHead: 128)
      }
    }
  }

  /// Channel counts of one variant.
  struct Preset {
    let encoder: FeatureEncoder.Widths
    /// Channels that are correlated, of the recurrent state, and of the context that feeds it.
    let features, hidden, context: Int
    let contextNorm: Normalization.Kind
    /// Motion encoder: correlation branch, flow branch, and their fusion before the flow itself is appended.
    let correlationWidth: Int
    let flowWidths: [Int]
    let motion: Int
    let flowHead: Int
  }
}
