import Base
import Tensors
import Testing

/// Convolution by its definition, in double: seven loops, no cleverness.
private func naiveConvolution(_ x: Tensor, _ w: Tensor, _ options: Conv2dOptions) -> Tensor {
  let (n, h, width, c) = x.shape4, (kh, kw, depth, out) = w.shape4
  let size = options.outputSize(of: Extent(height: h, width: width), kernel: Extent(height: kh, width: kw))
  let xs = x.doubles, ws = w.doubles, perGroup = out / options.groups
  var y = [Double](repeating: 0, count: n * size.height * size.width * out)
  for b in 0..<n { for oy in 0..<size.height { for ox in 0..<size.width { for o in 0..<out {
    var sum = 0.0
    for ky in 0..<kh { for kx in 0..<kw {
      let iy = oy * options.stride.height + ky * options.dilation.height - options.padding.height
      let ix = ox * options.stride.width + kx * options.dilation.width - options.padding.width
      guard (0..<h).contains(iy), (0..<width).contains(ix) else { continue }
      for i in 0..<depth {
        sum += xs[((b * h + iy) * width + ix) * c + o / perGroup * depth + i] * ws[((ky * kw + kx) * depth + i) * out + o]
      }
    } }
    y[((b * size.height + oy) * size.width + ox) * out + o] = sum
  } } } }
  return Tensor(y, shape: [n, size.height, size.width, out], precision: x.precision)
}

struct ConvolutionCase: Sendable, CustomTestStringConvertible {
  let x, w: [Int]
  let options: Conv2dOptions
  var testDescription: String { "\(x) * \(w) \(options.stride) \(options.padding) \(options.dilation) \(options.groups)" }

  /// The shapes of RAFT-small and their odd relatives: few channels, no multiples of a vector, strides, dilations, groups.
  static let all: [ConvolutionCase] = [
    .init(x: [1, 20, 24, 3], w: [7, 7, 3, 32], options: Conv2dOptions(stride: 2, padding: 3)),
    .init(x: [2, 16, 17, 242], w: [3, 3, 242, 96], options: Conv2dOptions(padding: 1)),
    .init(x: [1, 13, 11, 2], w: [7, 7, 2, 64], options: Conv2dOptions(padding: 3)),
    .init(x: [2, 9, 10, 8], w: [3, 3, 8, 8], options: Conv2dOptions(padding: 1)),
    .init(x: [2, 10, 9, 16], w: [3, 3, 16, 16], options: Conv2dOptions(stride: 2, padding: 1)),
    .init(x: [1, 8, 8, 96], w: [3, 3, 96, 2], options: Conv2dOptions(padding: 1)),
    .init(x: [1, 9, 12, 24], w: [1, 5, 24, 130], options: Conv2dOptions(padding: Extent(height: 0, width: 2))),
    .init(x: [1, 12, 9, 24], w: [5, 1, 24, 40], options: Conv2dOptions(padding: Extent(height: 2, width: 0))),
    .init(x: [2, 11, 34, 20], w: [1, 1, 20, 200], options: Conv2dOptions(stride: 2)),
    .init(x: [2, 11, 9, 32], w: [1, 1, 32, 64], options: Conv2dOptions(stride: 2)),
    .init(x: [2, 6, 5, 82], w: [1, 1, 82, 146], options: Conv2dOptions()),
    .init(x: [1, 14, 13, 6], w: [3, 3, 3, 10], options: Conv2dOptions(stride: 2, padding: 2, dilation: 2, groups: 2)),
    .init(x: [1, 7, 9, 12], w: [3, 3, 1, 12], options: Conv2dOptions(padding: 1, groups: 12)),
    .init(x: [1, 40, 200, 4], w: [3, 3, 4, 5], options: Conv2dOptions(padding: 1)),
    // Winograd's algorithm: even and odd sizes, padding other than 1, several images and blocks of tiles, channel tails
    .init(x: [1, 16, 20, 32], w: [3, 3, 32, 48], options: Conv2dOptions(padding: 1)),
    .init(x: [2, 17, 15, 67], w: [3, 3, 67, 35], options: Conv2dOptions(padding: 1)),
    .init(x: [1, 33, 18, 20], w: [3, 3, 20, 17], options: Conv2dOptions()),
    .init(x: [3, 15, 17, 16], w: [3, 3, 16, 70], options: Conv2dOptions(padding: 2)),
    .init(x: [1, 64, 70, 130], w: [3, 3, 130, 64], options: Conv2dOptions(padding: 1)),
    .init(x: [2, 17, 19, 24], w: [1, 5, 24, 33], options: Conv2dOptions(padding: Extent(height: 0, width: 2))),
    .init(x: [1, 21, 30, 40], w: [1, 5, 40, 18], options: Conv2dOptions()),
    .init(x: [2, 19, 17, 33], w: [5, 1, 33, 24], options: Conv2dOptions(padding: Extent(height: 2, width: 0))),
    .init(x: [1, 90, 70, 48], w: [5, 1, 48, 64], options: Conv2dOptions(padding: Extent(height: 1, width: 0))),
  ]
}

