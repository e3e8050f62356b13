import Base

/// A dense optical flow field with a validity mask, in plain numbers.
///
/// `u` points right and `v` points down, both in pixels: image 1 at `(x, y)` moves to image 2 at `(x + u, y + v)`.
public struct FlowField: Sendable, Equatable {
  public let height: Int
  public let width: Int
  /// `height · width` pairs `(u, v)`, row-major, interleaved.
  public var vectors: [Float]
  /// `height · width` flags, row-major: whether the vector at that pixel is known.
  public var isValid: [Bool]

  /// - Precondition: `vectors.count == 2 · height · width`; `isValid` is empty (all valid) or has `height · width` entries.
  public init(height: Int, width: Int, vectors: [Float], isValid: [Bool] = []) {
    guard vectors.count == 2 * height * width, isValid.isEmpty || isValid.count == height * width else {
      stop("FlowField: \(height)x\(width) needs \(2 * height * width) numbers, got \(vectors.count) and \(isValid.count) flags")
    }
    self.height = height
    self.width = width
    self.vectors = vectors
    self.isValid = isValid.isEmpty ? Array(repeating: true, count: height * width) : isValid
  }

  /// The vector at row `y`, column `x`.
  public subscript(y: Int, x: Int) -> (u: Float, v: Float) {
    get { (vectors[2 * (y * width + x)], vectors[2 * (y * width + x) + 1]) }
    set { (vectors[2 * (y * width + x)], vectors[2 * (y * width + x) + 1]) = newValue }
  }

  /// The length of the longest known vector, in px; 0 if none is known.
  public var largestMagnitude: Float {
    var largest: Float = 0
    for pixel in isValid.indices where isValid[pixel] {
      let u = vectors[2 * pixel]
      let v = vectors[2 * pixel + 1]
      largest = max(largest, u * u + v * v)
    }
    return largest.squareRoot()
  }
}
