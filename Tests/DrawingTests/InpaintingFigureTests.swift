import Drawing
import Testing
import Vision

@Suite struct InpaintingFigureTests {
  private let blue = Image(height: 32, width: 32, color: RGB(20, 40, 200))
  private let halfKnown = InpaintingMask(height: 4, width: 4, known: (0..<16).map { $0 % 4 < 2 ? 1 : 0 })

  @Test func theInputShowsNothingOfTheHole() {
    let input = halfKnown.applied(to: blue)
    for pixel in 0..<32 * 32 {
      #expect((input[rgb: pixel] == RGB(20, 40, 200)) == (pixel % 32 < 16))
      if pixel % 32 >= 16 { #expect([RGB(205, 205, 205), RGB(160, 160, 160)].contains(input[rgb: pixel])) }
    }
  }

  @Test func aRowHasItsPicturesInOrder() throws {
    let red = Image(height: 32, width: 32, color: RGB(200, 0, 0))
    let green = Image(height: 32, width: 32, color: RGB(0, 200, 0))
    let figure = CompletionFigure([.init(blue, mask: halfKnown, firstStage: red, completions: [green, red], name: "a.png", notes: ["L1 0.1"])], width: 600)
    let rendered = try RenderedFigure(figure)
    #expect(rendered.texts.map(\.text) == ["a.png", "input", "mask", "50 % known", "first stage", "completion 1", "L1 0.1", "completion 2", "truth"])
    let middle = Int(rendered.size.height) - 30
    let seen = stride(from: 60, to: 600, by: 98).map { rendered.pixel($0 - 30, middle) }
    #expect(seen == [RGB(20, 40, 200), .white, RGB(200, 0, 0), RGB(0, 200, 0), RGB(200, 0, 0), RGB(20, 40, 200)])
  }

  @Test func stagesSayTheirSizeAndShare() throws {
    let stages = [MaskStagesFigure.Stage("tran.0", halfKnown), .init("tran.2", InpaintingMask(height: 1, width: 1, isKnown: true))]
    let rendered = try RenderedFigure(MaskStagesFigure(blue, stages: stages, width: 400))
    #expect(rendered.texts.map(\.text) == ["tran.0", "4x4, 50 % known", "tran.2", "1x1, 100 % known"])
    let bottom = Int(rendered.size.height) - 20
    #expect(rendered.pixel(30, bottom) == RGB(20, 40, 200) && rendered.pixel(380, bottom) == RGB(20, 40, 200))
    #expect(rendered.pixel(180, bottom).x > 150, "the hole is tinted")
  }

  @Test func aShiftedWindowGoesOnAtTheOtherSide() throws {
    let mask = InpaintingMask(height: 4, width: 4, isKnown: true)
    // Windows of 2 shifted by 1: the token (0, 3) shares its window with (0, 0), (3, 0) and (3, 3).
    let panel = AttentionWindowFigure.Panel("block", mask: mask, window: 2, shift: 1, query: (0, 3, [1, 1, 1, 1]))
    let rendered = try RenderedFigure(AttentionWindowFigure(blue, panels: [panel], width: 212))
    #expect(rendered.texts.map(\.text).first == "block" && !rendered.boxes(of: "windows of 2, shifted by 1").isEmpty)
    let top = Int(rendered.size.height) - 10 - 192
    func color(_ row: Int, _ column: Int) -> RGB { rendered.pixel(10 + column * 48 + 24, top + row * 48 + 24) }
    let inside = color(0, 0)
    #expect([color(3, 0), color(3, 3), color(0, 3)].allSatisfy { $0 == inside })
    #expect(color(1, 1) != inside && color(1, 1) == color(2, 2))
  }

  @Test func masksAndWindowsThatDoNotFitStop() async {
    await #expect(processExitsWith: .failure) {
      let panel = AttentionWindowFigure.Panel("", mask: InpaintingMask(height: 4, width: 4, isKnown: true), window: 2, query: (4, 0, [0, 0, 0, 0]))
      _ = panel
    }
    await #expect(processExitsWith: .failure) {
      _ = AttentionWindowFigure.Panel("", mask: InpaintingMask(height: 3, width: 3, isKnown: true), window: 2)
    }
  }
}
