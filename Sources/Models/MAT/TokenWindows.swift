import Base
import Tensors

/// How a token grid is cut into square windows, after a cyclic shift of the grid.
///
/// - Source: Liu et al. 2021 (Swin transformer), section 3.2.
struct TokenWindows: Sendable {
  let height, width: Int
  /// Height and width of a window, in tokens.
  let length: Int
  /// Rows and columns by which the grid is rolled up and left first.
  let shift: Int
  /// The token at each place of the windows, which follow each other row by row; and the place of each token.
  private let order, inverse: [Int]

  /// - Parameters:
  ///   - window: cut to the grid where it is larger.
  ///   - isShifted: shift by half a window, unless one window covers the grid.
  init(height: Int, width: Int, window: Int, isShifted: Bool) {
    let length = min(window, height, width)
    require(height % length == 0 && width % length == 0,
      "MAT: a grid of \(height)x\(width) tokens does not divide into windows of \(length); pad the image")
    let shift = isShifted && min(height, width) > window ? window / 2 : 0
    (self.height, self.width, self.length, self.shift) = (height, width, length, shift)
    var order: [Int] = []
    order.reserveCapacity(height * width)
    for top in stride(from: 0, to: height, by: length) {
      for left in stride(from: 0, to: width, by: length) {
        for row in top..<top + length {
          for column in left..<left + length { order.append((row + shift) % height * width + (column + shift) % width) }
        }
      }
    }
    var inverse = order
    for (place, token) in order.enumerated() { inverse[token] = place }
    (self.order, self.inverse) = (order, inverse)
  }

  var count: Int { height / length * (width / length) }
  private var tokens: Int { length * length }

  /// `[n, h, w, c]` → `[n · windows, tokens, c]`.
  func split(_ x: Tensor) -> Tensor {
    let (n, h, w, c) = x.shape4
    return x.reshaped(to: [n, h * w, c]).gathered(1, order).reshaped(to: [n * count, tokens, c])
  }

  /// `[n · windows, tokens, c]` → `[n, h, w, c]`.
  func joined(_ x: Tensor) -> Tensor {
    let c = x.shape[2]
    let n = x.shape[0] / count
    return x.reshaped(to: [n, height * width, c]).gathered(1, inverse).reshaped(to: [n, height, width, c])
  }

  /// What is added to the scores of tokens that the shift brought together although they lie apart: -100, else 0. Nil without shift.
  /// - Shape: `[windows, tokens, tokens]`.
  func shiftMask(_ precision: Precision = .float32) -> Tensor? {
    guard shift > 0 else { return nil }
    func region(_ place: Int, _ total: Int) -> Int { place < total - length ? 0 : place < total - shift ? 1 : 2 }
    var values: [Float] = []
    values.reserveCapacity(count * tokens * tokens)
    for top in stride(from: 0, to: height, by: length) {
      for left in stride(from: 0, to: width, by: length) {
        let labels = (0..<tokens).map { 3 * region(top + $0 / length, height) + region(left + $0 % length, width) }
        for query in labels { values += labels.map { $0 == query ? 0 : -100 } }
      }
    }
    return Tensor(values, shape: [count, tokens, tokens]).converted(to: precision)
  }
}
