import Base
import Networks
import Tensors

// HRNet: Deep High-Resolution Representation Learning for Visual Recognition. Wang, Sun, Cheng et al., TPAMI 2020, arXiv:1908.07919.
//
//   section 3.1, 3.2   HRNet.swift               stem, stages and the transitions between them
//   section 3.2        ExchangeModule.swift      parallel resolutions and their repeated fusion
//   section 3.3        Representation.swift      V1, V1h and V2: what a head reads
//                      HRNetPyramid.swift        V2p
//   section 4          HRNetPose.swift           heatmaps of keypoints
//   section 5          HRNetSegmentation.swift   label maps
//                      ObjectContext.swift       object-contextual representations (Yuan, Chen, Wang 2020)
//   appendix           HRNetClassification.swift
//   section 7          HRNet+Config.swift        variants and ablations
//
// Names of parameters are those of the authors' checkpoints.

/// The body: resolutions side by side, from the stem to the last fusion.
///
/// - Shape: `[n, h, w, 3]` → the outputs of the last stage, the highest resolution first: `[n, h / 4, w / 4, widths[0]]`,
///   `[n, h / 8, w / 8, widths[1]]`, … (sizes rounded up).
/// - Names: `conv1`, `bn1`, `layer1.0.conv1`, `transition1.1.0.0`, `stage2.0.branches.1.3.bn2`, `stage4.2.fuse_layers.0.3.1`, as in the
///   authors' files.
public struct HRNet: Module {
  let conv1: Conv2d
  let bn1: Normalization
  let conv2: Conv2d
  let bn2: Normalization
  let layer1: Sequential
  let transition1: [Transition?]
  let stage2: [ExchangeModule]
  let transition2: [Transition?]
  let stage3: [ExchangeModule]
  let transition3: [Transition?]
  let stage4: [ExchangeModule]
  /// Channels of the outputs.
  public let channels: [Int]
  private let upsampling: Upsampling
  private let recompute: Bool

  /// The outputs of the last fusion.
  public enum Outputs: Sendable { case all, highest }

  /// - Parameters:
  ///   - upsampling: of lower resolutions in fusions.
  ///   - weights: the first values of all convolutions.
  public init(
    _ config: Config, outputs: Outputs = .all, upsampling: Upsampling = .nearest, weights: Initializer = .kaimingNormal,
    _ random: inout Random
  ) {
    let stages = config.resolvedStages
    require(stages.count == 3, "HRNet: \(stages.count) stages of parallel resolutions, expected three")
    let style = config.style(weights)
    let first = config.firstStage
    conv1 = Conv2d(3, config.stemWidth, kernel: 3, .halving, bias: false, weights: weights, &random)
    bn1 = style.norm(config.stemWidth)
    conv2 = Conv2d(config.stemWidth, config.stemWidth, kernel: 3, .halving, bias: false, weights: weights, &random)
    bn2 = style.norm(config.stemWidth)
    let expanded = first.width * Bottleneck.expansion
    layer1 = Sequential((0..<first.blocks).map { block -> any Layer in
      Bottleneck(BlockShape(inputs: block == 0 ? config.stemWidth : expanded, width: first.width), style, &random)
    })
    func modules(_ index: Int, _ random: inout Random) -> [ExchangeModule] {
      (0..<stages[index].modules).map { module in
        let isLast = module == stages[index].modules - 1
        let plan = FusionPlan(
          isFused: config.fusion == .everyUnit || (isLast && (config.fusion == .acrossStages || index == 2)),
          outputs: index == 2 && isLast ? outputs : .all, downsampling: config.downsampling, upsampling: upsampling,
          recompute: config.recompute)
        return ExchangeModule(stages[index], plan, style, &random)
      }
    }
    transition1 = Transition.all(from: [expanded], to: stages[0].widths, style, &random)
    stage2 = modules(0, &random)
    transition2 = Transition.all(from: stages[0].widths, to: stages[1].widths, style, &random)
    stage3 = modules(1, &random)
    transition3 = Transition.all(from: stages[1].widths, to: stages[2].widths, style, &random)
    stage4 = modules(2, &random)
    channels = outputs == .all ? stages[2].widths : [stages[2].widths[0]]
    self.upsampling = upsampling
    recompute = config.recompute
  }

