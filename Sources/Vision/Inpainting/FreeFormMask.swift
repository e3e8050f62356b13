import Base
import Foundation

/// A sampler of free-form masks: rectangles, and brush strokes of many vertices.
///
/// ```swift
/// let mask = try FreeFormMask(.large512)(height: 512, width: 512, random: &random)
/// ```
/// A mask is drawn again until the share of its hole lies strictly within `holeRange`:
/// 1. fewer than `halfRectangles` rectangles with sides below half of the picture's, and fewer than `fullRectangles` with sides below the
///    picture's; up to a half of one may lie outside;
/// 2. fewer than `strokes` brush strokes: polylines of `vertices` segments that turn to and fro by about 2π/5, a segment as long as an
///    eighth of the diagonal on average, with discs at the vertices; together they are mirrored along each axis with probability 1/2.
///
/// Bounds of integers are exclusive, as drawn by the authors: `strokes: 9` draws 0 to 8. All counts are multiplied by the sum of
/// `holeRange`, at most 1, and rounded down.
/// - Source: Li et al., "MAT", CVPR 2022, and its published sampler; after Zhao et al., "CoModGAN", ICLR 2021. Borders of strokes are the
///   exact ones of their shape, so that single pixels differ from those that Pillow draws.
public struct FreeFormMask: Codable, Sendable, Equatable, ValidatedConfig, ConfigPreset {
  /// Published settings. Those of 256 pixels are meant for pictures of that size.
  public enum Preset: String, ConfigChoice {
    /// Training, and the test with large holes.
    case large512 = "large_512"
    case large256 = "large_256"
    /// The test with small holes.
    case small512 = "small_512"
    case small256 = "small_256"
    /// CoModGAN's own.
    case comodgan
  }

  public var preset = Preset.large512
  /// Rectangles with sides of at most half of the picture's: fewer than this.
  public var halfRectangles = 5
  /// Rectangles of any size: fewer than this.
  public var fullRectangles = 3
  /// Brush strokes: fewer than this.
  public var strokes = 9
  /// Segments of a stroke: from the first number to below the second.
  public var vertices = [4, 18]
  /// Width of a stroke in pixels, from the first to the second, rounded down.
  public var strokeWidth = [12.0, 48.0]
  /// The share of the hole lies between these two, which it does not reach.
  public var holeRange = [0.0, 1.0]

  /// Masks drawn in vain before the sampler gives up.
  static let mostAttempts = 1000
  /// The smallest side of a picture, px.
  public static let leastSide = 8

  public init(_ preset: Preset = .large512) {
    self.preset = preset
    (halfRectangles, fullRectangles, strokes) = switch preset {
    case .large512: (5, 3, 9)
    case .large256: (4, 2, 8)
    case .small512: (3, 2, 4)
    case .small256: (2, 2, 3)
    case .comodgan: (10, 5, 20)
    }
  }

  public static func defaults(for section: ConfigSection) -> FreeFormMask {
    FreeFormMask(section.text("preset").flatMap(Preset.named) ?? .large512)
  }

  /// The same shapes in pictures of other sizes: strokes as wide in proportion, 1 px at least. All else follows the picture.
  public func scaled(by factor: Double) -> FreeFormMask {
    var settings = self
    settings.strokeWidth = strokeWidth.map { max($0 * factor, 1) }
    return settings
  }

  /// Counts after the factor of the hole range.
  private var counts: (half: Int, full: Int, strokes: Int) {
    let factor = min(holeRange.reduce(0, +), 1)
    func scaled(_ count: Int) -> Int { Int(Double(count) * factor) }
    return (scaled(halfRectangles), scaled(fullRectangles), scaled(strokes))
  }

  public func problems() -> [ConfigProblem] {
    var problems: [ConfigProblem] = []
    for (key, count) in [("half_rectangles", halfRectangles), ("full_rectangles", fullRectangles), ("strokes", strokes)] {
      problems.require((0...1000).contains(count), key, count, "0 to 1000")
    }
    problems.require(vertices.count == 2 && vertices[0] >= 1 && vertices[0] < vertices[1] && vertices[1] <= 1000, "vertices", vertices,
                     "two numbers, the first 1 or more and below the second, which is at most 1000")
    problems.require(
      strokeWidth.count == 2 && strokeWidth[0] >= 1 && strokeWidth[0] <= strokeWidth[1] && strokeWidth[1] <= 4096, "stroke_width",
      strokeWidth, "two numbers of pixels, 1 to 4096, the second not below the first")
    let isRange = holeRange.count == 2 && holeRange[0] >= 0 && holeRange[0] < holeRange[1] && holeRange[1] <= 1
    problems.require(isRange, "hole_range", holeRange, "two shares, 0 to 1, the first below the second")
    // Fewer than one is none.
    let draws = max(counts.half, counts.full, counts.strokes) > 1
    problems.require(!isRange || draws, "hole_range", holeRange,
                     "a range whose sum, which multiplies the counts of shapes, leaves something to draw; or higher counts")
    return problems
  }

