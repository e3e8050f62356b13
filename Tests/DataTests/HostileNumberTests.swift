import Base
import Data
import Testing
import TestSupport
import Vision

/// Numbers of files and configs that are far too large are refused, or cost no more than what is kept.
@Suite struct HostileNumberTests {
  @Test(arguments: [1 << 32, Int.max, 65537]) func cropsHaveBounds(side: Int) {
    var settings = FlowAugmentation.chairs
    settings.cropHeight = side
    #expect(settings.problems().map(\.key) == ["crop_height"])
    settings.cropWidth = side
    #expect(settings.problems().map(\.key) == ["crop_height", "crop_width"])
    for side in [0, -1, Int.min] {
      settings.cropHeight = side
      expectFailure(.usage, "crop_height is \(side); allowed: 1 to 65536") { try settings.validate() }
    }
  }

  @Test func aCropOfTooManyPixelsIsRefused() {
    var settings = FlowAugmentation.chairs
    (settings.cropHeight, settings.cropWidth) = (65536, 65536)
    #expect(settings.problems().first?.allowed.hasPrefix("at most 1024 with crop_height 65536") == true)
    (settings.cropHeight, settings.cropWidth) = (8192, 8192)
    #expect(settings.problems().isEmpty)
  }

  /// Enlarging a picture of one column to a wide crop makes billions of positions, of which a few are kept.
  @Test(.timeLimit(.minutes(1))) func narrowPicturesAndWideCrops() {
    var settings = FlowAugmentation.chairs, random = Random(seed: 1, stream: .augmentation)
    (settings.cropHeight, settings.cropWidth, settings.maximumScale) = (8, 65536, 5)
    let image = Image(height: 500, width: 1, channels: 3), flow = FlowField(height: 500, width: 1, vectors: Array(repeating: 1, count: 1000))
    let changed = settings(FlowSample(image1: image, image2: image, flow: flow), random: &random)
    #expect(changed.flow.height == 8 && changed.flow.width == 65536)
  }

  @Test func whatIsKeptOfAnAxisIsWhatACutOutOfTheWholeIs() {
    for scale in [0.4, 1, 1.7, 3] {
      let whole = ResamplingAxis(resizing: 37, by: scale), kept = 3..<11
      #expect(ResamplingAxis(resizing: 37, by: scale, keeping: kept) == whole.cropped(to: kept))
      #expect(ResamplingAxis(resizing: 37, by: scale, keeping: kept, isFlipped: true) == whole.reversed().cropped(to: kept))
      #expect(ResamplingAxis.count(resizing: 37, by: scale) == whole.count)
    }
  }

  @Test(arguments: ["PF\n9223372036854775807 2\n-1\n", "PF\n4294967296 4294967296\n-1\n", "PF\n-3 5\n-1\n", "PF\n+3 5\n-1\n", "PF\n0 5\n-1\n", "PF\n1 1\n0\n",
                    "PF\n1 1\nnan\n", "PF\n1 1\n1e999\n", "PF\n99999999999999999999 1\n-1\n", "PF\n3", "PF\n1 1\n-1"])
  func headersOfFloatMaps(header: String) {
    expectFailure(.badData, "a.pfm") { try PortableFloatMap.decode(Array(header.utf8), place: "a.pfm") }
  }

  @Test func escapesInAHeaderAreShownAsSuch() {
    let header = Array("PF\n\u{1B}]0;x\u{7} 3\n-1\n".utf8)
    expectFailure(.badData, "the width is '\\u{1B}]0;x\\u{7}'") { try PortableFloatMap.decode(header, place: "a.pfm") }
  }
}
