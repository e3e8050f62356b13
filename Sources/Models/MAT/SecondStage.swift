import Base
import Networks
import Tensors

/// The encoder of the second stage: features of every resolution down to 16x16.
///
/// - Shape: `[n, h, w, 7]` → `[n, h, w, channels]`, then half of the resolution with each.
/// - Names: `EncConv_Block_512x512.conv0`, `.conv1`, … down to 16x16.
struct PictureEncoder: Module {
  static let checkpointNames = ["blocks": ""]
  private let blocks: [Named<EncoderBlock>]

  init(_ config: MAT.Config, _ random: inout Random) {
    let steps = config.resolution.exponent - MAT.Config.coarsest.exponent
    blocks = (0...steps).map { step in
      let resolution = config.resolution >> step
      let inputs = step == 0 ? 7 : config.channels(at: 2 * resolution)
      return Named("EncConv_Block_\(resolution)x\(resolution)",
                   EncoderBlock(inputs, config.channels(at: resolution), isFirst: step == 0, &random))
    }
  }

  /// The features, the highest resolution first.
  func callAsFunction(_ x: Tensor) -> [Tensor] {
    blocks.reduce(into: []) { features, block in features.append(block.module(features.last ?? x)) }
  }
}

/// - Names: `conv0` (1x1 in the first block, else to half of the resolution), `conv1`.
struct EncoderBlock: Module {
  let conv0: EqualizedConv2d
  let conv1: EqualizedConv2d

  init(_ inputs: Int, _ outputs: Int, isFirst: Bool, _ random: inout Random) {
    conv0 = EqualizedConv2d(inputs, outputs, kernel: isFirst ? 1 : 3, resampling: isFirst ? .same : .down, &random)
    conv1 = EqualizedConv2d(outputs, outputs, kernel: 3, &random)
  }

  func callAsFunction(_ x: Tensor) -> Tensor { conv1(conv0(x)) }
}

/// The style of the picture: `[n, 16, 16, c]` → `[n, 2c]`. - Names: `conv.0` to `conv.2`, `fc`.
struct PictureStyle: Module {
  let conv: [EqualizedConv2d]
  let fc: EqualizedLinear

  init(_ channels: Int, _ random: inout Random) {
    conv = (0..<3).map { _ in EqualizedConv2d(channels, channels, kernel: 3, resampling: .down, &random) }
    fc = EqualizedLinear(channels, 2 * channels, activation: .leakyRelu, &random)
  }

  func callAsFunction(_ x: Tensor) -> Tensor { fc(conv.reduce(x) { $1($0) }.mean([1, 2])) }
}

/// The decoder of the second stage, from 16x16 up.
///
/// - Names: `Dec_16x16.conv0`, `.conv1`, `.toRGB`, … up to the resolution.
struct PictureDecoder: Module {
  static let checkpointNames = ["blocks": ""]
  private let blocks: [Named<DecoderBlock>]

  init(_ config: MAT.Config, styleWidth: Int, _ random: inout Random) {
    let steps = config.resolution.exponent - MAT.Config.coarsest.exponent
    blocks = (0...steps).map { step in
      let resolution = MAT.Config.coarsest << step
      return Named("Dec_\(resolution)x\(resolution)", DecoderBlock(config, resolution: resolution, styleWidth: styleWidth, &random))
    }
  }

  /// - Parameters:
  ///   - features: of the encoder, the highest resolution first, the lowest one mixed with noise.
  ///   - style: the modulating style by its index: neighbouring resolutions share one.
  func callAsFunction(
    _ features: [Tensor], style: (Int) -> Tensor, noise: SynthesisNoise, _ pass: Pass, seen: MATGenerator.Observer
  ) -> Tensor {
    var x = features[features.count - 1]
    var picture: Tensor?
    for (step, (block, skip)) in zip(blocks, features.reversed()).enumerated() {
      // The block at 16x16 has no style for its first convolution.
      let styles = (0..<3).map { step == 0 && $0 == 0 ? nil : style(max(0, 2 * step - 1 + $0)) }
      (x, picture) = block.module(x, skip: skip, onto: picture, styles: styles, noise: noise, pass)
      seen("dec.\(block.name)", picture ?? x, nil)
    }
    guard let picture else { stop("MAT: the decoder has no blocks") }
    return picture
  }
}

/// - Names: `conv0` (a plain convolution at 16x16, else a styled one to twice the resolution), `conv1`, `toRGB`.
struct DecoderBlock: Module {
  static let checkpointNames = ["toRGB": "toRGB"]

  enum Entry: Module {
    case plain(EqualizedConv2d)
    case upsampling(StyleConv)
  }

  let conv0: Entry
  let conv1: StyleConv
  let toRGB: ToRGB

  init(_ config: MAT.Config, resolution: Int, styleWidth: Int, _ random: inout Random) {
    let channels = config.channels(at: resolution)
    conv0 = resolution == MAT.Config.coarsest ? .plain(EqualizedConv2d(channels, channels, kernel: 3, &random)) : .upsampling(StyleConv(
      config.channels(at: resolution / 2), channels, styleWidth: styleWidth, resampling: .up, noiseResolution: resolution, &random))
    conv1 = StyleConv(channels, channels, styleWidth: styleWidth, noiseResolution: resolution, &random)
    toRGB = ToRGB(channels, styleWidth: styleWidth, &random)
  }

  /// - Parameter styles: of the two convolutions and of the colours.
  func callAsFunction(
    _ x: Tensor, skip: Tensor, onto picture: Tensor?, styles: [Tensor?], noise: SynthesisNoise, _ pass: Pass
  ) -> (Tensor, Tensor) {
    guard let second = styles[1], let ofColours = styles[2] else { stop("MAT: a decoder block lacks a style") }
    let first: Tensor
    switch (conv0, styles[0]) {
    case (.plain(let conv), _): first = conv(x)
    case (.upsampling(let conv), let style?): first = conv(x, style: style, noise: noise, pass)
    case (.upsampling, nil): stop("MAT: a decoder block lacks a style")
    }
    let y = conv1(first + skip, style: second, noise: noise, pass)
    return (y, toRGB(y, style: ofColours, onto: picture))
  }
}
