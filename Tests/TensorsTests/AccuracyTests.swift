import Base
import Tensors
import Testing
import TestSupport

/// What the factors of a product look like.
enum FactorKind: String, CaseIterable, Sendable {
  /// Uniform in -1...1 and in 0...1.
  case random, positive
  /// Rows, columns and the inner axis scaled by powers of two between 2^-16 and 2^16; products of one sum differ by up to 2^10.
  case scaled
  /// The second half of each sum cancels the first one to about 2^-10.
  case cancelling

  /// Values of `shape` whose sums run over the axis `inner`; `axis` belongs to the rows or columns of the result.
  func factor(_ shape: [Int], inner: Int, axis: Int, isSecond: Bool = false) -> Tensor {
    var random = Random(seed: isSecond ? 32 : 31, stream: .test), scales = Random(seed: 33, stream: .test)
    func at(_ i: Int, _ axis: Int) -> Int { i / shape[(axis + 1)...].reduce(1, *) % shape[axis] }
    var values = (0..<shape.reduce(1, *)).map { _ in random.uniform(self == .positive ? 0 : -1, 1) }
    switch self {
    case .random, .positive: break
    case .scaled:
      let along = (0..<shape[inner]).map { _ in scales.integer(in: -16..<17) * (isSecond ? -1 : 1) + random.integer(in: 0..<6) }
      let across = (0..<shape[axis]).map { _ in random.integer(in: -16..<17) }
      for i in values.indices { values[i] *= Double(sign: .plus, exponent: along[at(i, inner)] + across[at(i, axis)], significand: 1) }
    case .cancelling:
      let half = shape[inner] / 2, step = shape[(inner + 1)...].reduce(1, *)
      for i in values.indices where at(i, inner) >= half && at(i, inner) < 2 * half {
        values[i] = values[i - half * step] * (isSecond ? 1 : -1) * (1 + random.uniform(-1, 1) / 1024)
      }
    }
    return Tensor(values, shape: shape)
  }
}

/// A product of which Apus has to say how exact it is.
struct AccuracyCase: Sendable, CustomTestStringConvertible {
  let name: String
  let kind: FactorKind
  /// Whether the float32 kernels take Winograd's algorithm, and for how many taps along an axis.
  var winogradTaps: Int?
  let product: @Sendable () -> GatheredProduct

  var testDescription: String { "\(name), \(kind)" }
  /// The largest error allowed, in those of OpenBLAS. For Winograd's algorithm: what was measured (WinogradConvolution.swift), and some room.
  var factor: Double {
    guard let winogradTaps else { return 1.5 }
    return (winogradTaps == 3 ? 3 : 5) * (kind == .cancelling ? 1.5 : 1)
  }

  /// The error of Apus and that of OpenBLAS in float32: the root of the mean over all outputs of the squared distance to the
  /// float64 result, relative to the sum of the magnitudes of the products added up in this output. Winograd's algorithm cannot promise
  /// that for outputs with much larger neighbours: its errors are relative to the root mean square of these sums over all outputs.
  func errors() -> (found: Double, reference: Double) {
    let product = product(), exact = product.exact, magnitudes = product.magnitudes
    func norm(_ values: [Double]) -> Double { (values.reduce(0) { $0 + $1 * $1 } / Double(values.count)).squareRoot() }
    func error(_ y: [Double]) -> Double {
      if winogradTaps != nil { return norm(zip(y, exact).map { $0 - $1 }) / norm(magnitudes) }
      return norm(y.indices.map { magnitudes[$0] == 0 ? y[$0] : (y[$0] - exact[$0]) / magnitudes[$0] })
    }
    return (error(product.found), error(product.openBLAS))
  }

  static let all: [AccuracyCase] = FactorKind.allCases.flatMap { matmuls($0) + convolutions($0) }

  private static func matmuls(_ kind: FactorKind) -> [AccuracyCase] {
    // Then sizes of many tasks: strips that share the second factor, rows that are copied, deep sums of many columns.
    let small = [32, 300, 1100, 5000].map { (m: 33, n: 50, k: $0) }
    let large = kind == .random ? [(m: 530, n: 300, k: 700), (m: 20, n: 300, k: 4000), (m: 170, n: 40, k: 260)] : []
    return (small + large).flatMap { m, n, k in
      GatheredProduct.Layout.allCases.map { layout in
        AccuracyCase(name: "matmul \(layout) \(m) \(n) \(k)", kind: kind) {
          let a = kind.factor([m, k], inner: 1, axis: 0), b = kind.factor([k, n], inner: 0, axis: 1, isSecond: true)
          return GatheredProduct(matmul: a.floats, b.floats, m: m, n: n, k: k, layout)
        }
      }
    }
  }

