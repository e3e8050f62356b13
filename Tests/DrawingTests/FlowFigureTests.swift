import Drawing
import Foundation
import Testing
import Vision

@Suite struct FlowColorWheelTests {
  @Test func wheelHas55HuesInSixRamps() {
    #expect(FlowColorWheel.hues.count == 55)
    #expect(FlowColorWheel.hues[0] == [255, 0, 0])                                // red
    #expect(FlowColorWheel.hues[15] == [255, 255, 0])                             // yellow
    #expect(FlowColorWheel.hues[21] == [0, 255, 0])                               // green
    #expect(FlowColorWheel.hues[25] == [0, 255, 255])                             // cyan
    #expect(FlowColorWheel.hues[36] == [0, 0, 255])                               // blue
    #expect(FlowColorWheel.hues[49] == [255, 0, 255])                             // magenta
    #expect(FlowColorWheel.hues[1] == [255, 17, 0], "255 · 1/15")
    #expect(FlowColorWheel.hues[16] == [213, 255, 0], "255 - ⌊255 · 1/6⌋ = 255 - 42")
  }

  @Test func directionsHaveTheColoursOfTheFormula() {
    // Right: atan2(-0, -1) = -π, position 0, the first hue; left: position 27, the third hue after cyan.
    #expect(FlowColorWheel.color(u: 1, v: 0) == RGB(255, 0, 0))
    #expect(FlowColorWheel.color(u: -1, v: 0) == RGB(0, 255 - 46, 255), "⌊255 · 2/11⌋ = 46")
    // Down: angle -π/2, position 13.5: between ⌊255·13/15⌋ = 221 and ⌊255·14/15⌋ = 238.
    #expect(FlowColorWheel.color(u: 0, v: 1) == RGB(255, 229, 0))
    // Half as long: half way to white, 1 - 0.5·(1 - c), and ⌊255 · 0.5⌋ for c = 0.
    #expect(FlowColorWheel.color(u: 0.5, v: 0) == RGB(255, 127, 127))
    // Beyond the maximum: 0.75 · 255 = 191.25.
    #expect(FlowColorWheel.color(u: 2, v: 0) == RGB(191, 0, 0))
    #expect(FlowColorWheel.color(u: 0, v: 0) == RGB.white)
  }

  @Test func unknownVectorsAreBlackAndDoNotSetTheScale() {
    let flow = FlowField(height: 1, width: 2, vectors: [3, 0, 1e10, 0], isValid: [true, false])
    #expect(flow.largestMagnitude == 3)
    let picture = FlowColorWheel.image(of: flow)
    #expect(Array(picture.pixels[3...]) == [0, 0, 0])
    // 3 / (3 + 1e-5) is a little below 1: red with 255 · 3.3e-6 of white, which rounds down to none.
    #expect(Array(picture.pixels[..<3]) == [255, 0, 0])
  }

  @Test func wheelShowsTheColourOfEachDirection() {
    let wheel = FlowColorWheel.wheel(side: 101)
    func pixel(_ y: Int, _ x: Int) -> [UInt8] { Array(wheel.pixels[3 * (y * 101 + x)..<3 * (y * 101 + x) + 3]) }
    #expect(pixel(0, 0) == [255, 255, 255])
    let right = pixel(50, 98), left = pixel(50, 2)
    #expect(right[0] == 255 && right[1] < 20 && right[2] < 20, "to the right: red, found \(right)")
    #expect(left[2] == 255 && left[0] < 20, "to the left: a greenish blue, found \(left)")
  }

  @Test func annotatedPictureKeepsTheFlowAndAddsAStrip() throws {
    let flow = FlowField(height: 20, width: 300, vectors: Array(repeating: 2, count: 12_000))
    let plain = FlowColorWheel.image(of: flow)
    let rendered = try RenderedFigure(FlowColorWheel.figure(of: flow))
    let annotated = rendered.image
    #expect(annotated.width == 300)
    #expect(annotated.height > plain.height)
    #expect(Array(annotated.pixels[..<plain.pixels.count]) == plain.pixels)
    #expect(rendered.boxes(of: "max flow 2.8 px").count == 1, "√8")
    #expect(rendered.boxes(of: "unknown").isEmpty, "every vector is known")
  }

