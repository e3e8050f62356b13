import Base

/// A sparse matrix that maps `inputLength` samples of one axis to other samples: interpolation and average pooling in one form.
struct ResamplingMatrix: Sendable, Equatable {
  let inputLength: Int
  /// Row `j` has the entries `starts[j]..<starts[j + 1]`.
  let starts: [Int32]
  let columns: [Int32]
  let weights: [Double]
  var outputLength: Int { starts.count - 1 }

  init(inputLength: Int, rows: [[(column: Int, weight: Double)]]) {
    self.inputLength = inputLength
    starts = rows.reduce(into: [0]) { $0.append(($0.last ?? 0) + Int32($1.count)) }
    columns = rows.flatMap { $0.map { Int32($0.column) } }
    weights = rows.flatMap { $0.map(\.weight) }
  }

  var transposed: ResamplingMatrix {
    var rows: [[(column: Int, weight: Double)]] = Array(repeating: [], count: inputLength)
    for j in 0..<outputLength {
      for k in Int(starts[j])..<Int(starts[j + 1]) { rows[Int(columns[k])].append((j, weights[k])) }
    }
    return ResamplingMatrix(inputLength: outputLength, rows: rows)
  }
}

/// The interpolation of `resized`.
public enum Interpolation: String, Sendable, CaseIterable {
  /// The sample at `⌊i · h / newHeight⌋` (PyTorch's `nearest`).
  case nearest
  case bilinear
  /// Keys' cubic convolution with a = -0.75, as in PyTorch and OpenCV.
  case bicubic
}

extension Tensor {
  /// One axis multiplied by a sparse matrix. - Gradient: the same with the transposed matrix, so of any order.
  func resampled(_ axis: Int, _ matrix: ResamplingMatrix) -> Tensor {
    let outer = shape[..<axis].reduce(1, *), inner = shape[(axis + 1)...].reduce(1, *), length = shape[axis]
    require(length == matrix.inputLength, "resampled: axis \(axis) of shape \(shape) has not \(matrix.inputLength) samples")
    var newShape = shape
    newShape[axis] = matrix.outputLength
    let (x, y) = (self, fresh(newShape))
    // Few long images are cut into bands of samples, many short ones into groups.
    let count = matrix.outputLength, band = Swift.min(count, Swift.max(1, (1 << 14) / Swift.max(inner, 1)))
    let bands = outer * count * inner > 1 << 15 && outer < 64 ? (count + band - 1) / band : 1, samples = (count + bands - 1) / bands
    parallelFor(outer * bands, grain: bands > 1 ? 1 : Swift.max(1, (1 << 14) / Swift.max(inner * count, 1))) { range in
      guard bands > 1 else {
        y.kernels.resample(x.address(range.lowerBound * length * inner), range.count, length, inner, count, matrix.starts, matrix.columns,
          matrix.weights, y.address(range.lowerBound * count * inner))
        return
      }
      for task in range {
        let image = task / bands, first = task % bands * samples, last = Swift.min(count, first + samples)
        guard first < last else { continue }
        matrix.starts.withUnsafeBufferPointer { starts in
          guard let start = starts.baseAddress else { return }
          y.kernels.resample(x.address(image * length * inner), 1, length, inner, last - first, start + first, matrix.columns,
            matrix.weights, y.address((image * count + first) * inner))
        }
      }
    }
    return y.recorded(.resample, from: [self]) { dy in [dy.resampled(axis, matrix.transposed)] }
  }

  /// Images at another size.
  /// - Shape: `[n, h, w, c]` → `[n, height, width, c]`.
  /// - Parameter alignCorners: the corner pixels' centres stay in the corners; else the outer edges do (half-pixel centres).
  ///   Ignored by `.nearest`.
  /// - Source: PyTorch's `interpolate`, without antialiasing.
  public func resized(to size: Extent, _ mode: Interpolation = .bilinear, alignCorners: Bool = false) -> Tensor {
    let (_, h, w, _) = shape4
    require(size.height > 0 && size.width > 0 && h > 0 && w > 0, "resized: \(shape) to \(size)")
    return resampled(1, mode.matrix(h, size.height, alignCorners)).resampled(2, mode.matrix(w, size.width, alignCorners))
  }
}

extension Interpolation {
  /// The weights that take `length` samples to `count`.
  func matrix(_ length: Int, _ count: Int, _ alignCorners: Bool) -> ResamplingMatrix {
    ResamplingMatrix(inputLength: length, rows: (0..<count).map { i in
      let scale = alignCorners ? (count > 1 ? Double(length - 1) / Double(count - 1) : 0) : Double(length) / Double(count)
      let position = alignCorners ? Double(i) * scale : (Double(i) + 0.5) * scale - 0.5
      switch self {
      case .nearest: return [(Swift.min(i * length / count, length - 1), 1)]
      case .bilinear: return Self.linear(alignCorners ? position : Swift.max(position, 0), length)
      case .bicubic: return Self.cubic(position, length)
      }
    })
  }

  private static func linear(_ position: Double, _ length: Int) -> [(Int, Double)] {
    let low = Swift.min(Int(position), length - 1), t = position - Double(low)
    return low + 1 < length ? [(low, 1 - t), (low + 1, t)] : [(low, 1)]
  }

  /// Keys 1981, eq. 4 with a = -0.75; samples beyond the border repeat it.
  private static func cubic(_ position: Double, _ length: Int) -> [(Int, Double)] {
    let a = -0.75, low = position.rounded(.down), t = position - low
    func near(_ x: Double) -> Double { ((a + 2) * x - (a + 3)) * x * x + 1 }
    func far(_ x: Double) -> Double { ((a * x - 5 * a) * x + 8 * a) * x - 4 * a }
    let weights = [far(t + 1), near(t), near(1 - t), far(2 - t)]
    return weights.enumerated().map { (Swift.min(Swift.max(Int(low) - 1 + $0, 0), length - 1), $1) }
  }
}