  private static func convolutions(_ kind: FactorKind) -> [AccuracyCase] {
    let shapes: [(x: [Int], w: [Int], options: Conv2dOptions)] = [
      ([2, 18, 20, 32], [3, 3, 32, 48], Conv2dOptions(padding: 1)),
      ([2, 16, 17, 96], [3, 3, 96, 64], Conv2dOptions(padding: 1)),
      ([2, 17, 16, 8], [3, 3, 8, 24], Conv2dOptions(padding: 1)),
      ([2, 14, 15, 96], [1, 1, 96, 64], Conv2dOptions()),
      ([2, 10, 18, 48], [1, 5, 48, 40], Conv2dOptions(padding: Extent(height: 0, width: 2))),
      ([2, 18, 20, 96], [5, 1, 96, 64], Conv2dOptions(padding: Extent(height: 2, width: 0))),
      ([2, 24, 26, 3], [7, 7, 3, 32], Conv2dOptions(stride: 2, padding: 3)),
      ([2, 18, 20, 32], [3, 3, 32, 48], Conv2dOptions(stride: 2, padding: 1)),
    ]
    return shapes.flatMap { shape -> [AccuracyCase] in
      let (xs, ws, options) = shape, kernel = Extent(height: ws[0], width: ws[1]), size = Extent(height: xs[1], width: xs[2])
      let out = options.outputSize(of: size, kernel: kernel), ys = [xs[0], out.height, out.width, ws[3]]
      let taps = kernel != 1 && options.stride == 1 && min(xs[3], ws[3]) >= 16 ? max(ws[0], ws[1]) : nil  // of Winograd's algorithm
      let name = "\(ws[0])x\(ws[1])\(options.stride == 1 ? "" : " stride \(options.stride.width)"), \(xs[3]) channels"
      return [
        AccuracyCase(name: "convolution \(name)", kind: kind, winogradTaps: taps) {
          GatheredProduct(forward: kind.factor(xs, inner: 3, axis: 1), kind.factor(ws, inner: 2, axis: 3, isSecond: true), options)
        },
        AccuracyCase(name: "input gradient of \(name)", kind: kind, winogradTaps: taps) {
          let dy = kind.factor(ys, inner: 3, axis: 1), w = kind.factor(ws, inner: 3, axis: 2, isSecond: true)
          return GatheredProduct(inputGradient: dy, w, inputSize: size, options)
        },
        AccuracyCase(name: "weight gradient of \(name)", kind: kind, winogradTaps: taps) {
          let x = kind.factor(xs, inner: 0, axis: 3), dy = kind.factor(ys, inner: 0, axis: 3, isSecond: true)
          return GatheredProduct(weightGradient: x, dy, kernel: kernel, options)
        },
      ]
    }
  }
}

@Suite("Accuracy of products") struct AccuracyTests {
  @Test("highest: at most 1.5 times the error of OpenBLAS in float32, some more where tiles are transformed", arguments: AccuracyCase.all)
  func highest(_ item: AccuracyCase) {
    let (found, reference) = item.errors()
    #expect(found <= item.factor * reference, "\(found), OpenBLAS \(reference): \(found / reference) times")
  }

  /// The errors promised by `MatmulPrecision`, where the processor has them; elsewhere as `highest`.
  private static func check(_ precision: MatmulPrecision) {
    MatmulPrecision.current = precision
    let bound = switch MatmulPrecision.effective {
    case .highest: 1e-6
    case .high: 4e-6
    case .medium: 3e-3
    }
    for item in AccuracyCase.all {
      let (found, _) = item.errors()
      require(found <= bound, "\(item.testDescription): \(found)")
    }
  }

  // The precision belongs to the process, so each of these tests runs in one of its own.
  @Test func high() async { await #expect(processExitsWith: .success) { AccuracyTests.check(.high) } }
  @Test func medium() async { await #expect(processExitsWith: .success) { AccuracyTests.check(.medium) } }

  /// Element by element: at most the error of rounding both factors of each product, and of a float32 sum.
  private static func checkBounds(_ precision: MatmulPrecision) {
    MatmulPrecision.current = precision
    let rounding = switch MatmulPrecision.effective {
    case .highest: 0.0
    case .high: 0x3p-16
    case .medium: 0x1.01p-8
    }
    for item in ConvolutionCase.all {
      var random = Random(seed: 14, stream: .test)
      let x = Tensor.uniform(item.x, from: -1, to: 1, &random), w = Tensor.uniform(item.w, from: -1, to: 1, &random)
      let kernel = Extent(height: w.shape[0], width: w.shape[1]), size = Extent(height: x.shape[1], width: x.shape[2])
      let dy = Tensor.uniform(x.conv2d(with: w, item.options).shape, from: -1, to: 1, &random)
      func check(_ name: String, _ a: Tensor, _ b: Tensor, terms: Int, _ pass: (Tensor, Tensor) -> Tensor) {
        let (exactA, exactB) = (a.converted(to: .float64), b.converted(to: .float64))
        let distance = (pass(a, b).converted(to: .float64) - pass(exactA, exactB)).abs()
        let bound = pass(exactA.abs(), exactB.abs()) * (rounding + 2e-7 * Double(terms).squareRoot())
        require((distance - bound).max().item <= 0, "\(name) of \(item.testDescription), \(MatmulPrecision.description)")
      }
      check("convolution", x, w, terms: w.count / w.shape[3]) { $0.conv2d(with: $1, item.options) }
      check("input gradient", dy, w, terms: w.count / w.shape[2]) { $0.convolutionInputGradient($1, inputSize: size, item.options) }
      check("weight gradient", x, dy, terms: dy.count / dy.shape[3]) { $0.convolutionWeightGradient($1, kernel: kernel, item.options) }
    }
  }

  @Test func boundsOfHigh() async { await #expect(processExitsWith: .success) { AccuracyTests.checkBounds(.high) } }
  @Test func boundsOfMedium() async { await #expect(processExitsWith: .success) { AccuracyTests.checkBounds(.medium) } }
}