  @Test func theLegendShowsTheWheelAndSaysWhatIsUnknown() throws {
    let rendered = try RenderedFigure(FlowLegend(maximum: 12.34, hasUnknown: true))
    rendered.checkTexts()
    #expect(rendered.boxes(of: "max flow 12.3 px").count == 1 && rendered.boxes(of: "black: unknown").count == 1)
    let right = rendered.pixel(53, 29)
    #expect(right.x == 255 && right.y < 40 && right.z < 40, "red to the right, found \(right)")
  }
}

@Suite struct FlowPictureTests {
  @Test func warpingByTheTrueFlowRestoresTheFirstImage() {
    // Image 2 is image 1 moved right by two and down by one pixel.
    let first = Image(height: 4, width: 6, channels: 1, pixels: (0..<24).map { UInt8(10 * $0) })
    var second = Image(height: 4, width: 6, channels: 1)
    for y in 1..<4 {
      for x in 2..<6 { second.pixels[y * 6 + x] = first.pixels[(y - 1) * 6 + x - 2] }
    }
    let flow = FlowField(height: 4, width: 6, vectors: Array(repeating: [2, 1], count: 24).flatMap { $0 })
    let back = second.warped(by: flow, outside: 7)
    for y in 0..<4 {
      for x in 0..<6 {
        #expect(back.pixels[y * 6 + x] == (y < 3 && x < 4 ? first.pixels[y * 6 + x] : 7), "at (\(y), \(x))")
      }
    }
  }

  @Test func warpingIsBilinearAndKnowsUnknownVectors() {
    let image = Image(height: 2, width: 2, channels: 1, pixels: [0, 100, 50, 250])
    let flow = FlowField(height: 2, width: 2, vectors: [0.5, 0, 0, 0.25, 0, 0, -0.5, -0.5], isValid: [true, true, false, true])
    // (0 + 100)/2; 100·¾ + 250·¼ = 137.5, rounded up; unknown; the mean of all four.
    #expect(image.warped(by: flow).pixels == [50, 138, 128, 100])
  }

  @Test func errorMapGoesFromBlueToRedAndIsGreyWhereUnknown() {
    let truth = FlowField(height: 1, width: 3, vectors: [0, 0, 0, 0, 0, 0], isValid: [true, true, false])
    let predicted = FlowField(height: 1, width: 3, vectors: [0, 0, 90, 0, 0, 0])
    let picture = EndPointErrorMap.image(predicted: predicted, truth: truth)
    #expect(picture.pixels[2] > picture.pixels[0], "no error: blue")
    #expect(picture.pixels[3] > picture.pixels[5], "a large error: red")
    #expect(Array(picture.pixels[6...]) == [128, 128, 128])
  }

  @Test func errorColoursSpreadLogarithmically() throws {
    #expect(EndPointErrorMap.color(of: 0, maximum: 20) == ColorMap.ember.color(at: 0))
    #expect(EndPointErrorMap.color(of: 500, maximum: 20) == ColorMap.ember.color(at: 1))
    #expect(EndPointErrorMap.color(of: 2.7, maximum: 20) == ColorMap.ember.color(at: Float(log(1 + 2 * 2.7) / log(41.0))), "half way")
    let rendered = try RenderedFigure(EndPointErrorMap.legend(width: 240))
    rendered.checkTexts()
    let places = ["0", "1", "3", "5", "10", "20+"].compactMap { text in rendered.texts.first { $0.text == text }?.box.center.x }
    #expect(places.count == 6 && places == places.sorted())
    #expect(places[1] - places[0] > places[4] - places[3], "one pixel at the low end takes more room than five at the high end")
    #expect(rendered.boxes(of: "px").count == 1)
  }

  @Test func sheetHoldsSixTilesAndTheTitle() throws {
    let image = Image(height: 48, width: 200, color: RGB(10, 200, 30))
    let flow = FlowField(height: 48, width: 200, vectors: Array(repeating: 1, count: 2 * 48 * 200))
    let plain = try RenderedFigure(ValidationFigure(image1: image, image2: image, truth: flow, predicted: flow))
    let titled = try RenderedFigure(ValidationFigure(image1: image, image2: image, truth: flow, predicted: flow, title: "pair 7"))
    #expect(plain.image.width >= 3 * 200 && plain.image.height >= 2 * 48)
    #expect(titled.image.height == plain.image.height + 26)
    #expect(titled.boxes(of: "pair 7").count == 1)
    // Image 1 stands below its caption at the upper left.
    let caption = try #require(plain.boxes(of: "image 1").first)
    #expect(plain.pixel(Int(caption.left) + 10, Int(caption.top) + 50) == RGB(10, 200, 30))
    #expect(plain.boxes(of: "mean 0.00 px").count == 1 && plain.boxes(of: "100% below 1 px").count == 1)
    #expect(plain.texts.count(where: { $0.text.hasPrefix("max flow") }) == 2, "both flows have their legend")
  }