  /// Draws a mask.
  /// - Throws: `.usage` if no mask of a thousand has a hole within the range.
  /// - Precondition: the sides are at least `leastSide`.
  public func callAsFunction(height: Int, width: Int, random: inout Random) throws -> InpaintingMask {
    require(min(height, width) >= Self.leastSide, "FreeFormMask: \(height)x\(width), expected at least \(Self.leastSide) px each way")
    var shares: [Double] = []
    for _ in 0..<Self.mostAttempts {
      let canvas = drawn(height: height, width: width, &random)
      let share = Double(canvas.count) / Double(height * width)
      if share > holeRange[0], share < holeRange[1] { return canvas.mask }
      shares.append(share)
    }
    func percent(_ share: Double?) -> String { String(format: "%.1f %%", 100 * (share ?? 0)) }
    throw Failure(
      .usage, at: "hole_range",
      "no mask of \(width)x\(height) among \(Self.mostAttempts) has a hole between \(percent(holeRange[0])) and \(percent(holeRange[1])): "
        + "theirs are \(percent(shares.min())) to \(percent(shares.max()))",
      remedy: "Widen hole_range, or change half_rectangles, full_rectangles, strokes or stroke_width.")
  }

  /// The share of the hole of one mask, without the mask; for statistics.
  package func holeShare(height: Int, width: Int, random: inout Random) -> Double {
    Double(drawn(height: height, width: width, &random).count) / Double(height * width)
  }

  private func drawn(height: Int, width: Int, _ random: inout Random) -> HoleCanvas {
    let counts = counts
    var canvas = HoleCanvas(height: height, width: width)
    for (count, largest) in [(counts.half, (height / 2, width / 2)), (counts.full, (height, width))] {
      for _ in 0..<Self.below(count, &random) { Self.fillRectangle(&canvas, largest, &random) }
    }
    var strokes = HoleCanvas(height: height, width: width)
    for _ in 0..<Self.below(counts.strokes, &random) { fillStroke(&strokes, &random) }
    let (isUpsideDown, isMirrored) = (random.chance(0.5), random.chance(0.5))
    canvas.unite(strokes, isUpsideDown: isUpsideDown, isMirrored: isMirrored)
    return canvas
  }

  /// A number from 0 to below `count`; 0 where there is none.
  private static func below(_ count: Int, _ random: inout Random) -> Int { count > 1 ? random.integer(in: 0..<count) : 0 }

  private static func fillRectangle(_ canvas: inout HoleCanvas, _ largest: (height: Int, width: Int), _ random: inout Random) {
    let (w, h) = (random.integer(in: 0..<largest.width), random.integer(in: 0..<largest.height))
    let x = random.integer(in: -(w / 2)..<canvas.width - w + w / 2)
    let y = random.integer(in: -(h / 2)..<canvas.height - h + h / 2)
    for row in max(y, 0)..<max(min(y + h, canvas.height), max(y, 0)) { canvas.fill(row: row, from: x, to: x + w - 1) }
  }

  private func fillStroke(_ canvas: inout HoleCanvas, _ random: inout Random) {
    let (w, h) = (Double(canvas.width), Double(canvas.height))
    let reach = (w * w + h * h).squareRoot() / 8
    let count = random.integer(in: vertices[0]..<vertices[1])
    let least = 2 * Double.pi / 5 - random.uniform(0, 2 * .pi / 15)
    let most = 2 * Double.pi / 5 + random.uniform(0, 2 * .pi / 15)
    var points = [(x: random.integer(in: 0..<canvas.width), y: random.integer(in: 0..<canvas.height))]
    for index in 0..<count {
      let turn = random.uniform(least, most)
      let angle = index % 2 == 0 ? 2 * .pi - turn : turn
      let length = min(max(reach + (reach / 2).rounded(.down) * random.normal(), 0), 2 * reach)
      let last = points[index]
      points.append((Int(min(max(Double(last.x) + length * cos(angle), 0), w)), Int(min(max(Double(last.y) + length * sin(angle), 0), h))))
    }
    let thickness = Int(random.uniform(strokeWidth[0], strokeWidth[1]))
    for (a, b) in zip(points, points.dropFirst()) { canvas.fillSegment(from: a, to: b, thickness: thickness) }
    for point in points { canvas.fillDisc(at: point, radius: thickness / 2) }
  }
}
