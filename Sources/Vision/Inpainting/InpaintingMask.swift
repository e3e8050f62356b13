import Base

/// Which pixels of a picture are known, and which are a hole to be filled.
public struct InpaintingMask: Sendable, Equatable {
  public let height: Int
  public let width: Int
  /// Row by row: 1 known, 0 hole.
  public var known: [UInt8]

  /// - Precondition: `known` has `height · width` values of 0 and 1.
  public init(height: Int, width: Int, known: [UInt8]) {
    require(known.count == height * width, "InpaintingMask: \(height)x\(width) needs \(height * width) values, got \(known.count)")
    self.height = height
    self.width = width
    self.known = known
  }

  /// All of one kind.
  public init(height: Int, width: Int, isKnown: Bool) {
    self.init(height: height, width: width, known: Array(repeating: isKnown ? 1 : 0, count: height * width))
  }

  /// Pixels of the hole.
  public var holeCount: Int { known.reduce(0) { $0 + ($1 == 0 ? 1 : 0) } }

  /// The share of the hole, 0...1.
  public var holeShare: Double { Double(holeCount) / Double(max(1, known.count)) }

  /// The mask in a larger frame, at its upper left; what is added is hole.
  /// - Precondition: the frame holds the mask.
  public func padded(height rows: Int, width columns: Int) -> InpaintingMask {
    require(rows >= height && columns >= width, "InpaintingMask: \(height)x\(width) does not fit into \(rows)x\(columns)")
    guard rows != height || columns != width else { return self }
    var result = InpaintingMask(height: rows, width: columns, isKnown: false)
    for y in 0..<height {
      result.known.replaceSubrange(y * columns..<y * columns + width, with: known[y * width..<(y + 1) * width])
    }
    return result
  }

  /// A part of the mask.
  /// - Precondition: the part lies within the mask.
  public func cropped(top: Int, left: Int, height rows: Int, width columns: Int) -> InpaintingMask {
    require(top >= 0 && left >= 0 && top + rows <= height && left + columns <= width,
            "InpaintingMask: no part of \(rows)x\(columns) at (\(top), \(left)) in \(height)x\(width)")
    let values = (top..<top + rows).flatMap { y in known[y * width + left..<y * width + left + columns] }
    return InpaintingMask(height: rows, width: columns, known: values)
  }

  /// A grey picture of the mask: white is known, black is hole.
  public var image: Image { Image(height: height, width: width, channels: 1, pixels: known.map { $0 == 0 ? 0 : 255 }) }
}
