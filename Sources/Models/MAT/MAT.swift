import Base
import Networks
import Tensors

// MAT: Mask-Aware Transformer for Large Hole Image Inpainting. Li, Lin, Zhou, Qi, Wang, Jia, CVPR 2022, arXiv:2203.15270.
//
//   section 3.1   MAT.swift                 the generator: two stages, and what they draw
//                 FirstStage.swift          convolutional head, body, style manipulation, convolutional tail
//   section 3.2   PartialConv.swift         convolutions that know what is hole
//   section 3.3   BodyStage.swift           the five stages of the body
//                 TransformerBlock.swift    the adjusted block; multi-head contextual attention and the update of the mask
//                 TokenWindows.swift        shifted windows
//   section 3.4   FirstStage.swift, SecondStage.swift   style manipulation
//                 MappingNetwork.swift      latent vectors to styles
//   section 3.5   MATLoss.swift             losses and regularisers
//   appendix      SecondStage.swift         the U-Net of the second stage
//                 MATDiscriminator.swift
//   table 1       MAT+Config.swift          sizes, and the variants of the ablations
//
// Layers of StyleGAN2 (equalised, modulated, resampled) are in Networks/Layers. Names of parameters are those of the authors' checkpoints.

/// Pictures with holes to complete pictures.
///
/// ```swift
/// let draws = generator.draws(for: image, &random)
/// let output = generator(image, mask: mask, draws, .evaluation)
/// ```
/// - Shape: image `[n, h, w, 3]` in -1…1, mask `[n, h, w, 1]` of 1 (known) and 0 (hole), h and w multiples of the resolution.
/// - Names: `mapping`, `synthesis.first_stage`, `synthesis.enc`, `synthesis.to_square`, `synthesis.to_style`, `synthesis.dec`.
public struct MATGenerator: Module {
  /// Gets the name of a part, what it gives, and the mask behind it, if it has one.
  public typealias Observer = (_ name: String, _ features: Tensor, _ mask: Tensor?) -> Void

  let mapping: MappingNetwork?
  let synthesis: Synthesis
  public let config: MAT.Config

  public init(_ config: MAT.Config, _ random: inout Random) {
    mapping = config.noiseStyle ? MappingNetwork(config, &random) : nil
    synthesis = Synthesis(config, &random)
    self.config = config
  }

  /// All that is random in a forward pass, except for the noise of the second stage's maps.
  public struct Draws: Sendable {
    /// `[n, zDim]`, normal.
    public var z: Tensor
    /// Styles from index `cutoff` on come from this z instead: in training, half of the time. The first stage reads the last one.
    public var mixing: (z: Tensor, cutoff: Int)?
    /// Where the coarsest tokens of the first stage keep their features (1) rather than take the map from noise (0): `[n, h, w, width]`.
    public var keepFirstStage: Tensor
    /// The same for the coarsest map of the second stage: `[n, h, w, channels]`.
    public var keepSecondStage: Tensor

    public init(z: Tensor, mixing: (z: Tensor, cutoff: Int)? = nil, keepFirstStage: Tensor, keepSecondStage: Tensor) {
      (self.z, self.mixing, self.keepFirstStage, self.keepSecondStage) = (z, mixing, keepFirstStage, keepSecondStage)
    }
  }

  public struct Output {
    /// The completed picture, `[n, h, w, 3]`; known pixels are the image's, bit for bit.
    public let image: Tensor
    /// The first stage's.
    public let firstStage: Tensor
    /// The style vectors, `[n, styleCount, wDim]`; nil without noise style.
    public let ws: Tensor?
  }

  /// Draws for a batch.
  /// - Parameter styleMixing: the probability that two vectors z share the batch's styles: 0.5 in training, else 0.
  public func draws(for image: Tensor, styleMixing: Double = 0, _ random: inout Random) -> Draws {
    let (n, h, w, _) = image.shape4
    let precision = image.precision
    func keep(_ shape: [Int], _ random: inout Random) -> Tensor {
      Tensor.uniform(shape, from: 0, to: 1, &random, precision: precision).isGreater(than: 0.5)
    }
    func latent(_ random: inout Random) -> Tensor { .normal([n, config.zDim], &random, precision: precision) }
    func coarse(_ native: Int) -> [Int] { [n, h * native / config.resolution, w * native / config.resolution] }
    let z = latent(&random)
    var mixing: (z: Tensor, cutoff: Int)?
    if random.chance(styleMixing) { mixing = (latent(&random), Int.random(in: 1..<config.styleCount, using: &random)) }
    let channels = config.channels(at: MAT.Config.coarsest)
    return Draws(
      z: z, mixing: mixing, keepFirstStage: keep(coarse(config.body(at: 2)) + [config.width], &random),
      keepSecondStage: keep(coarse(MAT.Config.coarsest) + [channels], &random))
  }

