import Base
import Networks
import Tensors

/// How much each slot attends to each cell of the image: the scores of an attention without values, one map for each head.
struct BoxAttention: Module {
  let qLinear, kLinear: Linear
  private let heads: Int

  init(_ config: DETR.Config, _ random: inout Random) {
    func linear(_ random: inout Random) -> Linear {
      let weight = Initializer.xavierUniform([config.hidden, config.hidden], &random)
      return Linear(weight: Parameter(weight, layout: .linear), bias: Parameter(.zeros([config.hidden])))
    }
    qLinear = linear(&random)
    kLinear = linear(&random)
    heads = config.heads
  }

  /// - Parameters:
  ///   - slots: `[k, hidden]`, of any images.
  ///   - images: the image of each slot.
  ///   - memory: `[n, h, w, hidden]`.
  /// - Returns: `[k, h, w, heads]`; the softmax runs over heads and cells together.
  func callAsFunction(_ slots: Tensor, of images: [Int], _ memory: Tensor, _ mask: FeatureMask) -> Tensor {
    let (n, h, w, d) = memory.shape4
    let k = images.count
    let width = d / heads
    let q = qLinear(slots).reshaped(to: [k, heads, 1, width])
    let keys = kLinear(memory).reshaped(to: [n, h * w, heads, width]).transposed([0, 2, 1, 3]).gathered(0, images)
    var scores = q.matmul(keys, otherTransposed: true) * (1 / Double(width).squareRoot())  // [k, heads, 1, h·w]
    if !mask.isFull {
      let padding = MultiHeadAttention.Mask(keyPadding: mask.padding(memory.precision)).bias  // [n, 1, 1, h·w]
      scores = scores + padding.gathered(0, images)
    }
    return scores.reshaped(to: [k, heads * h * w]).softmax().reshaped(to: [k, heads, h, w]).transposed([0, 2, 3, 1])
  }
}

/// A small feature pyramid from the attention maps of a slot to its mask. - Source: DETR, figure 8.
struct MaskHead: Module {
  let lay1: Conv2d
  let gn1: GroupNorm
  let lay2: Conv2d
  let gn2: GroupNorm
  let lay3: Conv2d
  let gn3: GroupNorm
  let lay4: Conv2d
  let gn4: GroupNorm
  let lay5: Conv2d
  let gn5: GroupNorm
  let outLay: Conv2d
  let adapter1, adapter2, adapter3: Conv2d

  private static let groups = 8

  /// - Parameter stages: channels of the backbone's outputs.
  init(_ config: DETR.Config, stages: [Int], _ random: inout Random) {
    let wide = config.hidden + config.heads
    let widths = [wide, config.hidden / 2, config.hidden / 4, config.hidden / 8, config.hidden / 16]
    func conv(_ inputs: Int, _ outputs: Int, kernel: Extent, _ random: inout Random) -> Conv2d {
      Conv2d(inputs, outputs, kernel: kernel, padding: Extent((kernel.height - 1) / 2), &random)
    }
    lay1 = conv(wide, wide, kernel: 3, &random)
    gn1 = GroupNorm(groups: Self.groups, wide)
    lay2 = conv(wide, widths[1], kernel: 3, &random)
    gn2 = GroupNorm(groups: Self.groups, widths[1])
    lay3 = conv(widths[1], widths[2], kernel: 3, &random)
    gn3 = GroupNorm(groups: Self.groups, widths[2])
    lay4 = conv(widths[2], widths[3], kernel: 3, &random)
    gn4 = GroupNorm(groups: Self.groups, widths[3])
    lay5 = conv(widths[3], widths[4], kernel: 3, &random)
    gn5 = GroupNorm(groups: Self.groups, widths[4])
    outLay = conv(widths[4], 1, kernel: 3, &random)
    adapter1 = conv(stages[2], widths[1], kernel: 1, &random)
    adapter2 = conv(stages[1], widths[2], kernel: 1, &random)
    adapter3 = conv(stages[0], widths[3], kernel: 1, &random)
  }

  /// - Parameters:
  ///   - maps: the attention of each slot, `[k, h, w, heads]`.
  ///   - images: the image of each slot.
  /// - Returns: logits at the resolution of the backbone's first stage, `[k, H/4, W/4]`.
  func callAsFunction(_ maps: Tensor, of images: [Int], _ features: DETR.Features) -> Tensor {
    let (k, _, _, _) = maps.shape4
    var x = gn1(first(maps, of: images, features.projected)).relu()
    x = gn2(lay2(x)).relu()
    x = fused(x, adapter1(features.stages[2]), of: images)
    x = gn3(lay3(x)).relu()
    x = fused(x, adapter2(features.stages[1]), of: images)
    x = gn4(lay4(x)).relu()
    x = fused(x, adapter3(features.stages[0]), of: images)
    x = outLay(gn5(lay5(x)).relu())
    return x.reshaped(to: [k, x.shape[1], x.shape[2]])
  }

  /// `lay1` of the image's cells beside the slot's maps: the product with the cells, which all slots of an image share, is computed once.
  private func first(_ maps: Tensor, of images: [Int], _ projected: Tensor) -> Tensor {
    let weights = lay1.weight.value.split(2, sizes: [projected.shape[3], maps.shape[3]])
    let shared = projected.conv2d(with: weights[0], bias: lay1.bias?.value, lay1.options)
    return shared.gathered(0, images) + maps.conv2d(with: weights[1], bias: nil, lay1.options)
  }

  private func fused(_ x: Tensor, _ stage: Tensor, of images: [Int]) -> Tensor {
    stage.gathered(0, images) + x.resized(to: Extent(height: stage.shape[1], width: stage.shape[2]), .nearest)
  }
}

extension Conv2d {
  /// A convolution of the mask head: He's uniform initialisation with slope 1, biases 0.
  fileprivate init(_ inputs: Int, _ outputs: Int, kernel: Extent, padding: Extent, _ random: inout Random) {
    let shape = [kernel.height, kernel.width, inputs, outputs]
    let bound = (3 / Double(shape.dropLast().reduce(1, *))).squareRoot()
    self.init(
      weight: Parameter(.uniform(shape, from: -bound, to: bound, &random), layout: .convolution), bias: Parameter(.zeros([outputs])),
      Conv2dOptions(padding: padding))
  }
}