  @Test func aSheetWithoutKnownVectorsSaysSo() throws {
    let image = Image(height: 48, width: 200, color: .black)
    let ones = [Float](repeating: 1, count: 2 * 48 * 200)
    let flow = FlowField(height: 48, width: 200, vectors: ones, isValid: Array(repeating: false, count: 48 * 200))
    let sheet = try RenderedFigure(ValidationFigure(image1: image, image2: image, truth: flow, predicted: flow))
    #expect(sheet.boxes(of: "no known vector").count == 1)
    #expect(sheet.texts.allSatisfy { !$0.text.contains("nan") })
  }
}

@Suite struct IterationFigureTests {
  @Test func errorsFallAndTheSheetHoldsAllFields() throws {
    let truth = FlowField(height: 48, width: 200, vectors: (0..<2 * 48 * 200).map { $0 % 2 == 0 ? 8 : 0 })
    let updates = [2, 4, 7].map { u in FlowField(height: 48, width: 200, vectors: truth.vectors.map { $0 == 0 ? 0 : u }) }
    let sheet = IterationFigure(truth: truth, updates: updates, title: "pair 7", width: 440)
    #expect(sheet.errors == [6, 4, 1])
    let rendered = try RenderedFigure(sheet)
    func color(below caption: String) throws -> RGB {
      let box = try #require(rendered.boxes(of: caption).first)
      return rendered.pixel(Int(box.left) + 50, Int(box.top) + 55)
    }
    // The true flow in its full colour, red; the updates in the same scale, so 2 of 8 px are a quarter of the way from white to red.
    #expect(try color(below: "true flow") == RGB(255, 0, 0))
    #expect(try color(below: "iteration 1") == RGB(255, 191, 191))
    #expect(try color(below: "iteration 2") == RGB(255, 127, 127))
    #expect(try color(below: "iteration 3") == RGB(255, 31, 31))
    for text in ["EPE 6.00 px", "EPE 4.00 px", "EPE 1.00 px", "pair 7"] { #expect(rendered.boxes(of: text).count == 1, "\(text)") }
  }

  @Test func shrinkingTakesMeans() {
    let image = Image(height: 2, width: 6, channels: 1, pixels: [10, 20, 30, 40, 50, 60, 11, 21, 31, 41, 51, 62])
    #expect(image.shrunk(toWidth: 3) == Image(height: 1, width: 3, channels: 1, pixels: [16, 36, 56]))  // 15.5, 35.5, 55.75
    #expect(image.shrunk(toWidth: 6) == image && image.shrunk(toWidth: 100) == image)
    let odd = Image(height: 5, width: 7, channels: 3, pixels: (0..<105).map { UInt8($0) })
    let small = odd.shrunk(toWidth: 2)
    #expect(small.height == 1 && small.width == 2)
    // Columns 0..<3 and 3..<7 of all five rows: means of 21·y + 3·x + c.
    #expect(small.pixels == [45, 46, 47, 56, 57, 58])  // 42 + 3 + c; 42 + 13.5 + c, rounded up
  }

  @Test func enlargingRepeatsPixels() {
    let image = Image(height: 1, width: 2, channels: 1, pixels: [3, 9])
    #expect(image.enlarged(toWidth: 4) == Image(height: 2, width: 4, channels: 1, pixels: [3, 3, 9, 9, 3, 3, 9, 9]))
    #expect(image.fitted(width: 2) == image && image.enlarged(toWidth: 1) == image)
    #expect(image.fitted(width: 3) == Image(height: 2, width: 3, channels: 1, pixels: [3, 9, 9, 3, 9, 9]))
    #expect(image.fitted(width: 1) == Image(height: 1, width: 1, channels: 1, pixels: [6]))
    let colors = Image(height: 2, width: 1, channels: 3, pixels: [1, 2, 3, 4, 5, 6]).fitted(width: 2)
    #expect(colors.pixels == [1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6, 4, 5, 6, 4, 5, 6])
  }
}