@Suite("Convolution") struct ConvolutionTests {
  private func operands(_ item: ConvolutionCase, _ precision: Precision) -> (x: Tensor, w: Tensor) {
    var random = Random(seed: 11, stream: .test)
    let x = Tensor.uniform(item.x, from: -1, to: 1, &random, precision: .float64)
    let w = Tensor.uniform(item.w, from: -1, to: 1, &random, precision: .float64)
    return (x.converted(to: .float32).converted(to: precision), w.converted(to: .float32).converted(to: precision))
  }

  /// The largest distance, in units of `√terms · ulp` of the largest value: a sum of `terms` products rounds about that much.
  private func error(_ a: Tensor, _ exact: Tensor, terms: Int) -> Double {
    let scale = exact.doubles.reduce(1e-30) { Swift.max($0, Swift.abs($1)) }
    let distance = zip(a.doubles, exact.doubles).reduce(0) { Swift.max($0, Swift.abs($1.0 - $1.1)) }
    return distance / (scale * a.precision.ulpOfOne * Double(terms).squareRoot())
  }

  @Test("equals the definition", arguments: ConvolutionCase.all, Precision.allCases)
  func forward(_ item: ConvolutionCase, _ precision: Precision) {
    let exact = naiveConvolution(operands(item, .float64).x, operands(item, .float64).w, item.options)
    let (x, w) = operands(item, precision)
    #expect(error(x.conv2d(with: w, item.options), exact, terms: w.count / w.shape[3]) < 4)
  }

  @Test("float32 gradients equal the float64 ones", arguments: ConvolutionCase.all)
  func gradients(_ item: ConvolutionCase) {
    let (x, w) = operands(item, .float64), y = x.conv2d(with: w, item.options)
    var random = Random(seed: 12, stream: .test)
    let dy = Tensor.uniform(y.shape, from: -1, to: 1, &random, precision: .float64).converted(to: .float32)
    let kernel = Extent(height: w.shape[0], width: w.shape[1]), size = Extent(height: x.shape[1], width: x.shape[2])
    let (x32, w32, dy64) = (x.converted(to: .float32), w.converted(to: .float32), dy.converted(to: .float64))
    let dx = dy.convolutionInputGradient(w32, inputSize: size, item.options)
    #expect(error(dx, dy64.convolutionInputGradient(w, inputSize: size, item.options), terms: w.count / w.shape[2]) < 4)
    let dw = x32.convolutionWeightGradient(dy, kernel: kernel, item.options)
    #expect(error(dw, x.convolutionWeightGradient(dy64, kernel: kernel, item.options), terms: dy.count / dy.shape[3]) < 4)
  }

  /// `⟨dy, x * w⟩ = ⟨dx, x⟩ = ⟨dw, w⟩` for random numbers: with the definition above, this proves both gradients of every path.
  @Test("gradients are adjoint to the convolution", arguments: ConvolutionCase.all)
  func adjoint(_ item: ConvolutionCase) {
    let (x, w) = operands(item, .float64), y = x.conv2d(with: w, item.options)
    var random = Random(seed: 14, stream: .test)
    let dy = Tensor.uniform(y.shape, from: -1, to: 1, &random, precision: .float64)
    let dx = dy.convolutionInputGradient(w, inputSize: Extent(height: x.shape[1], width: x.shape[2]), item.options)
    let dw = x.convolutionWeightGradient(dy, kernel: Extent(height: w.shape[0], width: w.shape[1]), item.options)
    let product = (dy * y).sum().item, scale = (dy.sumOfSquares * y.sumOfSquares).squareRoot()
    #expect(abs((dx * x).sum().item - product) < 1e-12 * scale)
    #expect(abs((dw * w).sum().item - product) < 1e-12 * scale)
  }

