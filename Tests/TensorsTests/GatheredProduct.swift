import Tensors

/// One product of Apus as a plain product of two matrices, for comparisons with other ways to compute it.
///
/// The first factor is gathered: element `(i, k)` is `source[places[i · k.count + k]]`, or a zero of the padding where that is -1.
struct GatheredProduct {
  let m, n, k: Int
  let source: [Float]
  let places: [Int32]
  /// `[k, n]`.
  let b: [Float]
  /// What Apus computes for it, `[m, n]`.
  let found: [Double]
  /// The stride offset that each row belongs to: rows of one phase read the same taps.
  var phases: [Int]?

  var a: [Float] { places.map { $0 < 0 ? 0 : source[Int($0)] } }
  var exact: [Double] { OpenBLASReference.multiply(a.map(Double.init), b.map(Double.init), m: m, n: n, k: k) }
  /// `|a| · |b|`, which errors are relative to.
  var magnitudes: [Double] { OpenBLASReference.multiply(a.map { Double(abs($0)) }, b.map { Double(abs($0)) }, m: m, n: n, k: k) }
  /// What OpenBLAS makes of it in float32, phase by phase, without the taps that no row of a phase reads. Few columns get company of
  /// zeros: OpenBLAS has kernels for narrow matrices that cut sums into more parts; the order of its general kernel is the one to
  /// compare with.
  var openBLAS: [Double] {
    let a = a, wide = max(n, 32), phases = phases ?? [Int](repeating: 0, count: m)
    var y = [Double](repeating: 0, count: m * n)
    for phase in Set(phases) {
      let rows = (0..<m).filter { phases[$0] == phase }
      let terms = (0..<k).filter { i in rows.contains { places[$0 * k + i] >= 0 } }
      guard !terms.isEmpty else { continue }
      let first = rows.flatMap { row in terms.map { a[row * k + $0] } }
      let second = terms.flatMap { term in (0..<wide).map { $0 < n ? b[term * n + $0] : 0 } }
      let c = OpenBLASReference.multiply(first, second, m: rows.count, n: wide, k: terms.count)
      for (i, row) in rows.enumerated() { for column in 0..<n { y[row * n + column] = Double(c[i * wide + column]) } }
    }
    return y
  }

  /// Whether the definition makes element `(row, column)` infinite or NaN.
  func mustBeNonFinite(_ row: Int, _ column: Int) -> Bool {
    (0..<k).contains { i in
      let place = places[row * k + i]
      return place >= 0 && !(source[Int(place)].isFinite && b[i * n + column].isFinite)
    }
  }
}

extension GatheredProduct {
  enum Layout: String, CaseIterable, Codable, Sendable { case neither, firstTransposed, secondTransposed }

  /// `a` `[m, k]` times `b` `[k, n]`, handed to Apus in one of three layouts.
  init(matmul a: [Float], _ b: [Float], m: Int, n: Int, k: Int, _ layout: Layout) {
    let first = layout == .firstTransposed ? Tensor(Self.transposed(a, m, k), shape: [k, m]) : Tensor(a, shape: [m, k])
    let second = layout == .secondTransposed ? Tensor(Self.transposed(b, k, n), shape: [n, k]) : Tensor(b, shape: [k, n])
    let y = first.matmul(second, transposed: layout == .firstTransposed, otherTransposed: layout == .secondTransposed)
    self.init(m: m, n: n, k: k, source: a, places: (0..<Int32(m * k)).map { $0 }, b: b, found: y.doubles)
  }

  private static func transposed(_ x: [Float], _ rows: Int, _ columns: Int) -> [Float] {
    (0..<columns * rows).map { x[$0 % rows * columns + $0 / rows] }
  }

  /// The forward pass: pixels times weights.
  init(forward x: Tensor, _ w: Tensor, _ options: Conv2dOptions) {
    let y = x.conv2d(with: w, options), taps = ConvolutionTaps(x.shape, w.shape, options)
    let places = taps.inputPlaces
    self.init(m: taps.outputs, n: w.shape[3], k: taps.count * x.shape[3], source: x.floats, places: places, b: w.floats, found: y.doubles)
  }

