import Testing
import TestSupport
import Vision

struct ResamplingTests {
  @Test func positionsLieAtPixelCentres() {
    let twice = Image(height: 1, width: 2, channels: 1, pixels: [0, 100]).resized(scaleX: 2, scaleY: 1)
    #expect(twice.pixels == [0, 25, 75, 100])
    let half = Image(height: 1, width: 4, channels: 1, pixels: [0, 100, 40, 61]).resized(scaleX: 0.5, scaleY: 1)
    #expect(half.pixels == [50, 51])  // 50.5 rounds up
  }

  /// The factor itself, not the quotient of the rounded sizes, places the samples: 3 · 1.5 = 4.5 gives 4 columns at (i + ½) / 1.5 - ½.
  @Test func sizeIsRoundedHalfToEven() {
    let axis = ResamplingAxis(resizing: 3, by: 1.5)
    #expect(axis.lower == [0, 0, 1, 1] && axis.upper == [1, 1, 2, 2])
    for (weight, expected) in zip(axis.weight, [0, 0.5, 1.0 / 6, 5.0 / 6]) { #expect(abs(Double(weight) - expected) < 1e-6) }
    #expect(ResamplingAxis(resizing: 5, by: 0.5).count == 2)
    #expect(ResamplingAxis(resizing: 7, by: 0.5).count == 4)
  }

  @Test(arguments: [1, 3, 4]) func scaleOneChangesNothing(channels: Int) {
    let image = Image.noise(height: 5, width: 7, channels: channels)
    #expect(image.resized(scaleX: 1, scaleY: 1) == image)
  }

  /// A linear ramp stays linear between the outermost pixel centres.
  @Test(arguments: [(1.7, 0.6), (0.45, 2.3)]) func keepsARamp(scaleX: Double, scaleY: Double) {
    var image = Image(height: 20, width: 24, channels: 1)
    for y in 0..<20 { for x in 0..<24 { image.pixels[y * 24 + x] = UInt8(3 * x + 5 * y) } }
    let resized = image.resized(scaleX: scaleX, scaleY: scaleY)
    for y in 0..<resized.height {
      for x in 0..<resized.width {
        let sx = min(max((Double(x) + 0.5) / scaleX - 0.5, 0), 23), sy = min(max((Double(y) + 0.5) / scaleY - 0.5, 0), 19)
        #expect(abs(Double(resized.pixels[y * resized.width + x]) - (3 * sx + 5 * sy)) <= 0.501)
      }
    }
  }

  @Test func constantFlowStaysConstantTimesScale() {
    let flow = FlowField(height: 6, width: 9, vectors: (0..<54).flatMap { _ in [Float(3), -1.25] })
    let resized = flow.resized(scaleX: 1.5, scaleY: 0.7)
    #expect(resized.width == 14 && resized.height == 4)
    for i in 0..<resized.isValid.count {
      #expect(resized.vectors[2 * i] == 4.5 && resized.vectors[2 * i + 1] == -1.25 * Float(0.7) && resized.isValid[i])
    }
  }

  @Test func validityNeedsEveryBlendedVector() {
    let flow = FlowField(height: 1, width: 4, vectors: Array(repeating: 1, count: 8), isValid: [true, false, true, true])
    #expect(flow.resized(scaleX: 2, scaleY: 1).isValid == [true, false, false, false, false, true, true, true])
    #expect(flow.resized(scaleX: 1, scaleY: 1).isValid == flow.isValid)
  }

  @Test func axesFlipAndCrop() {
    let image = Image(height: 1, width: 4, channels: 1, pixels: [1, 2, 3, 4]), row = ResamplingAxis(resizing: 1, by: 1)
    let axis = ResamplingAxis(resizing: 4, by: 1)
    #expect(image.sampled(rows: row, columns: axis.reversed()).pixels == [4, 3, 2, 1])
    #expect(image.sampled(rows: row, columns: axis.reversed().cropped(to: 1..<3)).pixels == [3, 2])
  }
}

struct PaddingTests {
  /// (left, right, top, bottom) as the reference implementation computes them.
  @Test(arguments: [
    (436, 1024, Padding.Mode.sintel, [0, 0, 2, 2]), (375, 1242, .sintel, [3, 3, 0, 1]), (375, 1242, .kitti, [3, 3, 0, 1]),
    (370, 1224, .kitti, [0, 0, 0, 6]), (370, 1224, .sintel, [0, 0, 3, 3]), (384, 512, .sintel, [0, 0, 0, 0]),
    (436, 1024, .kitti, [0, 0, 0, 4]), (376, 1241, .sintel, [3, 4, 0, 0]),
  ])
  func listedSizes(height: Int, width: Int, mode: Padding.Mode, expected: [Int]) {
    let padding = Padding(height: height, width: width, mode: mode)
    #expect([padding.left, padding.right, padding.top, padding.bottom] == expected)
    #expect(padding.paddedHeight % 8 == 0 && padding.paddedWidth % 8 == 0)
  }

  @Test func smallImagesGrowToTheMinimum() {
    let padding = Padding(height: 100, width: 131, minimum: 128)
    #expect([padding.left, padding.right, padding.top, padding.bottom] == [2, 3, 14, 14])
  }

  @Test func repeatsTheBorderAndCropsItAgain() {
    let padding = Padding(height: 2, width: 3, multiple: 4)  // one column right, one row above and below
    let padded = padding.pad(Image(height: 2, width: 3, channels: 1, pixels: [1, 2, 3, 4, 5, 6]))
    #expect(padded.pixels == [1, 2, 3, 3, 1, 2, 3, 3, 4, 5, 6, 6, 4, 5, 6, 6])
    let vectors = padded.pixels.flatMap { [Float($0), -Float($0)] }
    let flow = FlowField(height: 4, width: 4, vectors: vectors, isValid: padded.pixels.map { $0 != 5 })
    #expect(padding.crop(flow) == FlowField(height: 2, width: 3, vectors: [1, -1, 2, -2, 3, -3, 4, -4, 5, -5, 6, -6],
                                            isValid: [true, true, true, true, false, true]))
  }
}
