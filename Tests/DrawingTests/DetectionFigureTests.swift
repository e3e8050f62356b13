import Drawing
import Testing
import Vision

@Suite struct DetectionFigureTests {
  private let grey = Image(height: 60, width: 100, color: RGB(100, 100, 100))

  private func square(_ left: Int, _ top: Int, _ side: Int, hole: Int = 0) -> RunLengthMask {
    RunLengthMask(height: 60, width: 100, flags: (0..<6000).map { pixel in
      let x = pixel % 100 - left
      let y = pixel / 100 - top
      let rim = (side - hole) / 2
      let isHole = x >= rim && x < rim + hole && y >= rim && y < rim + hole
      return (0..<side).contains(x) && (0..<side).contains(y) && !isHole
    })
  }

  @Test func masksCoverTheirPixelsAndLeaveHolesFree() throws {
    let mask = square(20, 10, 40, hole: 20)
    let picture = AnnotatedPicture(grey, masks: [ColoredMask(mask, color: Color(255, 0, 0), opacity: 0.5)])
    let rendered = try RenderedFigure(picture)
    #expect(rendered.pixel(25, 15) == RGB(178, 50, 50) || rendered.pixel(25, 15) == RGB(177, 50, 50))
    #expect(rendered.pixel(40, 30) == RGB(100, 100, 100), "the hole")
    #expect(rendered.pixel(5, 5) == RGB(100, 100, 100))
    // The cut to the hole is not drawn: along a line below the upper edge the colour is one.
    let row = (24..<56).map { rendered.pixel($0, 14) }
    #expect(Set(row.map { $0.x / 2 }).count <= 2)
  }

  @Test func theBestObjectLiesOnTopAndTruthsAreDashed() throws {
    let box = BoundingBox(x: 20, y: 20, width: 40, height: 30)
    let objects = [
      PicturedObject("ring", category: 1, score: 0.9, box: box), PicturedObject("disc", category: 0, score: 0.4, box: box),
    ]
    let truths = [PicturedObject("disc", category: 2, box: box)]
    let rendered = try RenderedFigure(AnnotatedPicture(grey, objects: objects, truths: truths, width: grey.width))
    #expect(rendered.texts.map(\.text) == ["disc 40 %", "ring 90 %"])
    #expect(rendered.pixel(20, 45) == Palette.color(1).rgb)
  }

  @Test func panopticSegmentsOfACategoryDifferInShade() throws {
    let first = square(0, 0, 30)
    let second = square(30, 0, 30)
    let numbers = zip(first.flags, second.flags).map { $0 ? UInt32(5) : $1 ? 6 : PanopticMap.void }
    let figure = PanopticPicture(
      grey, map: PanopticMap(height: 60, width: 100, segments: numbers),
      segments: [PanopticSegment(id: 5, category: 9), PanopticSegment(id: 6, category: 9)], categories: [.init(id: 9, name: "cup")])
    let rendered = try RenderedFigure(figure)
    #expect(rendered.pixel(3, 25) != rendered.pixel(56, 25))
    #expect(rendered.pixel(80, 50) == RGB(100, 100, 100), "void shows the picture")
    #expect(rendered.boxes(of: "cup").count == 3, "on both segments and in the legend")
  }

  @Test func curvesEndWithTheirRecall() throws {
    var score = AveragePrecision(categories: [3, 4], settings: .detection)
    let box = BoundingBox(x: 0, y: 0, width: 20, height: 20)
    // One of two objects is found.
    for image in 0..<2 {
      score.add(image: image, truths: [.init(category: 3, area: 400)], boxes: [box],
                detections: image == 0 ? [.init(category: 3, score: 0.9, area: 400)] : [], boxes: image == 0 ? [box] : [])
    }
    let rendered = try RenderedFigure(PrecisionRecallFigure(score.result(), names: [3: "star"], width: 800))
    #expect(rendered.boxes(of: "star 50").count == 2, "at both thresholds; a class without objects has no curve")
    let empty = try RenderedFigure(PrecisionRecallFigure(AveragePrecision(categories: [1], settings: .detection).result()))
    #expect(empty.boxes(of: "no data").count == 2)
  }

  @Test func confusionIsColouredByRow() throws {
    let figure = ConfusionFigure([8, 0, 2, 0, 0, 0, 0, 5, 0], names: ["cat", "dog"], width: 400)
    let rendered = try RenderedFigure(figure)
    #expect(rendered.texts.filter { ["8", "2", "5"].contains($0.text) }.count == 3)
    #expect(!rendered.texts.contains { $0.text == "0" && $0.box.top < 100 }, "no zeros in the cells")
  }

  @Test func theSharesOfKeptQueriesAreOverAllObjects() {
    let figure = MatchingFigure(
      [.init(step: 0, queries: [1, 2, nil, 4]), .init(step: 10, queries: [1, 3, nil, 4]), .init(step: 20, queries: [1, 3, 2, 4])],
      objects: ["a", "b", "c", "d"])
    #expect(figure.keptShare(at: 1) == 0.5 && figure.keptShare(at: 2) == 0.75)
  }

  @Test func emptyFiguresAreDrawn() throws {
    #expect(try AttentionFigure(grey, maps: []).image().width > 0)
    #expect(try MatchingFigure([], objects: []).image().width > 0)
    #expect(try ConfusionFigure([0], names: []).image().width > 0)
    let map = PanopticMap(height: 60, width: 100, segments: Array(repeating: PanopticMap.void, count: 6000))
    #expect(try PanopticPicture(grey, map: map, segments: [], categories: []).image().width == 100)
  }
}
