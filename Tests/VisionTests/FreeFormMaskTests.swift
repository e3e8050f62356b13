import Base
import Foundation
import Testing
import TestSupport
import Vision

/// The sampler of free-form masks: what is drawn, how large the holes are, and what a hole's range asks for.
@Suite("Free-form masks") struct FreeFormMaskTests {
  struct Statistics: CustomTestStringConvertible, Sendable {
    let preset: FreeFormMask.Preset
    let side: Int
    /// Published mean share of the hole, to three digits; of about a thousand masks.
    let published: Double
    /// Of 10,000 masks that were drawn with Pillow by the same description, with its standard deviation.
    let mean: Double
    let deviation: Double
    /// Percentiles of the same masks by their number.
    let percentiles: [(percent: Int, share: Double)]

    var testDescription: String { "\(preset.configName), \(side) px" }
  }

  static let statistics = [
    Statistics(preset: .large512, side: 512, published: 0.399, mean: 0.4007, deviation: 0.1788,
               percentiles: [(10, 0.1611), (50, 0.3981), (90, 0.6375)]),
    Statistics(preset: .small512, side: 512, published: 0.211, mean: 0.2175, deviation: 0.1428,
               percentiles: [(10, 0.0564), (50, 0.1916), (90, 0.4190)]),
    Statistics(preset: .large256, side: 256, published: 0.405, mean: 0.4062, deviation: 0.1866,
               percentiles: [(10, 0.1428), (50, 0.4151), (90, 0.6471)]),
    Statistics(preset: .small256, side: 256, published: 0.222, mean: 0.2206, deviation: 0.1484,
               percentiles: [(10, 0.0465), (50, 0.1971), (90, 0.4301)]),
    Statistics(preset: .comodgan, side: 256, published: 0.7293, mean: 0.7293, deviation: 0.1806,
               percentiles: [(10, 0.4682), (50, 0.7728), (90, 0.9210)]),
  ]

  @Test("10,000 holes (in debug builds 1500) are as large as published, within the sampling error", arguments: statistics)
  func shares(_ expected: Statistics) {
    let count = BuildKind.isDebug ? 1500 : 10_000
    let settings = FreeFormMask(expected.preset)
    // A mask without any hole is drawn again.
    let shares = (0..<count).map { index in
      var random = Random(seed: 7, stream: .augmentation, sample: index)
      return settings.holeShare(height: expected.side, width: expected.side, random: &random)
    }.filter { $0 > 0 && $0 < 1 }
    let mean = shares.reduce(0, +) / Double(shares.count)
    let deviation = (shares.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / Double(shares.count)).squareRoot()
    // Both means have a sampling error.
    let error = deviation * (1 / Double(count) + 1e-4).squareRoot()
    #expect(abs(mean - expected.mean) < 3 * error, "mean \(mean), expected \(expected.mean) ± \(error)")
    #expect(abs(mean - expected.published) < 3 * deviation * (1 / Double(count) + 1e-3).squareRoot(), "mean \(mean), published \(expected.published)")
    #expect(abs(deviation / expected.deviation - 1) < 3 * (1 / Double(2 * count) + 5e-5).squareRoot(), "deviation \(deviation), expected \(expected.deviation)")
    for (percent, value) in expected.percentiles {
      // So many are below the expected percentile, and chance puts some there.
      let share = Double(percent) / 100
      let below = Double(shares.count { $0 < value }) / Double(shares.count)
      let spread = (share * (1 - share) * (1 / Double(count) + 1e-4)).squareRoot()
      #expect(abs(below - share) < 3.5 * spread, "\(below) of the masks are below percentile \(percent)")
    }
  }

  @Test("a mask is a function of settings, size and random numbers; any size") func sizes() throws {
    for (height, width) in [(512, 512), (64, 64), (8, 8), (37, 130), (200, 63), (65, 64)] {
      var first = Random(seed: 1, stream: .augmentation, sample: 3)
      var second = first
      let mask = try FreeFormMask(.large256)(height: height, width: width, random: &first)
      let again = try FreeFormMask(.large256)(height: height, width: width, random: &second)
      #expect(mask == again && mask.height == height && mask.width == width)
      #expect(mask.holeCount > 0 && mask.holeCount < height * width && mask.known.allSatisfy { $0 <= 1 })
      #expect(try FreeFormMask(.large256)(height: height, width: width, random: &first) != mask)
    }
  }

  @Test("the hole stays within its range") func range() throws {
    var settings = FreeFormMask(.large512)
    for range in [[0.0, 0.3], [0.2, 0.4], [0.4, 0.6], [0.6, 0.9]] {
      settings.holeRange = range
      for index in 0..<20 {
        var random = Random(seed: 2, stream: .augmentation, sample: index)
        let share = try settings(height: 128, width: 96, random: &random).holeShare
        #expect(share > range[0] && share < range[1])
      }
    }
  }

  @Test("mirrored strokes reach every side alike, in widths that fill no whole word") func mirrored() throws {
    var settings = FreeFormMask(.large512)
    (settings.halfRectangles, settings.fullRectangles, settings.strokes) = (0, 0, 2)
    let (height, width) = (60, 90)
    var left = 0
    var right = 0
    var top = 0
    var bottom = 0
    for index in 0..<400 {
      var random = Random(seed: 3, stream: .augmentation, sample: index)
      let mask = try settings(height: height, width: width, random: &random)
      for y in 0..<height {
        left += 1 - Int(mask.known[y * width])
        right += 1 - Int(mask.known[y * width + width - 1])
      }
      for x in 0..<width {
        top += 1 - Int(mask.known[x])
        bottom += 1 - Int(mask.known[(height - 1) * width + x])
      }
    }
    #expect(left > 0 && abs(Double(left) / Double(right) - 1) < 0.25, "\(left) left, \(right) right")
    #expect(top > 0 && abs(Double(top) / Double(bottom) - 1) < 0.25, "\(top) at the top, \(bottom) at the bottom")
  }

  @Test("what cannot be drawn is said") func problems() {
    var settings = FreeFormMask()
    (settings.strokes, settings.vertices, settings.strokeWidth, settings.holeRange) = (-1, [18, 4], [48, 12], [0.5, 0.5])
    #expect(settings.problems().map(\.key) == ["strokes", "vertices", "stroke_width", "hole_range"])
    settings = FreeFormMask(.small512)
    settings.holeRange = [0, 0.1]
    #expect(settings.problems().map(\.key) == ["hole_range"], "4 strokes · 0.1 leave none")
    settings = FreeFormMask(.large512)
    settings.holeRange = [0.999, 1]
    settings.fullRectangles = 2
    var random = Random(seed: 1, stream: .augmentation)
    expectFailure(.usage, "hole_range: no mask of 512x512 among 1000 has a hole between 99.9 % and 100.0 %: theirs are", "Widen hole_range") {
      try settings(height: 512, width: 512, random: &random)
    }
  }

  @Test("padding adds hole, and parts are cut out again") func padding() {
    let mask = InpaintingMask(height: 2, width: 3, known: [1, 0, 1, 1, 1, 0])
    let padded = mask.padded(height: 4, width: 4)
    #expect(padded.known == [1, 0, 1, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] && padded.holeCount == 12)
    #expect(padded.cropped(top: 0, left: 0, height: 2, width: 3) == mask)
    #expect(mask.image.pixels == [255, 0, 255, 255, 255, 0] && mask.holeShare == 2.0 / 6)
  }
}
