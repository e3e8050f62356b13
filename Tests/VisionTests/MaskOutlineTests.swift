import Base
import Testing
import Vision

@Suite struct MaskOutlineTests {
  private func mask(_ rows: String...) -> RunLengthMask {
    RunLengthMask(height: rows.count, width: rows[0].count, flags: rows.flatMap { $0.map { $0 == "#" } })
  }

  @Test func aPixelIsASquareAndARectangleHasFourCorners() {
    #expect(mask("...", ".#.", "...").polygons == [[1, 1, 2, 1, 2, 2, 1, 2]])
    #expect(mask("####", "####").polygons == [[0, 0, 4, 0, 4, 2, 0, 2]], "the whole image")
    #expect(mask("...").polygons.isEmpty)
  }

  @Test func partsThatTouchAtACornerAreApart() {
    #expect(mask("#.", ".#").polygons == [[0, 0, 1, 0, 1, 1, 0, 1], [1, 1, 2, 1, 2, 2, 1, 2]])
  }

  @Test func aHoleHangsOnACut() throws {
    let ring = mask("###", "#.#", "###")
    // Around, in at the corner nearest to the hole, around the hole the other way, and back.
    #expect(ring.polygons.count == 1 && ring.polygons[0].count == 2 * (4 + 4 + 2))
    #expect(try RunLengthMask(polygons: ring.polygons, height: 3, width: 3) == ring)
  }

  /// Rasterised again, polygons give the mask back, whatever its parts, holes, islands in holes and corners that touch.
  @Test func polygonsGiveTheMaskBack() throws {
    var random = Random(seed: 1, stream: .test)
    for trial in 0..<200 {
      let height = random.integer(in: 1..<14)
      let width = random.integer(in: 1..<14)
      let share = random.uniform(0.05, 0.95)
      let mask = RunLengthMask(height: height, width: width, flags: (0..<height * width).map { _ in random.chance(share) })
      guard mask.area > 0 else { continue }
      let back = try RunLengthMask(polygons: mask.polygons, height: height, width: width)
      #expect(back == mask, "trial \(trial)")
    }
  }
}
