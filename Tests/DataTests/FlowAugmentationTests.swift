import Base
import Data
import Foundation
import Testing
import TestSupport
import Vision

/// Smooth frames with an affine flow: `image1(p) = texture(p + flow(p))`, `image2(p) = texture(p)`.
private func affinePair(height: Int, width: Int) -> FlowSample {
  func texture(_ x: Double, _ y: Double) -> UInt8 {
    UInt8((127 + 50 * sin(2 * .pi * x / 40) + 50 * cos(2 * .pi * (y / 40 + x / 300))).rounded())
  }
  var image1 = Image(height: height, width: width, channels: 1), image2 = image1
  var flow = FlowField(height: height, width: width, vectors: Array(repeating: 0, count: 2 * height * width))
  for y in 0..<height {
    for x in 0..<width {
      let u = 1.5 + 0.02 * Double(x) - 0.01 * Double(y), v = -1 + 0.015 * Double(x) + 0.01 * Double(y)
      flow[y, x] = (Float(u), Float(v))
      image1.pixels[y * width + x] = texture(Double(x) + u, Double(y) + v)
      image2.pixels[y * width + x] = texture(Double(x), Double(y))
    }
  }
  return FlowSample(image1: image1, image2: image2, flow: flow)
}

private func constantSample(height: Int, width: Int, u: Float = 1, v: Float = 2, seed: UInt64 = 1) -> FlowSample {
  let image = Image.noise(height: height, width: width, seed: seed)
  let vectors = (0..<height * width).flatMap { _ in [u, v] }
  return FlowSample(image1: image, image2: image, flow: FlowField(height: height, width: width, vectors: vectors))
}

private func small(_ change: (inout FlowAugmentation) -> Void = { _ in }) -> FlowAugmentation {
  var augmentation = FlowAugmentation.chairs
  (augmentation.cropHeight, augmentation.cropWidth) = (64, 80)
  change(&augmentation)
  return augmentation
}

private func random(_ sample: Int) -> Random { Random(seed: 7, stream: .augmentation, epoch: 1, sample: sample) }

struct FlowAugmentationTests {
  @Test func defaultsAreTheChairsStage() throws {
    let a = FlowAugmentation.chairs
    #expect(a.cropHeight == 368 && a.cropWidth == 496 && a.cropMargin == 8)
    #expect(a.eraserMinimumSide == 50 && a.eraserMaximumSide == 99 && a.eraserMaximumCount == 2)
    #expect([a.brightness, a.contrast, a.saturation, a.hue] == [0.4, 0.4, 0.4, 0.5 / 3.14])
    #expect([a.asymmetricProbability, a.eraserProbability, a.resizeProbability, a.stretchProbability] == [0.2, 0.5, 0.8, 0.8])
    #expect([a.horizontalFlipProbability, a.verticalFlipProbability] == [0.5, 0.1])
    #expect([a.minimumScale, a.maximumScale, a.maximumStretch] == [-0.1, 1, 0.2])
    #expect(a.problems().isEmpty)
    #expect(try JSONDecoder().decode(FlowAugmentation.self, from: JSONEncoder().encode(a)) == a)
  }

  @Test func reportsEverythingOutOfRange() {
    let bad = small { a in
      (a.hue, a.eraserProbability, a.maximumScale, a.eraserMaximumSide) = (0.6, 1.5, -2, 10)
    }
    #expect(bad.problems().count == 4)
    expectFailure(.usage, "train.augmentation", "hue is 0.6", "eraser_probability", "maximum_scale", "eraser_maximum_side") {
      try bad.validate(at: "train.augmentation")
    }
  }

  @Test func isAPureFunctionOfTheRandomKey() {
    let sample = affinePair(height: 96, width: 120), augmentation = small()
    var a = random(3), b = random(3), c = random(4)
    let first = augmentation(sample, random: &a)
    let isSame = first == augmentation(sample, random: &b), isOther = first != augmentation(sample, random: &c)
    #expect(isSame && isOther)
  }

  /// Resize, flip, crop and the flow's factors fit together: image 2 along the flow is image 1.
  ///
  /// Tolerance: a texture with second derivatives of at most 50 (2π/40)² = 1.24 along each of two axes loses 1.24 · 2 / 8 = 0.31 in a
  /// bilinear interpolation; there are three (two resizes, one here). Rounding to whole levels adds half a level four times.
  @Test(arguments: 0..<24) func warpingStaysConsistent(seed: Int) {
    let augmentation = small { ($0.photometric, $0.eraser, $0.verticalFlipProbability) = (false, false, 0.5) }
    var random = random(seed)
    let sample = augmentation(affinePair(height: 96, width: 120), random: &random)
    #expect(sample.flow.height == 64 && sample.flow.width == 80)
    // Three pixels at the border, where the resize repeats the outermost pixels.
    let differences = sample.differences(times: 1, margin: 3)
    #expect(differences.count > 1000)
    #expect((differences.max() ?? .infinity) < 3 * 0.31 + 2)
    #expect((sample.differences(times: 0, margin: 3).max() ?? 0) > 10)
  }

