import Testing
import Vision

@Suite struct DrawingTests {
  private func color(_ image: Image, _ y: Int, _ x: Int) -> RGB {
    let at = 3 * (y * image.width + x)
    return RGB(image.pixels[at], image.pixels[at + 1], image.pixels[at + 2])
  }

  @Test func blitIsClippedOnAllSides() {
    let stamp = Image(height: 3, width: 3, color: RGB(9, 8, 7))
    for (top, left, covered) in [(-2, -2, 1), (-1, 1, 6), (3, 3, 1), (1, -1, 6), (9, 0, 0), (0, -9, 0), (0, 9, 0)] {
      var picture = Image(height: 4, width: 4, color: .white)
      picture.blit(stamp, top: top, left: left)
      let count = (0..<16).count { color(picture, $0 / 4, $0 % 4) == RGB(9, 8, 7) }
      #expect(count == covered, "at (\(top), \(left))")
    }
  }

  @Test func greyIsBlittedAsRGB() {
    var picture = Image(height: 1, width: 2, color: .black)
    picture.blit(Image(height: 1, width: 1, channels: 1, pixels: [77]), top: 0, left: 1)
    #expect(picture.pixels == [0, 0, 0, 77, 77, 77])
  }

  @Test func textPutsTheDotsOfItsGlyphs() {
    var picture = Image(height: 12, width: 20, color: .white)
    picture.write("1T", top: 1, left: 2, .black)
    let rows = (0..<9).map { row in (0..<11).map { color(picture, 1 + row, 2 + $0) == .black ? "#" : "." }.joined() }
    #expect(rows == [
      "..#...#####",
      ".##.....#..",
      "..#.....#..",
      "..#.....#..",
      "..#.....#..",
      "..#.....#..",
      ".###....#..",
      "...........",
      "...........",
    ])
    #expect(BitmapFont.width(of: "1T") == 11)
    #expect(BitmapFont.width(of: "", scale: 3) == 0)
  }

  @Test func everyPrintableCharacterHasItsOwnGlyph() {
    let glyphs = (32..<127).map { BitmapFont.rows(of: Character(UnicodeScalar(UInt8($0)))) }
    #expect(Set(glyphs).count == 95, "no two characters look alike")
    #expect(glyphs.allSatisfy { $0.count == BitmapFont.glyphHeight && $0.allSatisfy { $0 < 32 } })
    #expect(BitmapFont.rows(of: "é") == BitmapFont.rows(of: "→"), "what is not in the font is a box")
  }

  @Test func lineReachesBothEndsAndNothingElse() {
    var picture = Image(height: 9, width: 9, color: .white)
    picture.line(from: SIMD2(1, 4), to: SIMD2(7, 4), .black)
    for x in 0..<9 {
      #expect((color(picture, 4, x) == .black) == (1...7).contains(x), "column \(x)")
      #expect(color(picture, 2, x) == .white && color(picture, 6, x) == .white)
    }
    picture.line(from: SIMD2(.nan, 0), to: SIMD2(3, 3), .black)  // must not trap
    picture.line(from: SIMD2(-5000, -5000), to: SIMD2(5000, 5000), .black)
    #expect(color(picture, 8, 0) == .white)
  }

  @Test func gridPlacesTilesUnderCaptions() {
    let red = Image(height: 10, width: 30, color: RGB(255, 0, 0)), blue = Image(height: 4, width: 8, color: RGB(0, 0, 255))
    let grid = Image.grid([.init("a", red), .init("b", blue), .init("c", blue)], columns: 2, gap: 5)
    let caption = BitmapFont.lineHeight + 3
    #expect(grid.width == 5 + 30 + 5 + 8 + 5)
    #expect(grid.height == 5 + caption + 10 + 5 + caption + 4 + 5)
    #expect(color(grid, 5 + caption, 5) == RGB(255, 0, 0))
    #expect(color(grid, 5 + caption, 40) == RGB(0, 0, 255))
    #expect(color(grid, grid.height - 6, 5) == RGB(0, 0, 255))
  }
}

@Suite struct LinePlotTests {
  @Test func ticksAreRoundAndCoverTheValues() {
    let axis = LinePlot.Axis(values: [0.13, 8.7], ticks: 5)
    #expect(axis.labels == ["0", "2", "4", "6", "8", "10"])
    let small = LinePlot.Axis(values: [0.0007, 0.0012, 0], ticks: 4)
    #expect(small.low == 0 && small.high >= 0.0012)
    #expect(small.labels.contains("0.0005") && Set(small.labels).count == small.labels.count)
    let large = LinePlot.Axis(values: [0, 100_000], ticks: 5)
    #expect(large.labels.last == "100k")
    let constant = LinePlot.Axis(values: [3, 3], ticks: 4)
    #expect(constant.low < 3 && constant.high > 3)
    #expect(LinePlot.Axis(values: [], ticks: 4).high > 0)
    #expect(abs(axis.share(5) - 0.5) < 1e-12)
  }

  @Test func drawsEachSeriesInItsColourAndSkipsNaN() {
    let points = (0..<50).map { SIMD2(Double($0), Double($0) / 5) }
    var plot = LinePlot(title: "t", xLabel: "step", yLabel: "EPE, px", series: [.init(name: "a", points: points)])
    let one = plot.image(height: 200, width: 300)
    #expect(one.height == 200 && one.width == 300)
    plot.series.append(.init(name: "b", points: [SIMD2(0, 9), SIMD2(20, .nan), SIMD2(49, 1)]))
    let two = plot.image(height: 200, width: 300)
    func count(_ image: Image, _ color: RGB) -> Int {
      (0..<image.height * image.width).count { image.pixels[3 * $0] == color.x && image.pixels[3 * $0 + 1] == color.y }
    }
    #expect(count(one, RGB(0, 114, 178)) > 100)
    #expect(count(one, RGB(213, 94, 0)) == 0)
    // Two marks and the legend's stroke, but no line across the gap.
    #expect((10..<100).contains(count(two, RGB(213, 94, 0))))
  }

  @Test func anEmptyPlotIsStillAPicture() {
    #expect(LinePlot(title: "", xLabel: "", yLabel: "").image().width == 520)
  }
}
