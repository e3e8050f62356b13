import Base
import Networks
import Tensors

/// Multi-head contextual attention: tokens of a window look at the valid tokens among them. - Source: section 3.3 of the paper.
///
/// Queries and keys come from tokens of unit length, values from the tokens as they are: `softmax(q kᵀ / √d + M) v`, M = -100 for invalid
/// keys. In a window without valid keys all of them count.
/// - Shape: `[windows, tokens, c]` → same.   - Names: `q`, `k`, `v`, `proj`.
struct ContextualAttention: Module {
  let q: EqualizedLinear
  let k: EqualizedLinear
  let v: EqualizedLinear
  let proj: EqualizedLinear
  private let heads: Int

  init(_ config: MAT.Config, _ random: inout Random) {
    q = EqualizedLinear(config.width, config.width, &random)
    k = EqualizedLinear(config.width, config.width, &random)
    v = EqualizedLinear(config.width, config.width, &random)
    proj = EqualizedLinear(config.width, config.width, &random)
    heads = config.heads
  }

  /// - Parameter bias: M, broadcast to `[windows, heads, tokens, tokens]`.
  func callAsFunction(_ x: Tensor, bias: Tensor?) -> Tensor {
    let unit = unit(x)
    return proj(q(unit).attention(keys: k(unit), values: v(x), heads: heads, bias: bias))
  }

  /// The weights that the values are added up with, the mean over the heads: `[windows, tokens, tokens]`.
  func weights(_ x: Tensor, bias: Tensor?) -> Tensor {
    let unit = unit(x)
    let (count, tokens, width) = (x.shape[0], x.shape[1], x.shape[2])
    func perHead(_ y: Tensor) -> Tensor { y.reshaped(to: [count, tokens, heads, width / heads]).transposed([0, 2, 1, 3]) }
    let scores = perHead(q(unit)).matmul(perHead(k(unit)), otherTransposed: true) * (1 / Double(width / heads).squareRoot())
    return (bias.map { scores + $0 } ?? scores).softmax().mean([1])
  }

  private func unit(_ x: Tensor) -> Tensor { x / x.squared().sum([-1], keepingAxes: true).clamped(to: 1e-24, .infinity).sqrt() }
}

/// A block of the body: attention within windows, then a perceptron; the mask grows by the windows that know anything.
///
/// - Shape: tokens `[n, h, w, c]`, mask `[n, h, w, 1]` → same.
/// - Names: `attn`, `fuse`, `mlp.fc1`, `mlp.fc2`, and `attn_mask` `[windows, tokens, tokens]` of a shifted block; in the original block
///   `norm1` and `norm2` in place of `fuse`.
/// - Source: figure 4 of the paper.
struct TransformerBlock: Module {
  static let checkpointNames = ["fc1": "mlp.fc1", "fc2": "mlp.fc2"]
  /// What is added to the score of an invalid key.
  static let penalty = 100.0

  let norm1: LayerNorm?
  let attn: ContextualAttention
  let norm2: LayerNorm?
  let fuse: EqualizedLinear?
  let fc1: EqualizedLinear
  let fc2: EqualizedLinear
  let attnMask: Buffer?
  private let windows: TokenWindows
  private let window: Int
  private let isShifted: Bool
  private let looksAtAll: Bool

  /// - Parameter grid: height and width of the token grid at the native resolution.
  init(_ config: MAT.Config, grid: Int, window: Int, isShifted: Bool, _ random: inout Random) {
    let isOriginal = config.block == .original
    let (width, hidden) = (config.width, config.width * config.mlpRatio)
    norm1 = isOriginal ? LayerNorm(width) : nil
    attn = ContextualAttention(config, &random)
    norm2 = isOriginal ? LayerNorm(width) : nil
    fuse = isOriginal ? nil : EqualizedLinear(2 * width, width, activation: .leakyRelu, &random)
    fc1 = EqualizedLinear(width, hidden, activation: .leakyRelu, &random)
    fc2 = EqualizedLinear(hidden, width, &random)
    windows = TokenWindows(height: grid, width: grid, window: window, isShifted: isShifted)
    attnMask = windows.shiftMask().map { Buffer($0) }
    (self.window, self.isShifted) = (window, isShifted)
    looksAtAll = config.attention == .allTokens
  }

  func callAsFunction(_ x: Tensor, mask: Tensor?, _ pass: Pass) -> (Tensor, Tensor?) {
    let (layout, validity, bias) = windows(of: x, mask)
    let attended = layout.joined(attn(layout.split(norm1?(x, pass) ?? x), bias: bias))
    let y: Tensor
    if let fuse {
      y = fc2(fc1(fuse(concatenate([x, attended], axis: 3))))
    } else {
      let sum = x + attended
      y = sum + fc2(fc1(norm2?(sum, pass) ?? sum))
    }
    return (y, validity.map { layout.joined(Self.spread($0)) })
  }

  /// Where the tokens look within their windows, the mean over the heads: `[n · windows, tokens, tokens]`.
  func attention(_ x: Tensor, mask: Tensor?) -> (weights: Tensor, layout: TokenWindows) {
    let (layout, _, bias) = windows(of: x, mask)
    return (attn.weights(layout.split(norm1?(x, .evaluation) ?? x), bias: bias), layout)
  }

  /// The windows of a grid, the validity of their tokens `[n · windows, tokens, 1]`, and the mask of their scores.
  private func windows(of x: Tensor, _ mask: Tensor?) -> (layout: TokenWindows, validity: Tensor?, bias: Tensor?) {
    let (n, h, w, _) = x.shape4
    let isNative = h == windows.height && w == windows.width
    let layout = isNative ? windows : TokenWindows(height: h, width: w, window: window, isShifted: isShifted)
    let validity = mask.map(layout.split)
    let shiftMask = isNative ? attnMask?.value : layout.shiftMask(x.precision)
    return (layout, validity, bias(layout, shiftMask, validity: looksAtAll ? nil : validity, n))
  }

  /// The mask after attention: all tokens of a window that has a valid one.
  private static func spread(_ validity: Tensor) -> Tensor {
    validity.sum([1], keepingAxes: true).clamped(to: 0, 1).broadcast(to: validity.shape)
  }

  /// The sum of both masks of the scores, `[n · windows, 1, tokens or 1, tokens]`; nil: none.
  private func bias(_ layout: TokenWindows, _ shiftMask: Tensor?, validity: Tensor?, _ n: Int) -> Tensor? {
    let tokens = layout.length * layout.length
    let ofKeys = validity.map { ($0 - 1).reshaped(to: [n, layout.count, 1, tokens]) * Self.penalty }
    guard let shiftMask else { return ofKeys?.reshaped(to: [n * layout.count, 1, 1, tokens]) }
    let ofPairs = shiftMask.reshaped(to: [1, layout.count, tokens, tokens])
    let whole = ofKeys.map { ofPairs + $0 } ?? ofPairs.broadcast(to: [n, layout.count, tokens, tokens])
    return whole.reshaped(to: [n * layout.count, 1, tokens, tokens])
  }
}