  @Test("weights are kept as products want them for repeated use, but not beyond a change of the weights",
        arguments: [(Conv2dOptions(padding: 1), 3), (Conv2dOptions(stride: 2, padding: 1), 3), (Conv2dOptions(), 1)])
  func keptWeights(options: Conv2dOptions, kernel: Int) {
    var random = Random(seed: 13, stream: .test)
    let x = Tensor.uniform([1, 16, 20, 32], from: -1, to: 1, &random)
    var w = Tensor.uniform([kernel, kernel, 32, 48], from: -1, to: 1, &random)
    let first = x.conv2d(with: w, options)
    for _ in 0..<3 { #expect(x.conv2d(with: w, options).isIdentical(to: first)) }
    w.blend(with: .ones(w.shape), keep: 0.5)
    let changed = Tensor(w.floats, shape: w.shape)
    #expect(x.conv2d(with: w, options).isIdentical(to: x.conv2d(with: changed, options)))
    #expect(!x.conv2d(with: w, options).isIdentical(to: first))
  }

  @Test("kept weights of few and long rows give the same bits", arguments: [1, 20, 300]) func keptMatrices(rows: Int) {
    var random = Random(seed: 14, stream: .test)
    let x = Tensor.uniform([rows, 512], from: -1, to: 1, &random)
    let w = Tensor.uniform([512, 512], from: -1, to: 1, &random)
    let first = x.linear(by: w)
    for _ in 0..<3 { #expect(x.linear(by: w).isIdentical(to: first)) }
  }

  @Test("values of several tensors are kept until one of them changes") func keptValues() {
    let x = Tensor.ones([3])
    var y = Tensor.ones([3])
    var made = 0
    func sum() -> [Double] {
      x.values("sum", with: [y]) {
        made += 1
        return [x + y]
      }[0].doubles
    }
    #expect(sum() == [2, 2, 2] && sum() == [2, 2, 2] && made == 1)
    y.blend(with: .zeros([3]), keep: 0.5)
    #expect(sum() == [1.5, 1.5, 1.5] && sum() == [1.5, 1.5, 1.5] && made == 2)
    let leaf = x.asLeaf()
    _ = leaf.values("sum", with: [y]) {
      made += 1
      return [leaf + y]
    }
    #expect(made == 3, "gradients flow through what is computed now")
  }

  @Test("activations in the convolution equal those behind it", arguments: [FusedActivation.relu, .sigmoid, .tanh, .leakyRelu(slope: 0.2)])
  func activations(_ activation: FusedActivation) {
    let item = ConvolutionCase.all[1], (x, w) = operands(item, .float64)
    let (b, tracked) = (Tensor.ones([96], .float64), w.asLeaf())
    let fused = x.conv2d(with: tracked, bias: b, item.options, activation: activation)
    let plain = x.conv2d(with: tracked, bias: b, item.options)
    let separate = switch activation {
    case .relu: plain.relu()
    case .sigmoid: plain.sigmoid()
    case .tanh: plain.tanh()
    case .leakyRelu(let slope): plain.leakyRelu(slope: slope)
    }
    #expect((fused - separate).abs().max().item < 1e-14)
    guard let a = fused.squared().sum().gradients()[tracked], let b = separate.squared().sum().gradients()[tracked] else {
      Issue.record("no gradient reached the weight")
      return
    }
    #expect((a - b).abs().max().item < 1e-9 * b.abs().max().item)
  }

  @Test("bias is added once per pixel") func bias() {
    let (x, w) = operands(ConvolutionCase.all[0], .float64)
    let b = Tensor((0..<32).map(Double.init), shape: [32], precision: .float64)
    let options = ConvolutionCase.all[0].options
    let difference = (x.conv2d(with: w, bias: b, options) - x.conv2d(with: w, options) - b).abs().max().item
    #expect(difference < 1e-12)
  }

  @Test("a wrong channel count is explained") func message() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Tensor.zeros([1, 8, 8, 64]).conv2d(with: .zeros([3, 3, 32, 128]))
    }
    let text = result.map { String(decoding: $0.standardErrorContent, as: UTF8.self) } ?? ""
    #expect(text.contains("input [1, 8, 8, 64] has 64 channels, weight [3, 3, 32, 128] expects 32 (groups 1)"))
  }
}
