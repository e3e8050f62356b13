import Base
import Networks
import Tensors

/// The first stage: a convolutional head, the transformer body, style manipulation, and a convolutional tail. - Source: section 3.1 to 3.4.
///
/// - Shape: image `[n, h, w, 3]`, mask `[n, h, w, 1]` → a picture `[n, h, w, 3]` whose known pixels are the image's.
/// - Names: `conv_first`, `enc_conv.0`, …, `tran.0` … `tran.4`, `down_conv.0`, …, `to_style`, `ws_style`, `to_square`, `dec_conv.0`, ….
struct FirstStage: Module {
  let convFirst: PartialConv
  let encConv: [PartialConv]
  let tran: [BodyStage]
  let downConv: [EqualizedConv2d]
  let toStyle: EqualizedLinear
  let wsStyle: EqualizedLinear?
  let toSquare: EqualizedLinear?
  let decConv: [StyleBlock]

  init(_ config: MAT.Config, _ random: inout Random) {
    let width = config.width
    let coarsest = config.body(at: 2)
    convFirst = PartialConv(4, width, &random)
    encConv = (0..<config.stepsToBody).map { _ in PartialConv(width, width, resampling: .down, &random) }
    tran = (0..<5).map { BodyStage(config, stage: $0, &random) }
    downConv = (0..<coarsest.exponent).map { _ in EqualizedConv2d(width, width, kernel: 3, resampling: .down, &random) }
    toStyle = EqualizedLinear(width, 2 * width, activation: .leakyRelu, &random)
    wsStyle = config.noiseStyle ? EqualizedLinear(config.wDim, width, activation: .leakyRelu, &random) : nil
    toSquare = config.noiseStyle ? EqualizedLinear(width, coarsest * coarsest, activation: .leakyRelu, &random) : nil
    let styleWidth = (config.noiseStyle ? 3 : 2) * width
    decConv = (0..<config.stepsToBody).map { _ in StyleBlock(width, styleWidth: styleWidth, &random) }
  }

  /// - Parameter w: `[n, wDim]`, the last style vector of the picture; nil without noise style.
  func callAsFunction(
    _ image: Tensor, mask: Tensor, w: Tensor?, keep: Tensor?, _ pass: Pass, seen: MATGenerator.Observer
  ) -> Tensor {
    var (x, known): (Tensor, Tensor?) = convFirst(concatenate([mask - 0.5, image * mask], axis: 3), mask: mask)
    seen("conv_first", x, known)
    var skips: [Tensor] = []
    for (index, conv) in encConv.enumerated() {
      skips.append(x)
      (x, known) = conv(x, mask: known)
      seen("enc_conv.\(index)", x, known)
    }
    let (tokens, style) = body(x, known, w: w, keep: keep, pass, seen: seen)
    var picture: Tensor?
    x = tokens
    for (block, skip) in zip(decConv, skips.reversed()) { (x, picture) = block(x, skip: skip, onto: picture, style: style, pass) }
    guard let picture else { stop("MAT: the first stage has no tail") }
    return picture * (1 - mask) + image * mask
  }

  /// The five stages; the mask is dropped after the second one, the style is mixed in after the third.
  private func body(
    _ x: Tensor, _ known: Tensor?, w: Tensor?, keep: Tensor?, _ pass: Pass, seen: MATGenerator.Observer
  ) -> (tokens: Tensor, style: Tensor) {
    var (x, known) = (x, known)
    var skips: [Tensor] = []
    var style = x
    for (index, stage) in tran.enumerated() {
      if index == 2 { known = nil }
      (x, known) = stage(x, mask: known, pass) { seen("tran.\(index).\($0)", $1, $2) }
      seen("tran.\(index)", x, known)
      switch index {
      case 0, 1: skips.append(x)
      case 2: (x, style) = manipulated(x, w: w, keep: keep)
      default: x = x + skips[4 - index]
      }
    }
    return (x, style)
  }

  /// The coarsest tokens mixed with a map from noise, and the style of the tail: `[n, 3 · width]`, picture's style first.
  private func manipulated(_ x: Tensor, w: Tensor?, keep: Tensor?) -> (Tensor, Tensor) {
    let (n, h, wide, _) = x.shape4
    func pictureStyle(_ x: Tensor) -> Tensor { toStyle(downConv.reduce(x) { $1($0) }.mean([1, 2])) }
    guard let wsStyle, let toSquare, let w else { return (x, pictureStyle(x)) }
    let noiseStyle = wsStyle(w)
    let tokens = toSquare(noiseStyle)  // [n, coarsest²]
    let map = tokens.reshaped(to: [n, 1, tokens.shape[1], 1]).resizedIfNeeded(to: Extent(height: 1, width: h * wide))
    let mixed = x.mixed(with: map.reshaped(to: [n, h, wide, 1]), keep: keep)
    return (mixed, concatenate([pictureStyle(mixed), noiseStyle], axis: 1))
  }
}

extension Tensor {
  func resizedIfNeeded(to size: Extent) -> Tensor {
    shape[1] == size.height && shape[2] == size.width ? self : resized(to: size)
  }

  /// `x m + map (1 - m)`: the picture's features where m is 1, the map from noise where it is 0.
  /// - Parameters:
  ///   - map: `[n, h, w, 1]`.
  ///   - keep: m, of this tensor's shape.
  func mixed(with map: Tensor, keep: Tensor?) -> Tensor {
    guard let keep else { stop("MAT: the mixing map is missing; draw it with MATGenerator.draws") }
    require(keep.count == count, "MAT: a mixing map of shape \(keep.shape) for features of shape \(shape)")
    let m = keep.reshaped(to: shape)
    return self * m + map * (1 - m)
  }
}

/// A step of the tail: twice the resolution, the head's features added, a styled convolution, and colours.
///
/// - Names: `conv0`, `conv1`, `toRGB`.
struct StyleBlock: Module {
  static let checkpointNames = ["toRGB": "toRGB"]
  let conv0: StyleConv
  let conv1: StyleConv
  let toRGB: ToRGB

  init(_ width: Int, styleWidth: Int, _ random: inout Random) {
    conv0 = StyleConv(width, width, styleWidth: styleWidth, resampling: .up, noiseResolution: nil, &random)
    conv1 = StyleConv(width, width, styleWidth: styleWidth, noiseResolution: nil, &random)
    toRGB = ToRGB(width, styleWidth: styleWidth, &random)
  }

  func callAsFunction(_ x: Tensor, skip: Tensor, onto picture: Tensor?, style: Tensor, _ pass: Pass) -> (Tensor, Tensor) {
    let up = conv0(x, style: style, noise: .none, pass) + skip
    let y = conv1(up, style: style, noise: .none, pass)
    return (y, toRGB(y, style: style, onto: picture))
  }
}
