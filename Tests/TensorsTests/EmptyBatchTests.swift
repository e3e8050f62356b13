import Base
import TestSupport
import Tensors
import Testing

/// An op of an empty batch: what it makes has no elements, gradients of what is shared by the batch are zeros.
struct EmptyCase: Sendable, CustomTestStringConvertible {
  let name: String
  let shapes: [[Int]]
  let result: [Int]
  let body: @Sendable ([Tensor]) -> Tensor

  init(_ name: String, _ shapes: [[Int]], to result: [Int], _ body: @escaping @Sendable ([Tensor]) -> Tensor) {
    self.name = name
    self.shapes = shapes
    self.result = result
    self.body = body
  }

  var testDescription: String { name }
}

private func noPoints(_ shape: [Int], _ x: Tensor) -> Tensor { .zeros(shape, x.precision) }

private let elementwise: [EmptyCase] = [
  EmptyCase("arithmetic", [[0, 3], [3]], to: [0, 3]) { (($0[0] + $0[1]) * $0[1] - $0[0]) / ($0[1] + 9) },
  EmptyCase("functions", [[0, 2, 3]], to: [0, 2, 3]) { $0[0].exp().log().gelu().silu().elu().softplus().erf().power(1.5).clamped(to: 0, 1).abs() },
  EmptyCase("extrema", [[0, 3], [1, 3]], to: [0, 3]) { $0[0].maximum($0[1]).minimum($0[0]) },
  EmptyCase("selection", [[0, 3], [3]], to: [0, 3]) { .select($0[0].isGreater(than: 0), $0[1], else: $0[0]) },
  EmptyCase("dropout", [[0, 4, 3]], to: [0, 4, 3]) { x in
    var random = Random(seed: 1, stream: .dropout)
    return x[0].dropout(0.5, &random).dropoutChannels(0.5, &random)
  },
  EmptyCase("masked L1", [[0, 4, 2]], to: []) { x in
    x[0].maskedL1(noPoints([0, 4, 2], x[0]), mask: noPoints([0, 4, 1], x[0]))
  },
]

private let shapes: [EmptyCase] = [
  EmptyCase("sum over the batch", [[0, 3]], to: [3]) { $0[0].sum([0]) },
  EmptyCase("sum over the rest", [[0, 3, 2]], to: [0]) { $0[0].sum([1, 2]) },
  EmptyCase("mean over pixels", [[0, 4, 5, 2]], to: [0, 2]) { $0[0].mean([1, 2]) },
  EmptyCase("reshape", [[0, 4, 3]], to: [0, 12]) { $0[0].reshaped(to: [-1, 12]) },
  EmptyCase("transpose", [[0, 4, 3]], to: [3, 0, 4]) { $0[0].transposed([2, 0, 1]) },
  EmptyCase("broadcast", [[1, 3]], to: [0, 3]) { $0[0].broadcast(to: [0, 3]) },
  EmptyCase("slice", [[0, 5]], to: [0, 2]) { $0[0].sliced(1, 1..<3) },
  EmptyCase("slice to nothing", [[4, 5]], to: [0, 5]) { $0[0].sliced(0, 2..<2) },
  EmptyCase("pad", [[0, 5]], to: [0, 8]) { $0[0].padded(1, before: 1, after: 2) },
  EmptyCase("pad nothing", [[0, 5]], to: [2, 5]) { $0[0].padded(0, before: 1, after: 1) },
  EmptyCase("concatenate with nothing", [[0, 5], [2, 5]], to: [2, 5]) { concatenate($0, axis: 0) },
  EmptyCase("gather nothing", [[4, 5]], to: [0, 5]) { $0[0].gathered(0, []) },
  EmptyCase("pick nothing", [[0, 5]], to: [0]) { $0[0].picked([]) },
  EmptyCase("scatter nothing", [[0, 5]], to: [3, 5]) { $0[0].scatterAdded(0, [], length: 3) },
  EmptyCase("recomputed block", [[0, 5], [5]], to: [0, 5]) { x in recomputed { _ in (x[0] * x[1]).exp() } },
]

private func convolution(_ name: String, _ x: [Int], _ w: [Int], to y: [Int], _ options: Conv2dOptions = Conv2dOptions()) -> EmptyCase {
  EmptyCase("convolution \(name)", [x, w, [w[3]]], to: y) { $0[0].conv2d(with: $0[1], bias: $0[2], options, activation: .relu) }
}

