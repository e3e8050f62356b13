import Drawing
import Testing
import Vision

@Suite struct PoseFigureTests {
  private let grey = Image(height: 60, width: 100, color: RGB(100, 100, 100))
  private let skeleton = Skeleton(
    names: ["nose", "left_hand", "right_hand"], flipPairs: [.init(1, 2)], limbs: [.init(0, 1), .init(0, 2), .init(1, 2)])

  @Test func limbsHaveTheColourOfTheirSide() throws {
    let body = PicturedBody(keypoints: [SIMD2(50, 10), SIMD2(90, 50), SIMD2(10, 50)])
    let rendered = try RenderedFigure(AnnotatedPicture(grey, bodies: [body], skeleton))
    #expect(rendered.pixel(70, 30) == Palette.color(0).rgb, "left")
    #expect(rendered.pixel(30, 30) == Palette.color(1).rgb, "right")
    #expect(rendered.pixel(50, 50) == Palette.color(2).rgb, "between both")
  }

  @Test func uncertainAndUnlabelledKeypointsAreNotDrawn() throws {
    let found = [SIMD2(50.0, 10), SIMD2(90, 50), SIMD2(10, 50)].enumerated().map { ScoredKeypoint($1, score: $0 == 1 ? 0.1 : 0.9) }
    let rendered = try RenderedFigure(AnnotatedPicture(grey, bodies: [PicturedBody(found, atLeast: 0.2)], skeleton))
    #expect(rendered.pixel(70, 30) == RGB(100, 100, 100) && rendered.pixel(30, 30) == Palette.color(1).rgb)
    let truth = PicturedBody([Keypoint(x: 50, y: 10, visibility: .visible), .unlabeled, Keypoint(x: 10, y: 50, visibility: .hidden)])
    let drawn = try RenderedFigure(AnnotatedPicture(grey, bodies: [], truths: [truth], skeleton))
    #expect(drawn.pixel(30, 30) == RGB(150, 150, 150) && drawn.pixel(70, 30) == RGB(100, 100, 100))
  }

  @Test func theSheetNamesEachKeypointAndItsPeak() throws {
    var maps = Heatmaps(height: 15, width: 25, count: 3, values: Array(repeating: 0, count: 15 * 25 * 3))
    maps.values[(5 * 25 + 10) * 3] = 0.83
    let sheet = HeatmapSheet(grey, maps, skeleton, truth: [Keypoint(x: 40, y: 20, visibility: .visible), .unlabeled, .unlabeled], title: "a body")
    let rendered = try RenderedFigure(sheet)
    #expect(rendered.texts.map(\.text) == ["a body", "nose", "peak 83 %", "left_hand", "peak 0 %", "right_hand", "peak 0 %"])
  }
}
