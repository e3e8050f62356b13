import Base
import Tensors
import TestSupport

private func convolution(_ name: String, _ x: [Int], _ w: [Int], _ options: Conv2dOptions) -> OpCase {
  OpCase("large convolution \(name)", .convolution, [x, w, [w[3]]]) { $0[0].conv2d(with: $0[1], bias: $0[2], options, activation: .relu) }
}

/// Inputs large enough that every op, its gradient included, is cut into many tasks and its sums into many parts.
let largeCases: [OpCase] = [
  convolution("direct", [2, 90, 80, 3], [3, 3, 3, 32], Conv2dOptions(padding: 1)),
  convolution("by Winograd's algorithm", [2, 60, 64, 64], [3, 3, 64, 48], Conv2dOptions(padding: 1)),
  convolution("7x7 stride 2", [2, 96, 104, 3], [7, 7, 3, 32], Conv2dOptions(stride: 2, padding: 3)),
  convolution("3x3 stride 2", [2, 60, 64, 32], [3, 3, 32, 64], Conv2dOptions(stride: 2, padding: 1)),
  convolution("1x1", [2, 60, 64, 96], [1, 1, 96, 128], Conv2dOptions()),
  convolution("1x5", [2, 40, 48, 64], [1, 5, 64, 64], Conv2dOptions(padding: Extent(height: 0, width: 2))),
  convolution("5x1", [2, 47, 39, 48], [5, 1, 48, 72], Conv2dOptions(padding: Extent(height: 2, width: 0))),
  convolution("groups, dilation", [2, 60, 64, 32], [3, 3, 8, 64], Conv2dOptions(padding: 2, dilation: 2, groups: 4)),
  OpCase("large matmul", .matmul, [[500, 300], [300, 400]]) { $0[0].matmul($0[1]) },
  OpCase("large matmul, first transposed", .matmul, [[1500, 530], [1500, 200]]) { $0[0].matmul($0[1], transposed: true) },
  OpCase("deep matmul of many columns", .matmul, [[20, 4000], [4000, 300]]) { $0[0].matmul($0[1]) },
  OpCase("deep matmul", .matmul, [[60, 20_000], [20_000, 70]]) { $0[0].matmul($0[1]) },
  OpCase("large matmul of batches", .matmul, [[8, 120, 90], [8, 110, 90]]) { $0[0].matmul($0[1], otherTransposed: true) },
  OpCase("large batch norm", .normalize, [[4, 60, 64, 32], [32], [32]]) {
    $0[0].normalized(.batch, NormalizationEpilogue(weight: $0[1], bias: $0[2], activation: .relu))
  },
  OpCase("large instance norm", .normalize, [[4, 60, 64, 32]]) { $0[0].normalized(.instance) },
  OpCase("large layer norm", .normalize, [[4, 60, 64, 96], [96], [96]]) {
    $0[0].normalized(.layer, NormalizationEpilogue(weight: $0[1], bias: $0[2]))
  },
  OpCase("large group norm", .normalize, [[4, 60, 64, 32], [32], [32]]) {
    $0[0].normalized(.group(8), NormalizationEpilogue(weight: $0[1], bias: $0[2]))
  },
  OpCase("large attention", nil, [[2, 4, 300, 32], [2, 4, 280, 32], [2, 4, 280, 32], [300, 280]]) {
    $0[0].attention(keys: $0[1], values: $0[2], bias: $0[3])
  },
  OpCase("large attention with dropout", .attention, [[2, 300, 64], [2, 280, 64], [2, 280, 64]]) { x in
    var random = Random(seed: 8, stream: .dropout)
    return x[0].attention(keys: x[1], values: x[2], heads: 2, dropout: DropoutMask(0.2, count: 2 * 2 * 300 * 280, &random))
  },
  OpCase("large dropout", .dropout, [[300, 700]]) { x in
    var random = Random(seed: 8, stream: .dropout)
    _ = random.nextWord()
    return x[0].dropout(0.2, &random) + .normal([300, 700], &random, precision: x[0].precision)
      + .uniform([300, 700], from: -1, to: 2, &random, precision: x[0].precision)
  },
  OpCase("large convolution with residual", .convolution, [[2, 60, 64, 64], [3, 3, 64, 48], [2, 60, 64, 48]]) {
    $0[0].conv2d(with: $0[1], Conv2dOptions(padding: 1), activation: .relu, residual: $0[2])
  },
  OpCase("large softmax", .softmax, [[3000, 130]]) { $0[0].softmax() },
  OpCase("large sum", nil, [[300, 70, 40], [40]]) { (($0[0] + $0[1]) * $0[1]).sum([0, 1]) },
  OpCase("large sum of long rows", .sum, [[70, 20_000]]) { $0[0].squared().sum([0]) },
  OpCase("large max pool", .maxPool, [[4, 80, 84, 32]]) { $0[0].maxPooled(window: 3, stride: 2, padding: 1) },
  OpCase("large average pool", .resample, [[4, 80, 84, 32]]) { $0[0].averagePooled(window: 2) },
  OpCase("large bilinear resize", .resample, [[2, 60, 64, 32]]) { $0[0].resized(to: Extent(height: 115, width: 120)) },
  OpCase("large bicubic resize", .resample, [[2, 60, 64, 32]]) { $0[0].resized(to: Extent(height: 35, width: 40), .bicubic) },
  OpCase("large local correlation", .localCorrelation, [[2, 20, 24, 70], [2, 20, 24, 70], [2, 10, 12, 70]]) { x in
    var random = Random(seed: 23, stream: .test)
    let centres = Tensor.uniform([2, 20, 24, 2], from: -4, to: 26, &random, precision: x[0].precision)
    return LocalCorrelation(radius: 4)([x[0], x[0]], [x[1], x[2]], centres: centres)
  },
  OpCase("large convex upsampling", .convexUpsampling, [[2, 40, 44, 2], [2, 40, 44, 576]]) { $0[0].convexUpsampled(by: $0[1], factor: 8) },
  OpCase("large grid sample", .gridSample, [[2, 60, 64, 32], [2, 70, 72, 2]], in: -1...1, -1.2...1.2) { $0[0].gridSampled($0[1]) },
]