private let products: [EmptyCase] = [
  EmptyCase("matmul of no rows", [[0, 4], [4, 3]], to: [0, 3]) { $0[0].matmul($0[1]) },
  EmptyCase("matmul of no columns", [[3, 4], [4, 0]], to: [3, 0]) { $0[0].matmul($0[1]) },
  EmptyCase("matmul of no terms", [[3, 0], [0, 2]], to: [3, 2]) { $0[0].matmul($0[1]) },
  EmptyCase("matmul of no batches", [[0, 3, 4], [0, 4, 2]], to: [0, 3, 2]) { $0[0].matmul($0[1]) },
  EmptyCase("linear layer", [[0, 7, 4], [4, 3], [3]], to: [0, 7, 3]) { $0[0].linear(by: $0[1], bias: $0[2]) },
  convolution("3x3", [0, 5, 4, 3], [3, 3, 3, 2], to: [0, 5, 4, 2], Conv2dOptions(padding: 1)),
  convolution("3x3 of many channels", [0, 20, 24, 64], [3, 3, 64, 64], to: [0, 20, 24, 64], Conv2dOptions(padding: 1)),
  convolution("1x1", [0, 5, 4, 3], [1, 1, 3, 2], to: [0, 5, 4, 2]),
  convolution("stride 2", [0, 9, 8, 3], [3, 3, 3, 2], to: [0, 5, 4, 2], Conv2dOptions(stride: 2, padding: 1)),
  convolution("groups", [0, 5, 4, 4], [3, 3, 2, 6], to: [0, 3, 2, 6], Conv2dOptions(groups: 2)),
  EmptyCase("convolution with residual", [[0, 4, 3, 2], [3, 3, 2, 5], [0, 4, 3, 5]], to: [0, 4, 3, 5]) {
    $0[0].conv2d(with: $0[1], Conv2dOptions(padding: 1), residual: $0[2])
  },
  EmptyCase("transposed convolution", [[0, 3, 4, 3], [3, 3, 2, 3]], to: [0, 7, 9, 2]) {
    $0[0].convTranspose2d(with: $0[1], Conv2dOptions(stride: 2))
  },
  EmptyCase("attention of no images", [[0, 3, 8], [0, 5, 8], [0, 5, 6]], to: [0, 3, 6]) { $0[0].attention(keys: $0[1], values: $0[2], heads: 2) },
  EmptyCase("attention of no queries", [[2, 0, 8], [2, 5, 8], [2, 5, 6]], to: [2, 0, 6]) { $0[0].attention(keys: $0[1], values: $0[2], heads: 2) },
  EmptyCase("attention to no keys", [[2, 3, 8], [2, 0, 8], [2, 0, 6]], to: [2, 3, 6]) { $0[0].attention(keys: $0[1], values: $0[2], heads: 2) },
  EmptyCase("self-attention with dropout", [[0, 4, 12]], to: [0, 4, 4]) { x in
    var random = Random(seed: 1, stream: .dropout)
    return x[0].selfAttention(heads: 2, dropout: DropoutMask(0.1, count: 0, &random))
  },
]

private let normalizations: [EmptyCase] = [NormalizationAxes.instance, .layer, .group(2)].map { axes in
  EmptyCase("normalisation, \(axes)", [[0, 3, 5, 4], [4], [4]], to: [0, 3, 5, 4]) {
    $0[0].normalized(axes, NormalizationEpilogue(weight: $0[1], bias: $0[2], activation: .relu))
  }
} + [
  EmptyCase("normalisation by given moments", [[0, 3, 5, 4], [4], [4], [0, 3, 5, 4]], to: [0, 3, 5, 4]) {
    $0[0].normalized(mean: .zeros([4], $0[0].precision), variance: .ones([4], $0[0].precision),
                     NormalizationEpilogue(weight: $0[1], bias: $0[2], residual: $0[3], outputActivation: .relu))
  },
  EmptyCase("softmax of no rows", [[0, 5]], to: [0, 5]) { $0[0].softmax() },
  EmptyCase("softmax of empty rows", [[3, 0]], to: [3, 0]) { $0[0].softmax() },
  EmptyCase("softmax over no images", [[0, 5]], to: [0, 5]) { $0[0].softmax(0) },
  EmptyCase("softmax with scale and bias", [[0, 2, 5], [5]], to: [0, 2, 5]) { $0[0].softmax(scale: 0.5, bias: $0[1]) },
  EmptyCase("log-softmax", [[0, 5]], to: [0, 5]) { $0[0].logSoftmax() },
  EmptyCase("log-sum-exp", [[0, 5]], to: [0]) { $0[0].logSumExp() },
]

