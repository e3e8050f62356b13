import Base
import Drawing
import Testing
import Vision

/// Draws with a closure, for tests of the canvas itself.
struct Sketch: Figure {
  var width = 60.0
  var height = 40.0
  let strokes: @Sendable (Canvas) -> Void

  func size(_ typeface: Typeface) -> Size { Size(width: width, height: height) }

  func draw(on canvas: Canvas) { strokes(canvas) }
}

@Suite struct CanvasTests {
  private func rendered(width: Double = 60, height: Double = 40, _ strokes: @escaping @Sendable (Canvas) -> Void) throws -> RenderedFigure {
    try RenderedFigure(Sketch(width: width, height: height, strokes: strokes))
  }

  @Test func filledRectanglesCoverTheirPixelsAndNoOthers() throws {
    let red = RGB(200, 10, 20)
    let picture = try rendered { $0.fill(Rectangle(left: 5, top: 10, width: 20, height: 8), Color(red)) }
    #expect(picture.count(red) == 160)
    #expect(picture.count(red, in: Rectangle(left: 5, top: 10, width: 20, height: 8)) == 160)
    #expect(picture.count(.white) == 60 * 40 - 160)
  }

  @Test func opacityMixes() throws {
    let picture = try rendered { $0.fill(Rectangle(left: 0, top: 0, width: 60, height: 40), Color(.black, opacity: 0.25)) }
    #expect(abs(Int(picture.pixel(9, 9).x) - 191) <= 1)
  }

  @Test func linesRunThroughTheirPointsAndBreakWhereAPointIsMissing() throws {
    let picture = try rendered { canvas in
      canvas.polyline([Point(5, 10.5), Point(20, 10.5), Point(.nan, 3), Point(40, 10.5), Point(55, 10.5)], Stroke(.black))
    }
    #expect(picture.pixel(10, 10) == .black && picture.pixel(50, 10) == .black)
    #expect(picture.pixel(30, 10) == .white, "the gap")
    #expect(picture.pixel(10, 8) == .white && picture.pixel(10, 12) == .white)
    let dashed = try rendered { $0.line(from: Point(0, 10.5), to: Point(60, 10.5), Stroke(.black, width: 1, dash: [6, 4])) }
    #expect(dashed.count(.black) == 36 && dashed.pixel(2, 10) == .black && dashed.pixel(8, 10) == .white)
  }

  @Test func circlesAndPolygonsHaveTheirArea() throws {
    let picture = try rendered { $0.circle(center: Point(30, 20), radius: 10, fill: .black) }
    #expect(abs(picture.count(.black) - 290) < 30, "π · 10² = 314, less the grey edge")
    #expect(picture.pixel(30, 20) == .black && picture.pixel(30, 8) == .white)
    let ring = try rendered { $0.circle(center: Point(30, 20), radius: 10, stroke: Stroke(.black, width: 2)) }
    #expect(ring.pixel(30, 20) == .white && ring.pixel(30, 10) == .black)
    let triangle = try rendered { $0.polygon([Point(0, 0), Point(40, 0), Point(0, 40)], .black) }
    #expect(triangle.pixel(5, 5) == .black && triangle.pixel(38, 38) == .white)
    let nothing = try rendered { canvas in
      canvas.circle(center: Point(.nan, 0), radius: 3, fill: .black)
      canvas.circle(center: Point(5, 5), radius: -1, fill: .black)
      canvas.polygon([Point(0, 0), Point(.infinity, 0), Point(0, 9)], .black)
    }
    #expect(nothing.count(.white) == 2400)
  }

  @Test func clippingAndTranslationEndWithTheirBlock() throws {
    let picture = try rendered { canvas in
      canvas.clipped(to: Rectangle(left: 0, top: 0, width: 10, height: 40)) {
        canvas.fill(Rectangle(left: 0, top: 0, width: 60, height: 5), .black)
      }
      canvas.translated(to: Point(20, 20)) { canvas.fill(Rectangle(left: 0, top: 0, width: 2, height: 2), .black) }
      canvas.fill(Rectangle(left: 50, top: 30, width: 2, height: 2), .black)
    }
    #expect(picture.count(.black) == 10 * 5 + 4 + 4)
    #expect(picture.pixel(20, 20) == .black && picture.pixel(50, 30) == .black)
  }

