import Testing
import Vision

@Suite struct FlowWheelTests {
  @Test func wheelHas55HuesInSixRamps() {
    #expect(FlowWheel.hues.count == 55)
    #expect(FlowWheel.hues[0] == [255, 0, 0])                                // red
    #expect(FlowWheel.hues[15] == [255, 255, 0])                             // yellow
    #expect(FlowWheel.hues[21] == [0, 255, 0])                               // green
    #expect(FlowWheel.hues[25] == [0, 255, 255])                             // cyan
    #expect(FlowWheel.hues[36] == [0, 0, 255])                               // blue
    #expect(FlowWheel.hues[49] == [255, 0, 255])                             // magenta
    #expect(FlowWheel.hues[1] == [255, 17, 0], "255 · 1/15")
    #expect(FlowWheel.hues[16] == [213, 255, 0], "255 - ⌊255 · 1/6⌋ = 255 - 42")
  }

  @Test func directionsHaveTheColoursOfTheFormula() {
    // Right: atan2(-0, -1) = -π, position 0, the first hue; left: position 27, the third hue after cyan.
    #expect(FlowWheel.color(u: 1, v: 0) == RGB(255, 0, 0))
    #expect(FlowWheel.color(u: -1, v: 0) == RGB(0, 255 - 46, 255), "⌊255 · 2/11⌋ = 46")
    // Down: angle -π/2, position 13.5: between ⌊255·13/15⌋ = 221 and ⌊255·14/15⌋ = 238.
    #expect(FlowWheel.color(u: 0, v: 1) == RGB(255, 229, 0))
    // Half as long: half way to white, 1 - 0.5·(1 - c), and ⌊255 · 0.5⌋ for c = 0.
    #expect(FlowWheel.color(u: 0.5, v: 0) == RGB(255, 127, 127))
    // Beyond the maximum: 0.75 · 255 = 191.25.
    #expect(FlowWheel.color(u: 2, v: 0) == RGB(191, 0, 0))
    #expect(FlowWheel.color(u: 0, v: 0) == RGB.white)
  }

  @Test func unknownVectorsAreBlackAndDoNotSetTheScale() {
    let flow = FlowField(height: 1, width: 2, vectors: [3, 0, 1e10, 0], isValid: [true, false])
    #expect(flow.largestMagnitude == 3)
    let picture = FlowWheel.image(of: flow)
    #expect(Array(picture.pixels[3...]) == [0, 0, 0])
    // 3 / (3 + 1e-5) is a little below 1: red with 255 · 3.3e-6 of white, which rounds down to none.
    #expect(Array(picture.pixels[..<3]) == [255, 0, 0])
  }

  @Test func wheelShowsTheColourOfEachDirection() {
    let wheel = FlowWheel.wheel(side: 101)
    func pixel(_ y: Int, _ x: Int) -> [UInt8] { Array(wheel.pixels[3 * (y * 101 + x)..<3 * (y * 101 + x) + 3]) }
    #expect(pixel(0, 0) == [255, 255, 255])
    let right = pixel(50, 98), left = pixel(50, 2)
    #expect(right[0] == 255 && right[1] < 20 && right[2] < 20, "to the right: red, found \(right)")
    #expect(left[2] == 255 && left[0] < 20, "to the left: a greenish blue, found \(left)")
  }

  @Test func annotatedPictureKeepsTheFlowAndAddsAStrip() {
    let flow = FlowField(height: 20, width: 300, vectors: Array(repeating: 2, count: 12_000))
    let plain = FlowWheel.image(of: flow), annotated = FlowWheel.annotatedImage(of: flow)
    #expect(annotated.width == 300)
    #expect(annotated.height > plain.height)
    #expect(Array(annotated.pixels[..<plain.pixels.count]) == plain.pixels)
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
    let picture = ErrorMap.image(predicted: predicted, truth: truth)
    #expect(picture.pixels[2] > picture.pixels[0], "no error: blue")
    #expect(picture.pixels[3] > picture.pixels[5], "a large error: red")
    #expect(Array(picture.pixels[6...]) == [128, 128, 128])
  }

  @Test func sheetHoldsSixTilesAndTheTitle() {
    let image = Image(height: 48, width: 200, color: RGB(10, 200, 30))
    let flow = FlowField(height: 48, width: 200, vectors: Array(repeating: 1, count: 2 * 48 * 200))
    let plain = FlowSheet(image1: image, image2: image, truth: flow, predicted: flow).image()
    let titled = FlowSheet(image1: image, image2: image, truth: flow, predicted: flow, title: "pair 7").image()
    #expect(plain.width >= 3 * 200 && plain.height >= 2 * 48)
    #expect(titled.height == plain.height + 26)
    // Image 1 stands below its caption at the upper left.
    let top = 6 + BitmapFont.lineHeight + 3 + 5
    let at = 3 * (top * plain.width + 6 + 10)
    #expect(Array(plain.pixels[at..<at + 3]) == [10, 200, 30])
  }
}

@Suite struct FlowUpdatesTests {
  @Test func errorsFallAndTheSheetHoldsAllFields() {
    let truth = FlowField(height: 48, width: 200, vectors: (0..<2 * 48 * 200).map { $0 % 2 == 0 ? 8 : 0 })
    let updates = [2, 4, 7].map { u in FlowField(height: 48, width: 200, vectors: truth.vectors.map { $0 == 0 ? 0 : u }) }
    let sheet = FlowUpdates(truth: truth, updates: updates, title: "pair 7")
    #expect(sheet.errors == [6, 4, 1])
    let picture = sheet.image(columns: 2, tileWidth: 200)
    func color(_ y: Int, _ x: Int) -> [UInt8] { Array(picture.pixels[3 * (y * picture.width + x)..<3 * (y * picture.width + x) + 3]) }
    // The true flow in its full colour, red; the updates in the same scale, so 2 of 8 px are a quarter of the way from white to red.
    let captionHeight = BitmapFont.lineHeight + 3, top = 26 + 6 + captionHeight + 1 + 24
    #expect(color(top, 50) == [255, 0, 0])
    #expect(color(top, 6 + 202 + 6 + 50) == [255, 191, 191])
    let below = top + captionHeight + 50 + BitmapFont.lineHeight + 10 + 6
    #expect(color(below, 50) == [255, 127, 127])
    #expect(color(below, 6 + 202 + 6 + 50) == [255, 31, 31])
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
}
