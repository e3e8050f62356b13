import Base

/// A binary mask as COCO's run lengths: pixels column by column from the upper left, the first run is of background (and may be empty).
///
/// ```swift
/// let mask = try RunLengthMask(polygons: [[1, 1, 4, 1, 4, 3]], height: 5, width: 6)
/// print(mask.area, mask.boundingBox, mask.compressedCounts)
/// ```
/// - Invariant: the counts add up to `height · width`.
/// - Source: COCO data format, cocodataset.org/#format-data; behaviour as `maskApi.c` of pycocotools.
public struct RunLengthMask: Sendable, Hashable {
  public let height: Int
  public let width: Int
  /// Lengths of the runs in pixels, background and object in turn.
  public let counts: [UInt32]

  /// - Throws: `.badData` if a length is negative or they do not add up to the pixels of the mask.
  public init(height: Int, width: Int, counts: [Int]) throws {
    let pixels = try Self.pixelCount(height, width)
    var sum = 0
    for count in counts {
      guard 0...pixels ~= count else { throw Self.damage("a run of \(count) pixels in a mask of \(height) x \(width)") }
      sum += count
    }
    guard sum == pixels else {
      throw Self.damage("run lengths of \(sum) pixels together, expected \(height) x \(width) = \(pixels)")
    }
    self.init(height: height, width: width, unchecked: counts.map(UInt32.init))
  }

  /// - Precondition: the counts add up to `height · width`.
  init(height: Int, width: Int, unchecked counts: [UInt32]) {
    self.height = height
    self.width = width
    self.counts = counts
  }

  /// A mask from flags, row-major, true on the object.
  /// - Precondition: `flags.count == height · width`.
  public init(height: Int, width: Int, flags: [Bool]) {
    require(flags.count == height * width, "RunLengthMask: \(flags.count) flags for \(height) x \(width) pixels")
    var counts: [UInt32] = []
    var run: UInt32 = 0
    var isObject = false
    for column in 0..<width {
      for row in 0..<height {
        if flags[row * width + column] != isObject {
          counts.append(run)
          run = 0
          isObject.toggle()
        }
        run += 1
      }
    }
    counts.append(run)
    self.init(height: height, width: width, unchecked: counts)
  }

  /// One flag for each pixel, row-major, true on the object.
  public var flags: [Bool] {
    var flags = [Bool](repeating: false, count: height * width)
    forEachRun { start, length in
      var (column, row) = start.quotientAndRemainder(dividingBy: height)
      for _ in 0..<length {
        flags[row * width + column] = true
        row += 1
        if row == height { (column, row) = (column + 1, 0) }
      }
    }
    return flags
  }

  /// Pixels of the object.
  public var area: Int {
    var area = 0
    forEachRun { area += $1 }
    return area
  }

  /// The smallest box around the object, in whole pixels; all zero if there is none.
  public var boundingBox: BoundingBox {
    var (left, right, top, bottom) = (width, -1, height, -1)
    forEachRun { start, length in
      let end = start + length - 1
      left = min(left, start / height)
      right = max(right, end / height)
      if start / height < end / height {  // it goes through the edge between two columns
        (top, bottom) = (0, height - 1)
      } else {
        top = min(top, start % height)
        bottom = max(bottom, end % height)
      }
    }
    guard right >= 0 else { return BoundingBox(x: 0, y: 0, width: 0, height: 0) }
    return BoundingBox(x: Double(left), y: Double(top), width: Double(right - left + 1), height: Double(bottom - top + 1))
  }

  /// Calls `body` with the place, counted column by column, and the length of each run of the object.
  func forEachRun(_ body: (_ start: Int, _ length: Int) -> Void) {
    var place = 0
    for (index, count) in counts.enumerated() {
      if index % 2 == 1 && count > 0 { body(place, Int(count)) }
      place += Int(count)
    }
  }

  // MARK: Failures

  /// - Throws: `.badData` if a side is not positive, or there are more than 2³⁰ pixels.
  static func pixelCount(_ height: Int, _ width: Int) throws -> Int {
    let (pixels, overflows) = height.multipliedReportingOverflow(by: width)
    guard height > 0, width > 0, !overflows, pixels <= 1 << 30 else { throw damage("a mask of \(height) x \(width) pixels") }
    return pixels
  }

  /// The failure of a mask that is none; whoever knows the file names it.
  static func damage(_ problem: String) -> Failure { Failure(.badData, at: "", problem) }
}