  @Test func imagesAreDrawnPixelForPixelAndClippedAtTheBorder() throws {
    var image = Image(height: 3, width: 2, color: .white)
    for pixel in 0..<6 { image[rgb: pixel] = RGB(UInt8(10 * pixel), UInt8(100 + pixel), UInt8(255 - pixel)) }
    let drawn = image
    let picture = try rendered { canvas in
      canvas.image(drawn, at: Point(7, 9))
      canvas.image(drawn, at: Point(59, 38))
      canvas.image(drawn, at: Point(-1, -2))
      canvas.image(Image(height: 1, width: 1, channels: 1, pixels: [77]), at: Point(30, 30))
      canvas.image(Image(height: 1, width: 1, channels: 4, pixels: [1, 2, 3, 0]), at: Point(31, 30))
      canvas.image(Image(height: 0, width: 0, channels: 3), at: Point(3, 3))
    }
    for pixel in 0..<6 { #expect(picture.pixel(7 + pixel % 2, 9 + pixel / 2) == image[rgb: pixel]) }
    #expect(picture.pixel(59, 38) == image[rgb: 0] && picture.pixel(59, 39) == image[rgb: 2])
    #expect(picture.pixel(0, 0) == image[rgb: 5])
    #expect(picture.pixel(30, 30) == RGB(77, 77, 77), "grey is repeated")
    #expect(picture.pixel(31, 30) == RGB(1, 2, 3), "alpha is dropped")
  }

  @Test func textIsInkWhereItIsSaidToBe() throws {
    let picture = try rendered(width: 200) { $0.text("Hamburg", at: Point(20, 10), TextStyle(size: 16, color: .black)) }
    let box = try #require(picture.boxes(of: "Hamburg").first)
    #expect(box.left == 20 && box.width > 50 && box.width < 90)
    #expect(picture.darkCount(in: box) > 100)
    #expect(picture.darkCount(in: Rectangle(left: 0, top: 0, width: 200, height: 40)) == picture.darkCount(in: box.expanded(by: 1)))
  }

  @Test func textsAreAlignedAndCutToTheirRoom() throws {
    let typeface = Typeface()
    let picture = try rendered(width: 300, height: 80) { canvas in
      canvas.text("right", at: Point(100, 0), alignment: .right)
      canvas.text("middle", at: Point(150, 20), alignment: .center)
      let width = canvas.text("a very long text that has no room", at: Point(10, 40), limit: 100)
      #expect(width <= 100 && width > 80)
      #expect(canvas.text("nothing fits", at: Point(10, 60), limit: 3) == 0)
    }
    let right = try #require(picture.boxes(of: "right").first)
    #expect(abs(right.right - 100) < 0.1)
    let middle = try #require(picture.boxes(of: "middle").first)
    #expect(abs(middle.center.x - 150) < 0.1)
    let cut = try #require(picture.texts.first { $0.text.hasPrefix("a very") })
    #expect(cut.text.hasSuffix("…") && !cut.text.hasSuffix(" …") && cut.box.right <= 110.5)
    #expect(picture.texts.count == 3)
    #expect(typeface.fitted("short", width: 100) == "short")
    #expect(typeface.width(of: "wide", TextStyle(size: 24)) > 1.9 * typeface.width(of: "wide", TextStyle(size: 12)))
    #expect(typeface.width(of: "wide", .caption) > typeface.width(of: "wide", .body), "bold is wider")
  }

  @Test func marksOfXMLAndControlCharactersAreHarmless() throws {
    let picture = try rendered(width: 400) { $0.text("a<b> & \"c\"\u{1B}[31m\nnext", at: Point(5, 5)) }
    #expect(picture.texts.map(\.text) == ["a<b> & \"c\" [31m next"])
  }

  @Test func namesInTheFileAreCountedFromZero() throws {
    for _ in 0..<3 { _ = try FlowLegend(maximum: 1).svg() }
    let file = String(decoding: try FlowLegend(maximum: 1).svg(), as: UTF8.self)
    let names = file.matches(of: #/id="([a-z]+)([0-9]+)/#).map { (String($0.1), Int($0.2) ?? -1) }
    #expect(!names.isEmpty)
    for (word, numbers) in Dictionary(grouping: names, by: { $0.0 }) {
      #expect(numbers.map(\.1) == Array(0..<numbers.count), "\(word)")
    }
    for use in file.matches(of: #/"#([^"]+)"|\(#([^)]+)\)/#) {
      let name = use.1 ?? use.2 ?? ""
      #expect(file.contains("id=\"\(name)\""), "\(name) is used and given")
    }
  }
}

@Suite struct TypefaceTests {
  @Test func theFontOfThePackageIsFound() {
    #expect(Typeface().problem == nil, "fonts-dejavu-core is installed by make deps")
    #expect(Typeface.problem == nil)
    #expect(Typeface.report.hasPrefix("Cairo 1.") && Typeface.report.hasSuffix("DejaVu Sans"))
  }

  @Test func anotherFontInItsPlaceIsSaid() throws {
    let other = Typeface("No Such Family")
    let problem = try #require(other.problem)
    #expect(problem.contains("No Such Family is not installed") && problem.contains(other.family) && problem.contains("fonts-dejavu-core"))
  }

  @Test func withoutAnyFontTextsAreStillReadable() throws {
    let strokes = Typeface("")
    #expect(strokes.problem?.contains("no font is installed") == true)
    #expect(strokes.width(of: "EPE 3.5 px") > 30)
    let sketch = Sketch(width: 200) { $0.text("EPE 3.5 px − 7…", at: Point(5, 5), TextStyle(size: 16, color: .black)) }
    let picture = try sketch.image(typeface: strokes)
    #expect((0..<picture.height * picture.width).count { Color(picture[rgb: $0]).luminance < 0.5 } > 60)
    #expect(String(decoding: try sketch.svg(typeface: strokes), as: UTF8.self).contains(">EPE 3.5 px - 7...<"))
  }

  @Test func whatTheFontLacksBecomesAQuestionMark() throws {
    let picture = try RenderedFigure(Sketch(width: 300) { $0.text("größer µ → 漢字 \u{10FFFF}", at: Point(5, 5)) })
    #expect(picture.texts.map(\.text) == ["größer µ → ?? ?"])
  }
}

@Suite struct ColorTests {
  /// The colour as it is seen without one kind of cones, after Viénot, Brettel and Mollon (1999), in linear light.
  private func seen(_ color: Color, _ red: SIMD3<Double>, _ blue: SIMD3<Double>) -> SIMD3<Double> {
    func linear(_ value: UInt8) -> Double { Color(value, value, value).luminance }
    let light = SIMD3(linear(color.rgb.x), linear(color.rgb.y), linear(color.rgb.z))
    let first = (red * light).sum()
    let last = (blue * light).sum()
    // Back to about equal steps for the eye.
    return SIMD3(first, first, max(0, last)).clamped(lowerBound: .zero, upperBound: SIMD3(repeating: 1)).squareRoot()
  }

  @Test func curvesDifferForEveryKindOfColourVision() {
    let kinds: [(String, SIMD3<Double>, SIMD3<Double>)] = [
      ("protanopia", SIMD3(0.11238, 0.88762, 0), SIMD3(0.00401, -0.00401, 1)),
      ("deuteranopia", SIMD3(0.29275, 0.70725, 0), SIMD3(-0.02234, 0.02234, 1)),
    ]
    for (kind, red, blue) in kinds {
      for a in 0..<6 {
        for b in 0..<a {
          let difference = seen(Palette.color(a), red, blue) - seen(Palette.color(b), red, blue)
          #expect((difference * difference).sum().squareRoot() > 0.1, "\(kind): colours \(a) and \(b)")
        }
      }
    }
  }

  @Test func coloursAreSeenOnWhite() {
    func contrast(_ color: Color) -> Double { 1.05 / (color.luminance + 0.05) }
    #expect(contrast(.ink) > 12 && contrast(.faintInk) > 6)
    for index in 0..<4 { #expect(contrast(Palette.color(index)) > 3, "colour \(index)") }
    for index in 0..<60 { #expect(contrast(Palette.color(index)) > 1.25, "colour \(index)") }
    #expect(Color.white.readableInk == .black && Color.black.readableInk == .white && Palette.color(0).readableInk == .white)
  }

  @Test func manyClassesHaveColoursOfTheirOwn() {
    let colors = (0..<80).map { Palette.color($0).rgb }
    #expect(Set(colors.map { "\($0)" }).count == 80)
  }

  @Test func theRampOfErrorsRisesInLightness() {
    let steps = (0...50).map { Color(ColorMap.ember.color(at: Float($0) / 50)).luminance }
    for (low, high) in zip(steps, steps.dropFirst()) { #expect(high > low) }
    #expect(ColorMap.ember.color(at: -1) == ColorMap.ember.color(at: 0) && ColorMap.ember.color(at: 7) == ColorMap.ember.color(at: 1))
  }
}