  @Test func flipsNegateTheComponent() {
    for (horizontal, vertical) in [(0.0, 0.0), (1, 0), (0, 1), (1, 1)] {
      let augmentation = small { a in
        (a.photometric, a.eraser, a.resizeProbability, a.crop) = (false, false, 0, .center)
        (a.cropHeight, a.cropWidth) = (5, 7)
        (a.horizontalFlipProbability, a.verticalFlipProbability) = (horizontal, vertical)
      }
      let sample = constantSample(height: 5, width: 7)
      var random = random(0)
      let changed = augmentation(sample, random: &random)
      #expect(changed.flow[2, 3] == (horizontal > 0 ? -1 : 1, vertical > 0 ? -2 : 2))
      let corner = ((vertical > 0 ? 4 : 0) * 7 + (horizontal > 0 ? 6 : 0)) * 3
      #expect(Array(changed.image1.pixels[0..<3]) == Array(sample.image1.pixels[corner..<corner + 3]))
    }
  }

  @Test func smallImagesAreEnlargedToTheBound() {
    for augmentation in [small { ($0.resizeProbability, $0.photometric) = (0, false) }, .centerCrop(height: 64, width: 80)] {
      var random = random(0)
      let changed = augmentation(constantSample(height: 40, width: 50), random: &random)
      #expect(changed.image1.height == 64 && changed.image1.width == 80 && changed.flow.height == 64)
      let scale = Float(72.0 / 40)  // the larger of (64 + 8) / 40 and (80 + 8) / 50
      #expect(abs(changed.flow[10, 10].u) == scale && abs(changed.flow[10, 10].v) == 2 * scale)
    }
  }

  @Test func switchesLeaveTheImagesAlone() {
    let sample = constantSample(height: 64, width: 80)
    var a = random(0), b = random(5)
    let untouched = FlowAugmentation.centerCrop(height: 64, width: 80)
    #expect(untouched(sample, random: &a) == sample)
    #expect(a == random(0), "a centre crop draws nothing")
    let larger = constantSample(height: 67, width: 81)
    #expect(untouched(larger, random: &b).image1 == larger.image1.sampled(
      rows: ResamplingAxis(resizing: 67, by: 1).cropped(to: 1..<65), columns: ResamplingAxis(resizing: 81, by: 1).cropped(to: 0..<80)))
  }

  @Test func largeVectorsBecomeInvalid() {
    var sample = constantSample(height: 64, width: 80)
    sample.flow[0, 0] = (999, -999)
    sample.flow[0, 1] = (1000, 0)
    sample.flow[0, 2] = (0, -1001)
    sample.flow.isValid[3] = false
    var random = random(0)
    let flow = FlowAugmentation.centerCrop(height: 64, width: 80)(sample, random: &random).flow
    #expect(Array(flow.isValid[0..<5]) == [true, false, false, false, true])
  }
}

struct SpatialTransformTests {
  private static let trials = 4000

  private func draw(_ augmentation: FlowAugmentation, height: Int, width: Int) -> [SpatialTransform] {
    (0..<SpatialTransformTests.trials).map { trial in
      var random = random(trial)
      return SpatialTransform(augmentation, height: height, width: width, random: &random)
    }
  }

  /// Whether a count of events with probability `p` lies within five standard deviations.
  private func fits(_ count: Int, _ p: Double, of trials: Int = trials) -> Bool {
    abs(Double(count) - p * Double(trials)) < 5 * (p * (1 - p) * Double(trials)).squareRoot()
  }

  @Test func probabilitiesAndRanges() {
    let transforms = draw(small { ($0.cropHeight, $0.cropWidth) = (16, 20) }, height: 96, width: 120)
    #expect(fits(transforms.count { $0.factor.x < 0 }, 0.5))
    #expect(fits(transforms.count { $0.factor.y < 0 }, 0.1))
    let resized = transforms.map { SIMD2(abs($0.factor.x), abs($0.factor.y)) }.filter { $0 != SIMD2(1, 1) }
    #expect(fits(resized.count, 0.8))
    #expect(fits(resized.count { $0.x != $0.y }, 0.8, of: resized.count))
    let logs = resized.map { (x: log2(Double($0.x)), y: log2(Double($0.y))) }
    #expect(logs.allSatisfy { -0.3001 < $0.x && $0.x < 1.2001 && abs($0.x - $0.y) < 0.4001 })
    let plain = logs.filter { $0.x == $0.y }.map(\.x)
    // About 640 draws: a gap of 5 % of the range at an end has probability 0.95^640 < 1e-14.
    let least = plain.min() ?? 0, largest = plain.max() ?? 0
    #expect(-0.1001 <= least && least < -0.045 && 0.945 < largest && largest <= 1.0001)
    let stretch = logs.map { $0.x - $0.y }
    #expect((stretch.max() ?? 0) > 0.35 && (stretch.min() ?? 0) < -0.35)
  }