  /// - Parameters:
  ///   - truncation: ψ, 0.5 in training: styles move to their running mean.
  ///   - noise: of the second stage's maps; `.random` draws from the pass.
  ///   - seen: gets what the parts give; for tests and pictures of the masks.
  public func callAsFunction(
    _ image: Tensor, mask: Tensor, _ draws: Draws, truncation: Double = 1, noise: SynthesisNoise = .random, _ pass: Pass,
    seen: Observer = { _, _, _ in }
  ) -> Output {
    let (n, h, w, c) = image.shape4
    require(c == 3 && mask.shape == [n, h, w, 1], "MAT: an image of shape \(image.shape) and a mask of shape \(mask.shape)")
    require(h.isMultiple(of: config.resolution) && w.isMultiple(of: config.resolution),
      "MAT: images of \(h)x\(w); height and width must be multiples of \(config.resolution): pad them with hole")
    let ws = styles(draws, truncation: truncation, pass)
    let (second, first) = synthesis(image, mask: mask, ws: ws, draws, noise: noise, pass, seen: seen)
    return Output(image: second, firstStage: first, ws: ws)
  }

  /// `[n, styleCount, wDim]`.
  private func styles(_ draws: Draws, truncation: Double, _ pass: Pass) -> Tensor? {
    guard let mapping else { return nil }
    let n = draws.z.shape[0], count = config.styleCount
    func repeated(_ w: Tensor, _ count: Int) -> Tensor { w.reshaped(to: [n, 1, config.wDim]).broadcast(to: [n, count, config.wDim]) }
    let w = mapping(draws.z, truncation: truncation, updatesAverage: pass.isTraining && !pass.isRecomputing)
    guard let mixing = draws.mixing else { return repeated(w, count) }
    require((1..<count).contains(mixing.cutoff), "MAT: styles are mixed from index \(mixing.cutoff) on; there are \(count)")
    let other = mapping(mixing.z, truncation: truncation, updatesAverage: false)
    return concatenate([repeated(w, mixing.cutoff), repeated(other, count - mixing.cutoff)], axis: 1)
  }
}

/// The generator behind the mapping network.
struct Synthesis: Module {
  let firstStage: FirstStage
  let enc: PictureEncoder
  let toSquare: EqualizedLinear?
  let toStyle: PictureStyle
  let dec: PictureDecoder

  init(_ config: MAT.Config, _ random: inout Random) {
    let channels = config.channels(at: MAT.Config.coarsest)
    firstStage = FirstStage(config, &random)
    enc = PictureEncoder(config, &random)
    toSquare = config.noiseStyle
      ? EqualizedLinear(config.wDim, MAT.Config.coarsest * MAT.Config.coarsest, activation: .leakyRelu, &random) : nil
    toStyle = PictureStyle(channels, &random)
    dec = PictureDecoder(config, styleWidth: 2 * channels + (config.noiseStyle ? config.wDim : 0), &random)
  }

  func callAsFunction(
    _ image: Tensor, mask: Tensor, ws: Tensor?, _ draws: MATGenerator.Draws, noise: SynthesisNoise, _ pass: Pass,
    seen: MATGenerator.Observer
  ) -> (Tensor, Tensor) {
    let n = image.shape[0], known = image * mask
    func w(_ index: Int) -> Tensor? { ws.map { $0.sliced(1, index..<index + 1).reshaped(to: [n, $0.shape[2]]) } }
    let first = firstStage(
      image, mask: mask, w: w((ws?.shape[1] ?? 1) - 1), keep: draws.keepFirstStage, pass) { seen("first_stage.\($0)", $1, $2) }
    var features = enc(concatenate([mask - 0.5, known + first * (1 - mask), known], axis: 3))
    if let toSquare, let w = w(0) {
      let coarse = features.removeLast(), side = MAT.Config.coarsest
      let map = toSquare(w).reshaped(to: [n, side, side, 1])
        .resizedIfNeeded(to: Extent(height: coarse.shape[1], width: coarse.shape[2]))
      features.append(coarse.mixed(with: map, keep: draws.keepSecondStage))
    }
    let ofPicture = toStyle(features[features.count - 1])
    seen("to_style", ofPicture, nil)
    let style = { (index: Int) in w(index).map { concatenate([$0, ofPicture], axis: 1) } ?? ofPicture }
    let picture = dec(features, style: style, noise: noise, pass, seen: seen)
    return (picture * (1 - mask) + known, first)
  }
}