  /// The number that height and width of images must be multiples of.
  public var sizeStep: Int { upsampling == .nearest ? 4 << (transition3.count - 1) : 1 }

  public func callAsFunction(_ images: Tensor, _ pass: Pass) -> [Tensor] { callAsFunction(images, pass) { _, _ in } }

  /// - Parameter seen: gets the names `layer1` and, of every exchange module, such as `stage2.0`, and their outputs.
  package func callAsFunction(_ images: Tensor, _ pass: Pass, seen: (String, [Tensor]) -> Void) -> [Tensor] {
    let (_, h, w, _) = images.shape4
    require(h.isMultiple(of: sizeStep) && w.isMultiple(of: sizeStep),
      "HRNet: images of \(h)x\(w); with nearest upsampling height and width must be multiples of \(sizeStep): pad or resize them")
    var branches = [first(images, pass)]
    seen("layer1", branches)
    for (number, transition, stage) in [(2, transition1, stage2), (3, transition2, stage3), (4, transition3, stage4)] {
      branches = transition.indices.map { i in
        let source = branches[min(i, branches.count - 1)]
        return transition[i]?(source, pass) ?? source
      }
      for (index, module) in stage.enumerated() {
        branches = module(branches, pass)
        seen("stage\(number).\(index)", branches)
      }
    }
    return branches
  }

  /// Stem and first stage, in two parts if they run again.
  private func first(_ images: Tensor, _ pass: Pass) -> Tensor {
    let blocks = layer1.layers
    let middle = (blocks.count + 1) / 2
    func begin() -> Tensor {
      let x = conv2(conv1(images, bn1, pass, activation: .relu), bn2, pass, activation: .relu)  // [n, h/4, w/4, stem]
      return blocks[..<middle].reduce(x) { $1($0, pass) }
    }
    let x = recompute ? pass.recomputed(begin) : begin()
    func end() -> Tensor { blocks[middle...].reduce(x) { $1($0, pass) } }
    return recompute ? pass.recomputed(end) : end()
  }
}

extension Conv2dOptions {
  /// A 3x3 convolution to half of the resolution.
  fileprivate static var halving: Conv2dOptions { Conv2dOptions(stride: 2, padding: 1) }
}

/// The way of one resolution into the next stage, where it changes.
enum Transition: Layer {
  /// A resolution of the stage before with another width: a 3x3 convolution. - Names: `0`, `1`.
  case widened(ConvNorm)
  /// A new resolution, from the lowest of the stage before: strided 3x3 convolutions. - Names: `0.0`, `0.1`, …
  case halved([ConvNorm])

  /// The transitions of all resolutions of a stage; nil: as it is.
  static func all(from: [Int], to: [Int], _ style: BlockStyle, _ random: inout Random) -> [Transition?] {
    to.indices.map { i in
      guard let lowest = from.last, i >= from.count else {
        return from[i] == to[i] ? nil : .widened(ConvNorm(from[i], to[i], kernel: 3, style, &random))
      }
      return .halved((from.count...i).map { ConvNorm(lowest, $0 == i ? to[i] : lowest, kernel: 3, stride: 2, style, &random) })
    }
  }

  func callAsFunction(_ x: Tensor, _ pass: Pass) -> Tensor {
    switch self {
    case .widened(let unit): unit(x, pass, activation: .relu)
    case .halved(let units): units.reduce(x) { $1($0, pass, activation: .relu) }
    }
  }
}

/// The interpolation of a lower resolution to a higher one.
public enum Upsampling: String, Sendable {
  /// By whole factors.
  case nearest
  /// Between half-pixel centres.
  case bilinear
  /// Between the centres of the corner pixels.
  case aligned

  func callAsFunction(_ x: Tensor, to size: Extent) -> Tensor {
    guard x.shape[1] != size.height || x.shape[2] != size.width else { return x }
    return x.resized(to: size, self == .nearest ? .nearest : .bilinear, alignCorners: self == .aligned)
  }
}
