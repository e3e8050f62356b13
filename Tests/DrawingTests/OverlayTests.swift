import Drawing
import Testing
import Vision

@Suite struct OverlayTests {
  private let grey = Image(height: 60, width: 100, color: RGB(100, 100, 100))

  @Test func boxesHaveTheirColourAndTheirLabelStaysOnThePicture() throws {
    let boxes = [
      LabeledBox(Rectangle(left: 20, top: 30, width: 40, height: 20), label: "car 0.9", color: Color(255, 0, 0)),
      LabeledBox(Rectangle(left: 80, top: 0, width: 30, height: 59), label: "bus", color: Color(0, 0, 255)),
    ]
    let rendered = try RenderedFigure(AnnotatedPicture(grey, boxes: boxes))
    #expect(rendered.image.width == 100 && rendered.image.height == 60)
    #expect(rendered.pixel(20, 45) == RGB(255, 0, 0) && rendered.pixel(40, 50) == RGB(255, 0, 0))
    #expect(rendered.pixel(40, 40) == RGB(100, 100, 100), "nothing inside")
    for box in rendered.texts.map(\.box) { #expect(box.left >= 0 && box.right <= 100 && box.top >= 0 && box.bottom <= 60) }
    #expect(rendered.texts.map(\.text) == ["car 0.9", "bus"])
  }

  @Test func labelsOfNeighboursAreSetApart() throws {
    let boxes = (0..<3).map { index in
      LabeledBox(Rectangle(left: 10 + Double(index), top: 60, width: 120, height: 60), label: "person \(index)", color: .white)
    }
    let picture = Image(height: 200, width: 200, color: .black)
    let rendered = try RenderedFigure(AnnotatedPicture(picture, boxes: boxes))
    let places = rendered.texts.map(\.box)
    for a in 0..<3 {
      for b in 0..<a { #expect(!places[a].overlaps(places[b])) }
    }
  }

  @Test func annotationsFollowAnEnlargedPicture() throws {
    let box = LabeledBox(Rectangle(left: 20, top: 30, width: 40, height: 20), color: Color(255, 0, 0))
    let rendered = try RenderedFigure(AnnotatedPicture(grey, boxes: [box], width: 300))
    #expect(rendered.image.width == 300 && rendered.image.height == 180)
    #expect(rendered.pixel(60, 120) == RGB(255, 0, 0) && rendered.pixel(20, 40) == RGB(100, 100, 100))
  }

  @Test func skeletonsLeaveOutWhatIsNotSeen() throws {
    let red = Color(255, 0, 0)
    let blue = Color(0, 0, 255)
    let joints = [Point(10, 10), Point(50, 10), nil, Point(50, 50)]
    let skeleton = PicturedSkeleton(joints: joints, limbs: [.init(0, 1, red), .init(1, 2, blue), .init(3, 9, blue)])
    let rendered = try RenderedFigure(AnnotatedPicture(grey, skeletons: [skeleton]))
    #expect(rendered.pixel(30, 10) == RGB(255, 0, 0))
    #expect(rendered.count(RGB(0, 0, 255)) == 0)
    for joint in [(10, 10), (50, 10), (50, 50)] { #expect(rendered.pixel(joint.0, joint.1) == .white) }
  }

  @Test func labelsCoverThePictureByTheirOpacity() throws {
    var labels = [Int](repeating: 255, count: 6000)
    for pixel in 0..<3000 { labels[pixel] = 1 }
    let classes = [LabelOverlay.Class("road", Color(0, 0, 0)), .init("sky", Color(200, 200, 0)), .init("car", Color(9, 9, 9))]
    let overlay = LabelOverlay(grey, labels: labels, classes: classes, opacity: 0.5)
    #expect(overlay.overlaid[rgb: 0] == RGB(150, 150, 50))
    #expect(overlay.overlaid[rgb: 5999] == RGB(100, 100, 100), "what is to be ignored stays")
    let rendered = try RenderedFigure(overlay)
    #expect(rendered.texts.map(\.text) == ["sky"], "the legend names what occurs")
    #expect(rendered.count(RGB(200, 200, 0)) > 80, "and shows its colour")
  }

  @Test func heatmapsRunFromTheLeastToTheLargestValue() throws {
    let values: [Float] = (0..<6000).map { Float($0 % 100) }
    let map = Heatmap(values, height: 60, width: 100, label: "score")
    #expect(map.range == 0...99)
    #expect(map.colors[rgb: 0] == ColorMap.ember.color(at: 0) && map.colors[rgb: 99] == ColorMap.ember.color(at: 1))
    let unknown = Heatmap([.nan, 1, 2, .infinity], height: 2, width: 2, label: "")
    #expect(unknown.range == 1...2 && unknown.colors[rgb: 0] == .midGrey && unknown.colors[rgb: 3] == .midGrey)
    let over = Heatmap([.nan, 1, 2, 1.5], height: 2, width: 2, label: "", over: Image(height: 2, width: 2, color: RGB(10, 20, 30)))
    #expect(over.colors[rgb: 0] == RGB(10, 20, 30), "the picture is seen where nothing is known")
    let flat = Heatmap([3, 3], height: 1, width: 2, label: "")
    #expect(flat.colors[rgb: 0] == ColorMap.ember.color(at: 0))
    _ = try flat.image()
  }

  @Test func gridPlacesFiguresUnderCaptions() throws {
    let red = ImageFigure(Image(height: 10, width: 130, color: RGB(255, 0, 0)))
    let blue = ImageFigure(Image(height: 4, width: 108, color: RGB(0, 0, 255)))
    let grid = FigureGrid([.init("first", red), .init("second", note: "4 px", blue), .init("third", blue)], columns: 2)
    let rendered = try RenderedFigure(grid)
    rendered.checkTexts()
    #expect(rendered.image.width == 10 + 130 + 10 + 108 + 10)
    #expect(rendered.count(RGB(255, 0, 0)) == 1300 && rendered.count(RGB(0, 0, 255)) == 2 * 432)
    let first = try #require(rendered.boxes(of: "first").first)
    let third = try #require(rendered.boxes(of: "third").first)
    #expect(first.left == third.left && third.top > first.bottom + 10)
    #expect(rendered.pixel(12, Int(first.bottom) + 9) == RGB(255, 0, 0))
    #expect(try FigureGrid([], columns: 3).image().width > 0)
  }

  @Test func longCaptionsAreCutToTheirColumn() throws {
    let picture = ImageFigure(Image(height: 10, width: 40, color: .black))
    let grid = FigureGrid([.init("a caption that is far longer than its picture is wide", picture), .init("b", picture)], columns: 2)
    let rendered = try RenderedFigure(grid)
    rendered.checkTexts()
    #expect(rendered.texts.contains { $0.text.hasPrefix("a caption") && $0.text.hasSuffix("…") })
    #expect(rendered.image.width == 10 + 180 + 10 + 40 + 10)
  }
}
