import Base
import Networks
import Tensors

// RAFT: Recurrent All-Pairs Field Transforms for Optical Flow. Teed, Deng, ECCV 2020, arXiv:2003.12039.
//
//   section 3.1  FeatureEncoder.swift       both images, and the context of image 1
//   section 3.2  CorrelationPyramid.swift   all pairs, pyramid, lookup; on the fly
//   section 3.3  UpdateBlock.swift          motion encoder, flow head, upsampling
//                RecurrentUnit.swift        the recurrent unit and what the paper compares it with
//   section 3.4  SequenceLoss.swift         supervision of all iterations
//   table 2      RAFT+Config.swift          the variants
//
// Names of parameters are those of the authors' checkpoints (without the `module.` that their training script adds).


/// Optical flow by recurrent updates of one field at an eighth of the resolution.
public struct RAFT: Module {
  let fnet: FeatureEncoder
  let cnet: FeatureEncoder?
  let updateBlock: UpdateBlocks
  public let config: Config

  /// Feature maps have an eighth of the image's resolution.
  public static let stride = 8
  public var minimumSize: Int { config.minimumSize }

  public init(_ config: Config, _ random: inout Random) {
    let preset = config.preset
    let scales = config.featureScale == .multi && config.refinement == .correlation ? config.correlationLevels : 1
    fnet = FeatureEncoder(preset, outputs: preset.features, scales: scales, norm: .instance, config, &random)
    cnet = config.context
      ? FeatureEncoder(preset, outputs: preset.hidden + preset.context, norm: preset.contextNorm, config, &random) : nil
    updateBlock = UpdateBlocks(config, &random)
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
    let match = matching(image1, image2, pass)
    let (h0, context) = contextOf(image1, pass)

    let update = updateBlock.prepared(iterations: iterations, context: context)
    let coords0 = Self.pixelGrid(image1)
    var (h, coords1) = (h0, initialFlow.map { coords0 + $0 } ?? coords0)
    var flows: [Tensor] = []
    for k in 0..<iterations {
      coords1 = coords1.detached()  // gradients pass through the updates, not through where they were looked up
      let change: Tensor
      (h, change) = update(k, h, match(coords1), flow: coords1 - coords0)
      coords1 = coords1 + change
      if upsamplesAll || k == iterations - 1 { flows.append(update.upsampled(k, coords1 - coords0, h)) }
    }
    return Estimate(flows: flows, coarseFlow: (coords1 - coords0).detached())
  }

  /// Section 3.1 and 3.2: the features of both images, ready to be compared.
  private func matching(_ image1: Tensor, _ image2: Tensor, _ pass: Pass) -> any FeatureMatching {
    let images = pass.isTraining
      ? fnet.scales(concatenate([image1, image2], axis: 0).normalizedToUnit, pass).map { $0.split(0, into: 2) }
      : zip(fnet.scales(image1.normalizedToUnit, pass), fnet.scales(image2.normalizedToUnit, pass)).map { [$0, $1] }
    let (f1, f2) = (images.map { $0[0] }, images.map { $0[1] })
    let (levels, radius) = (config.correlationLevels, config.lookupRadius)
    let reach = config.correlationRange > 0 ? config.correlationRange / Self.stride : nil
    switch (config.refinement, config.correlation) {
    case (.warping, _): return WarpedFeatures(f1: f1[0], f2: f2[0])
    case (.correlation, .volume): return CorrelationPyramid(FeatureScales(f1, f2, levels: levels), radius: radius, reach: reach)
    case (.correlation, .onTheFly): return CorrelationOnTheFly(FeatureScales(f1, f2, levels: levels), radius: radius, reach: reach)
    }
  }

  /// The hidden state to start from, and what feeds every update beside the motion: `[n, h/8, w/8, hidden]` and `[…, context]`.
  private func contextOf(_ image1: Tensor, _ pass: Pass) -> (hidden: Tensor, input: Tensor?) {
    let (n, h, w, _) = image1.shape4
    let preset = config.preset
    guard let cnet else { return (.zeros([n, h / Self.stride, w / Self.stride, preset.hidden], image1.precision), nil) }
    let context = cnet(image1.normalizedToUnit, pass).split(-1, sizes: [preset.hidden, preset.context])
    return (context[0].tanh(), context[1].relu())
  }

  /// The coordinates `(x, y)` of every cell, for an image `[n, h, w, 3]`. - Shape: `[n, h / 8, w / 8, 2]`.
  private static func pixelGrid(_ image: Tensor) -> Tensor {
    let (n, h, w) = (image.shape[0], image.shape[1] / stride, image.shape[2] / stride)
    let cells = (0..<h).flatMap { y in (0..<w).flatMap { x in [Double(x), Double(y)] } }
    return Tensor(cells, shape: [1, h, w, 2], precision: image.precision).broadcast(to: [n, h, w, 2])
  }

  private func requireSizes(_ image1: Tensor, _ image2: Tensor) {
    let (_, h, w, c) = image1.shape4
    require(image1.shape == image2.shape && c == 3,
      "RAFT: two images [n, h, w, 3] of one size are needed, got \(image1.shape) and \(image2.shape)")
    require(h % Self.stride == 0 && w % Self.stride == 0,
      "RAFT: height \(h) and width \(w) must be multiples of \(Self.stride); pad the images")
    require(h >= minimumSize && w >= minimumSize,
      "RAFT: \(h)x\(w) is too small; \(config.correlationLevels) pyramid levels need \(minimumSize) pixels each way")
  }
}

extension Tensor {
  /// Grey levels 0...255 as -1...1.
  fileprivate var normalizedToUnit: Tensor { scaled(by: 2 / 255, plus: -1) }
}