  @Test func scaleHasALowerBound() {
    // (64 + 8) / 66 along the rows is larger than (80 + 8) / 120 along the columns.
    let transforms = draw(small(), height: 66, width: 120)
    let bound = Float(72.0 / 66)
    let resized = transforms.map { SIMD2(abs($0.factor.x), abs($0.factor.y)) }.filter { $0 != SIMD2(1, 1) }
    #expect(resized.allSatisfy { $0.x >= bound && $0.y >= bound })
    #expect(resized.contains { $0.x == bound } && resized.contains { $0.y > bound })
    #expect(transforms.allSatisfy { $0.rows.count == 64 && $0.columns.count == 80 })
  }

  @Test func cropIsUniformWithoutTheLastOffset() {
    let transforms = draw(small { ($0.resizeProbability, $0.horizontalFlipProbability, $0.verticalFlipProbability) = (0, 0, 0) },
                          height: 68, width: 90)
    for (offsets, slack) in [(transforms.map { $0.rows.lower[0] }, 4), (transforms.map { $0.columns.lower[0] }, 10)] {
      for offset in 0..<slack { #expect(fits(offsets.count { $0 == offset }, 1 / Double(slack))) }
      #expect(offsets.allSatisfy { $0 < slack })
    }
  }
}

struct EraserTests {
  private let trials = 100

  /// Half black, half (101, 30, 7): the mean (50.5, 15, 3.5) is truncated.
  private let sample: FlowSample = {
    var image = Image(height: 300, width: 320, channels: 3)
    for i in 0..<300 * 160 { (image.pixels[3 * i], image.pixels[3 * i + 1], image.pixels[3 * i + 2]) = (101, 30, 7) }
    return FlowSample(image1: image, image2: image, flow: FlowField(height: 300, width: 320, vectors: Array(repeating: 0, count: 192_000)))
  }()

  @Test func erasesRectanglesOfTheSecondImage() {
    let augmentation = small { a in
      (a.cropHeight, a.cropWidth, a.crop, a.photometric, a.spatial, a.eraserMaximumCount) = (300, 320, .center, false, false, 1)
    }
    var erased = 0, shortest = 1000, longest = 0
    for trial in 0..<trials {
      var random = random(trial)
      let changed = augmentation(sample, random: &random)
      let isUntouched = changed.image1 == sample.image1
      #expect(isUntouched)
      let before = sample.image2.pixels, after = changed.image2.pixels
      let pixels = (0..<300 * 320).filter { after[3 * $0] != before[3 * $0] }
      guard let first = pixels.first, let last = pixels.last else { continue }
      erased += 1
      #expect(pixels.allSatisfy { after[3 * $0] == 50 && after[3 * $0 + 1] == 15 && after[3 * $0 + 2] == 3 })
      let rows = last / 320 - first / 320 + 1, columns = last % 320 - first % 320 + 1
      #expect(pixels.count == rows * columns)
      if last / 320 < 299 && last % 320 < 319 {
        shortest = min(shortest, rows, columns)
        longest = max(longest, rows, columns)
      }
    }
    // Probability ½ within five standard deviations of 100 trials; sides 50...99, both ends nearly reached.
    #expect(abs(erased - 50) < 25)
    #expect((50...54).contains(shortest) && (95...99).contains(longest))
  }

  @Test func erasesOneOrTwo() {
    let augmentation = small { a in
      (a.cropHeight, a.cropWidth, a.crop, a.photometric, a.spatial, a.eraserProbability) = (300, 320, .center, false, false, 1)
    }
    // Two rectangles that do not form one: their bounding box has unchanged pixels.
    let several = (0..<60).count { trial in
      var random = random(trial)
      let image = augmentation(sample, random: &random).image2
      let pixels = (0..<300 * 320).filter { image.pixels[3 * $0] == 50 }
      guard let first = pixels.first, let last = pixels.last else { return false }
      let columns = Set(pixels.map { $0 % 320 })
      return pixels.count != (last / 320 - first / 320 + 1) * columns.count
    }
    #expect((10...50).contains(several))
  }
}

struct PhotometricTests {
  @Test func asymmetricColoursInOneOfFive() {
    let augmentation = small { ($0.cropHeight, $0.cropWidth, $0.spatial, $0.eraser, $0.crop) = (6, 6, false, false, .center) }
    let sample = constantSample(height: 6, width: 6)
    let asymmetric = (0..<1000).count { trial in
      var random = random(trial)
      let changed = augmentation(sample, random: &random)
      #expect(changed.flow == sample.flow)
      return changed.image1 != changed.image2
    }
    #expect(abs(asymmetric - 200) < 64)  // five standard deviations
  }
}