  /// The input gradient: pixels of the output gradient times transposed weights.
  init(inputGradient dy: Tensor, _ w: Tensor, inputSize: Extent, _ options: Conv2dOptions) {
    let dx = dy.convolutionInputGradient(w, inputSize: inputSize, options), (depth, out) = (w.shape[2], w.shape[3])
    let taps = ConvolutionTaps(dx.shape, w.shape, options), weights = w.floats
    let b = (0..<taps.count * out * depth).map { i in
      let (tap, o, c) = (i / (out * depth), i / depth % out, i % depth)
      return weights[(tap * depth + c) * out + o]
    }
    self.init(m: taps.inputs, n: depth, k: taps.count * out, source: dy.floats, places: taps.outputPlaces(channels: out), b: b,
              found: dx.doubles, phases: taps.inputPhases)
  }

  /// The weight gradient: input pixels, transposed, times pixels of the output gradient.
  init(weightGradient x: Tensor, _ dy: Tensor, kernel: Extent, _ options: Conv2dOptions) {
    let dw = x.convolutionWeightGradient(dy, kernel: kernel, options), taps = ConvolutionTaps(x.shape, dw.shape, options)
    let rows = taps.count * x.shape[3], places = taps.inputPlaces
    let transposed = (0..<rows * taps.outputs).map { places[$0 % taps.outputs * rows + $0 / taps.outputs] }
    self.init(m: rows, n: dy.shape[3], k: taps.outputs, source: x.floats, places: transposed, b: dy.floats, found: dw.doubles)
  }
}

/// Which pixels meet in a convolution without groups, by its definition.
private struct ConvolutionTaps {
  private let n, h, w, channels: Int
  private let kernel, output: Extent
  private let options: Conv2dOptions

  init(_ x: [Int], _ weight: [Int], _ options: Conv2dOptions) {
    precondition(options.groups == 1)
    (n, h, w, channels) = (x[0], x[1], x[2], x[3])
    kernel = Extent(height: weight[0], width: weight[1])
    output = options.outputSize(of: Extent(height: h, width: w), kernel: kernel)
    self.options = options
  }

  var count: Int { kernel.height * kernel.width }
  var inputs: Int { n * h * w }
  var outputs: Int { n * output.height * output.width }

  /// `[outputs, taps, channels]`: elements of the input.
  var inputPlaces: [Int32] {
    var places: [Int32] = []
    for image in 0..<n { for oy in 0..<output.height { for ox in 0..<output.width { for tap in 0..<count {
      let y = oy * options.stride.height + tap / kernel.width * options.dilation.height - options.padding.height
      let x = ox * options.stride.width + tap % kernel.width * options.dilation.width - options.padding.width
      let isInside = (0..<h).contains(y) && (0..<w).contains(x), first = ((image * h + y) * w + x) * channels
      for c in 0..<channels { places.append(isInside ? Int32(first + c) : -1) }
    } } } }
    return places
  }

  /// `[inputs]`: the phase of each input pixel.
  var inputPhases: [Int] {
    (0..<inputs).map { i in i / w % h % options.stride.height * options.stride.width + i % w % options.stride.width }
  }

  /// `[inputs, taps, channels]`: elements of the output gradient.
  func outputPlaces(channels: Int) -> [Int32] {
    var places: [Int32] = []
    for image in 0..<n { for iy in 0..<h { for ix in 0..<w { for tap in 0..<count {
      let y = iy + options.padding.height - tap / kernel.width * options.dilation.height
      let x = ix + options.padding.width - tap % kernel.width * options.dilation.width
      let (oy, ox) = (y / options.stride.height, x / options.stride.width)
      let isInside = y >= 0 && x >= 0 && y % options.stride.height == 0 && x % options.stride.width == 0
        && oy < output.height && ox < output.width
      let first = ((image * output.height + oy) * output.width + ox) * channels
      for c in 0..<channels { places.append(isInside ? Int32(first + c) : -1) }
    } } } }
    return places
  }
}