private let images: [EmptyCase] = [
  EmptyCase("max pool", [[0, 5, 4, 3]], to: [0, 3, 2, 3]) { $0[0].maxPooled(window: 3, stride: 2, padding: 1) },
  EmptyCase("average pool", [[0, 6, 4, 3]], to: [0, 3, 2, 3]) { $0[0].averagePooled(window: 2) },
  EmptyCase("adaptive pools", [[0, 6, 4, 3]], to: [0, 2, 2, 3]) { $0[0].adaptiveAveragePooled(to: 4).adaptiveMaxPooled(to: 2) },
  EmptyCase("resize", [[0, 6, 4, 3]], to: [0, 9, 2, 3]) { $0[0].resized(to: Extent(height: 9, width: 2), .bicubic) },
  EmptyCase("grid sample", [[0, 4, 5, 3], [0, 3, 2, 2]], to: [0, 3, 2, 3]) { $0[0].gridSampled($0[1]) },
  EmptyCase("correlation lookup", [[0, 5, 4]], to: [0, 9]) { $0[0].correlationLookup(noPoints([0, 2], $0[0]), radius: 1, scale: 1) },
  EmptyCase("local correlation", [[0, 3, 5, 3], [0, 3, 5, 3]], to: [0, 3, 5, 9]) {
    LocalCorrelation(radius: 1)([$0[0]], [$0[1]], centres: noPoints([0, 3, 5, 2], $0[0]))
  },
  EmptyCase("convex upsampling", [[0, 3, 4, 2], [0, 3, 4, 36]], to: [0, 6, 8, 2]) { $0[0].convexUpsampled(by: $0[1], factor: 2) },
  EmptyCase("gru", [[0, 8], [0, 7], [0, 4], [0, 4]], to: [0, 4]) {
    .gruUpdate(gates: $0[0], candidate: .gruReset(gates: $0[0], joined: $0[1]).sliced(-1, 0..<4) + $0[2], state: $0[3])
  },
]

@Suite("Empty batches") struct EmptyBatchTests {
  static let cases = elementwise + shapes + products + normalizations + images

  @Test("every op", arguments: cases, Precision.allCases) func ops(_ item: EmptyCase, _ precision: Precision) {
    var random = Random(seed: 1, stream: .test)
    let inputs = item.shapes.map { Tensor.uniform($0, from: 0.1, to: 1, &random, precision: precision).asLeaf() }
    let y = item.body(inputs)
    #expect(y.shape == item.result)
    let gradients = y.gradients(seed: .ones(y.shape, precision))
    for input in inputs {
      guard let gradient = gradients[input] else { continue }
      #expect(gradient.shape == input.shape)
      // A batch that is not empty may be there beside one that is.
      if item.result.reduce(1, *) == 0 { #expect(gradient.doubles.allSatisfy { $0 == 0 }, "\(gradient.doubles)") }
    }
    let again = item.body(inputs).gradients(seed: .ones(y.shape, precision), keepingGraph: true)
    #expect(inputs.allSatisfy { (again[$0] == nil) == (gradients[$0] == nil) })
  }

  @Test("what makes no sense is explained") func messages() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Tensor.zeros([0, 3, 5, 4]).normalized(.batch)
    }
    let text = result.map { String(decoding: $0.standardErrorContent, as: UTF8.self) } ?? ""
    #expect(text.contains("normalized: nothing to average over in shape [0, 3, 5, 4]"))
    let largest = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) { _ = Tensor.zeros([0, 3]).max() }
    #expect((largest.map { String(decoding: $0.standardErrorContent, as: UTF8.self) } ?? "").contains("max: shape [0, 3] has no elements"))
  }

  @Test("more than eight axes are refused, before they are copied") func rank() async {
    let nine = Array(repeating: 2, count: 9)
    let x = Tensor.ones(nine)
    #expect(x.reshaped(to: [-1, 2]).transposed([1, 0]).shape == [2, 256])  // a shape is no copy
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Tensor.ones(Array(repeating: 2, count: 9)).transposed([1, 0, 2, 3, 4, 5, 6, 8, 7])
    }
    let text = result.map { String(decoding: $0.standardErrorContent, as: UTF8.self) } ?? ""
    #expect(text.contains("has 9 axes, at most 8 can be moved") && text.contains("Tensors/Broadcasting.swift:"))
  }
}
