import Base
import TestSupport
import Tensors

private func convolution(_ name: String, _ x: [Int], _ w: [Int], bias: Bool = false, _ options: Conv2dOptions) -> OpCase {
  OpCase("convolution \(name)", .convolution, [x, w] + (bias ? [[w[3]]] : [])) { t in
    t[0].conv2d(with: t[1], bias: bias ? t[2] : nil, options)
  }
}

let productCases: [OpCase] = [
  OpCase("matmul", .matmul, [[3, 4], [4, 2]]) { $0[0].matmul($0[1]) },
  OpCase("matmul, first transposed", .matmul, [[4, 3], [4, 2]]) { $0[0].matmul($0[1], transposed: true) },
  OpCase("matmul, second transposed", .matmul, [[3, 4], [2, 4]]) { $0[0].matmul($0[1], otherTransposed: true) },
  OpCase("matmul, both transposed", .matmul, [[4, 3], [2, 4]]) { $0[0].matmul($0[1], transposed: true, otherTransposed: true) },
  OpCase("matmul of batches", .matmul, [[2, 3, 5, 4], [2, 3, 4, 3]]) { $0[0].matmul($0[1]) },
  OpCase("matmul of batches, transposed", .matmul, [[3, 4, 5], [3, 2, 4]]) {
    $0[0].matmul($0[1], transposed: true, otherTransposed: true)
  },
  OpCase("matmul, batch broadcast", .matmul, [[3, 1, 2, 4], [2, 4, 3]]) { $0[0].matmul($0[1]) },
  OpCase("matmul of tokens and a matrix", .matmul, [[2, 3, 4], [4, 2]]) { $0[0].matmul($0[1]) },
  convolution("3x3", [2, 5, 4, 3], [3, 3, 3, 2], bias: true, Conv2dOptions(padding: 1)),
  convolution("3x3 without padding", [2, 5, 6, 2], [3, 3, 2, 3], Conv2dOptions()),
  convolution("1x1", [2, 3, 4, 3], [1, 1, 3, 4], bias: true, Conv2dOptions()),
  convolution("1x1 stride 2", [2, 5, 4, 3], [1, 1, 3, 2], Conv2dOptions(stride: 2)),
  convolution("7x7 stride 2", [1, 9, 11, 3], [7, 7, 3, 2], bias: true, Conv2dOptions(stride: 2, padding: 3)),
  convolution("1x5", [2, 4, 7, 2], [1, 5, 2, 3], Conv2dOptions(padding: Extent(height: 0, width: 2))),
  convolution("5x1", [2, 7, 4, 2], [5, 1, 2, 3], Conv2dOptions(padding: Extent(height: 2, width: 0))),
  convolution("stride 2x3, dilation 2x1", [2, 9, 8, 2], [3, 2, 2, 3],
              Conv2dOptions(stride: Extent(height: 2, width: 3), padding: Extent(height: 1, width: 2), dilation: Extent(height: 2, width: 1))),
  convolution("dilation 2", [1, 8, 7, 2], [3, 3, 2, 2], Conv2dOptions(padding: 2, dilation: 2)),
  convolution("stride larger than the kernel", [2, 7, 8, 2], [2, 2, 2, 3], bias: true, Conv2dOptions(stride: 3)),
  convolution("padding larger than the kernel needs", [1, 3, 4, 2], [2, 2, 2, 2], Conv2dOptions(padding: 2)),
  convolution("2 groups", [2, 5, 4, 4], [3, 3, 2, 6], bias: true, Conv2dOptions(stride: 2, padding: 1, groups: 2)),
  convolution("depthwise", [2, 4, 5, 3], [3, 3, 1, 3], Conv2dOptions(padding: 1, groups: 3)),
  OpCase("convolution input gradient", .convolutionInputGradient, [[2, 3, 2, 3], [3, 3, 2, 3]]) {
    $0[0].convolutionInputGradient($0[1], inputSize: Extent(height: 6, width: 4), Conv2dOptions(stride: 2, padding: 1))
  },
  OpCase("convolution weight gradient", .convolutionWeightGradient, [[2, 6, 5, 2], [2, 3, 3, 3]]) {
    $0[0].convolutionWeightGradient($0[1], kernel: 3, Conv2dOptions(stride: 2, padding: 1))
  },
  OpCase("convolution with sigmoid", .convolution, [[2, 4, 3, 2], [3, 3, 2, 3], [3]]) {
    $0[0].conv2d(with: $0[1], bias: $0[2], Conv2dOptions(padding: 1), activation: .sigmoid)
  },
  OpCase("pointwise convolution with tanh", .convolution, [[2, 3, 2, 3], [1, 1, 3, 2], [2]]) {
    $0[0].conv2d(with: $0[1], bias: $0[2], activation: .tanh)
  },
  OpCase("convolution with leaky relu", .convolution, [[2, 4, 3, 2], [3, 3, 2, 3], [3]]) {
    $0[0].conv2d(with: $0[1], bias: $0[2], Conv2dOptions(padding: 1), activation: .leakyRelu(slope: 0.2)).squared()
  },
  OpCase("convolution of a filtered map by a scaled weight", .convolution, [[1, 4, 3, 2], [3, 3, 2, 3], [2, 1]]) {
    let x = $0[0].filtered(by: FIRFilter([1, 3, 3, 1]), before: 2, after: 2)
    return x.conv2d(with: $0[1].scaledWeight(by: 0.5).scaledWeight(by: $0[2]), Conv2dOptions(stride: 2)).squared()
  },
  OpCase("convolution with residual and relu", .convolution, [[2, 4, 3, 2], [3, 3, 2, 3], [3], [2, 4, 3, 3]]) {
    $0[0].conv2d(with: $0[1], bias: $0[2], Conv2dOptions(padding: 1), activation: .relu, residual: $0[3]) * $0[3]
  },
  OpCase("convolution with scale, residual and relu", .convolution, [[2, 4, 3, 2], [3, 3, 2, 3], [3], [3], [2, 4, 3, 3]]) {
    $0[0].conv2d(with: $0[1], scale: $0[2], bias: $0[3], Conv2dOptions(padding: 1), activation: .relu, residual: $0[4]) * $0[4]
  },
  OpCase("pointwise convolution with scale", .convolution, [[2, 3, 2, 3], [1, 1, 3, 2], [2]]) {
    $0[0].conv2d(with: $0[1], scale: $0[2], activation: .tanh)
  },
  OpCase("pointwise convolution with residual", .convolution, [[2, 3, 2, 3], [1, 1, 3, 2], [2, 3, 2, 2]]) {
    $0[0].conv2d(with: $0[1], residual: $0[2].exp()).squared()
  },
  OpCase("affine transformation", .convolution, [[2, 3, 4], [4, 2], [2]]) { $0[0].linear(by: $0[1], bias: $0[2]) },
  OpCase("pointwise convolution input gradient", .convolutionInputGradient, [[2, 3, 2, 3], [1, 1, 2, 3]]) {
    $0[0].convolutionInputGradient($0[1], inputSize: Extent(height: 3, width: 2), Conv2dOptions())
  },
  OpCase("pointwise convolution weight gradient", .convolutionWeightGradient, [[2, 3, 2, 2], [2, 3, 2, 3]]) {
    $0[0].convolutionWeightGradient($0[1], kernel: 1, Conv2dOptions())
  },
  OpCase("transposed convolution", .convolutionInputGradient, [[2, 3, 4, 3], [3, 3, 2, 3], [2]]) {
    $0[0].convTranspose2d(with: $0[1], bias: $0[2], Conv2dOptions(stride: 2, padding: 1), outputPadding: 1)
  },
  OpCase("transposed convolution, groups and dilation", .convolutionInputGradient, [[1, 3, 4, 4], [2, 3, 3, 4]]) {
    $0[0].convTranspose2d(with: $0[1], Conv2dOptions(stride: 2, dilation: 2, groups: 2))
  },
  OpCase("attention", nil, [[2, 2, 3, 4], [2, 2, 5, 4], [2, 2, 5, 3]]) { $0[0].attention(keys: $0[1], values: $0[2]) },
  OpCase("attention with bias", nil, [[2, 3, 4], [2, 5, 4], [2, 5, 3], [3, 5]]) {
    $0[0].attention(keys: $0[1], values: $0[2], bias: $0[3])
  },
  OpCase("attention of heads", .attention, [[2, 3, 8], [2, 5, 8], [2, 5, 6]]) { $0[0].attention(keys: $0[1], values: $0[2], heads: 2) },
  OpCase("attention of heads with a mask", .attention, [[2, 4, 6], [2, 5, 6], [2, 5, 3]], in: -2...2) {
    $0[0].attention(keys: $0[1], values: $0[2], heads: 3, bias: mask(queries: 4, keys: 5, $0[0].precision))
  },
  OpCase("attention of heads with a recorded bias", nil, [[2, 3, 4], [2, 5, 4], [2, 5, 4], [2, 1, 1, 5]]) {
    $0[0].attention(keys: $0[1], values: $0[2], heads: 2, bias: $0[3])
  },
  OpCase("attention of heads with dropout", .attention, [[2, 3, 8], [2, 5, 8], [2, 5, 6]]) { x in
    var random = Random(seed: 8, stream: .dropout)
    let mask = DropoutMask(0.3, count: 2 * 2 * 3 * 5, &random)
    return x[0].attention(keys: x[1], values: x[2], heads: 2, dropout: mask)
  },
  OpCase("self-attention with dropout", .attention, [[2, 4, 12]], in: -2...2) { x in
    var random = Random(seed: 9, stream: .dropout)
    return x[0].selfAttention(heads: 2, dropout: DropoutMask(0.4, count: 2 * 2 * 4 * 4, &random))
  },
  OpCase("self-attention", .attention, [[2, 4, 12]], in: -2...2) { $0[0].selfAttention(heads: 2) },
  OpCase("self-attention with a mask", .attention, [[1, 5, 18]], in: -2...2) {
    $0[0].selfAttention(heads: 3, bias: mask(queries: 5, keys: 5, $0[0].precision))
  },
]

/// A query sees the keys up to its own place.
private func mask(queries: Int, keys: Int, _ precision: Precision) -> Tensor {
  let values = (0..<queries * keys).map { $0 % keys > $0 / keys ? -Double.infinity : 0 }
  return Tensor(values, shape: [queries, keys], precision: precision)
}
