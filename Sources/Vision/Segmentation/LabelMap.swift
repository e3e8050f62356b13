import Base

/// A number for each pixel of a picture: as a label file holds it, or the class that it stands for.
public struct LabelMap: Sendable, Equatable {
  /// The class number of pixels that count for nothing. There are at most 255 classes, 0 to 254.
  public static let ignored: UInt16 = 255

  public let height: Int
  public let width: Int
  /// Row-major, `height · width`.
  public var values: [UInt16]

  /// - Precondition: `values.count == height · width`.
  public init(height: Int, width: Int, values: [UInt16]) {
    require(values.count == height * width, "LabelMap: \(values.count) numbers for \(height) x \(width) pixels")
    self.height = height
    self.width = width
    self.values = values
  }

  public init(height: Int, width: Int, filledWith value: UInt16) {
    self.init(height: height, width: width, values: Array(repeating: value, count: height * width))
  }

  /// How often each number occurs, by number.
  public func counts() -> [(value: Int, count: Int)] {
    var counts = [Int](repeating: 0, count: Int(values.max() ?? 0) + 1)
    for value in values { counts[Int(value)] += 1 }
    return counts.enumerated().filter { $0.element > 0 }.map { (value: $0.offset, count: $0.element) }
  }

  /// The map at another size: each pixel takes the number at `⌊i · height / newHeight⌋`, so that no new number appears.
  /// - Source: the documented behaviour of OpenCV's `resize` with `INTER_NEAREST`.
  public func resized(height newHeight: Int, width newWidth: Int) -> LabelMap {
    sampled(rows: (0..<newHeight).map { $0 * height / newHeight }, columns: (0..<newWidth).map { $0 * width / newWidth })
  }

  /// The numbers at the crossings of rows and columns.
  public func sampled(rows: [Int], columns: [Int]) -> LabelMap {
    var result: [UInt16] = []
    result.reserveCapacity(rows.count * columns.count)
    values.withUnsafeBufferPointer { values in
      for row in rows {
        let start = row * width
        for column in columns { result.append(values[start + column]) }
      }
    }
    return LabelMap(height: rows.count, width: columns.count, values: result)
  }
}
