import Base
import Data
import Testing
import TestSupport
import Vision

@Suite("Augmentation of segmentation") struct SegmentationAugmentationTests {
  /// Each label is told by its pixel's colour, so that both can be compared after any change.
  private func sample(height: Int, width: Int) -> SegmentationSample {
    var image = Image(height: height, width: width, channels: 3)
    var labels = LabelMap(height: height, width: width, filledWith: 0)
    for i in 0..<height * width {
      let label = UInt8((i % width / 16 + i / width / 16) % 3)
      image[rgb: i] = RGB(repeating: 100 * label)
      labels.values[i] = UInt16(label)
    }
    return SegmentationSample(image: image, labels: labels)
  }

  private func augmentation(_ crop: Int, _ change: (inout SegmentationAugmentation) -> Void = { _ in }) -> SegmentationAugmentation {
    var augmentation = SegmentationAugmentation()
    augmentation.baseSize = 0
    augmentation.cropHeight = crop
    augmentation.cropWidth = crop
    change(&augmentation)
    return augmentation
  }

  /// The grey level of a pixel before normalisation.
  private func level(_ input: SegmentationInput, _ pixel: Int) -> Float { (input.pixels[3 * pixel] * 0.229 + 0.485) * 255 }

  @Test("labels stay with their pixels under scale, crop and flip") func aligned() {
    let augmentation = augmentation(32)
    for index in 0..<20 {
      var random = Random(seed: 5, stream: .augmentation, sample: index)
      let input = augmentation(sample(height: 64, width: 96), random: &random)
      #expect(input.height == 32 && input.width == 32 && input.labels.values.count == 32 * 32)
      var known = 0
      var near = 0
      for pixel in input.labels.values.indices where input.labels.values[pixel] != LabelMap.ignored {
        known += 1
        if abs(level(input, pixel) - 100 * Float(input.labels.values[pixel])) < 51 { near += 1 }
      }
      // Only bilinear pixels at the edges of patches may be nearer to another level.
      #expect(known > 0 && Double(near) > 0.8 * Double(known), "\(near) of \(known)")
    }
  }

  @Test("a picture smaller than the crop stands in a corner; the rest is the mean colour and ignored") func padding() {
    let augmentation = augmentation(16) {
      $0.scaleMaximum = 0.5
      $0.flipProbability = 0
    }
    var random = Random(seed: 1, stream: .augmentation)
    let input = augmentation(sample(height: 8, width: 16), random: &random)
    for y in 0..<16 {
      for x in 0..<16 {
        let isPicture = y < 4 && x < 8
        #expect((input.labels.values[16 * y + x] != LabelMap.ignored) == isPicture)
        if !isPicture { #expect(input.pixels[3 * (16 * y + x)] == 0) }
      }
    }
    var flipping = augmentation
    flipping.flipProbability = 1
    var again = Random(seed: 1, stream: .augmentation)
    let flipped = flipping(sample(height: 8, width: 16), random: &again)
    let expected = (0..<16).flatMap { y -> [UInt16] in input.labels.values[16 * y..<16 * (y + 1)].reversed() }
    #expect(flipped.labels.values == expected)
  }

  @Test("a flip exchanges paired classes") func pairs() {
    let augmentation = augmentation(8) {
      $0.scaleMinimum = 1
      $0.scaleMaximum = 1
      $0.flipProbability = 1
      $0.flipPairs = [[0, 2]]
    }
    var random = Random(seed: 1, stream: .augmentation)
    let plain = sample(height: 8, width: 8)
    let input = augmentation(plain, random: &random)
    var expected: [UInt16] = []
    for y in 0..<8 {
      for label in plain.labels.values[8 * y..<8 * (y + 1)].reversed() { expected.append(2 - label) }
    }
    #expect(input.labels.values == expected)
  }

  @Test("sizes as the published code has them: round of the longer side, half up") func sizes() {
    let augmentation = augmentation(64) { $0.baseSize = 50 }
    let image = Image(height: 30, width: 41, channels: 3)
    #expect(augmentation.evaluated(image).height == 37 && augmentation.evaluated(image).width == 50)
    #expect(augmentation.evaluated(image, factor: 0.75).height == 28 && augmentation.evaluated(image, factor: 0.75).width == 38)
    let filled = augmentation.evaluated(image, least: (64, 32))
    #expect(filled.input.height == 64 && filled.input.width == 50 && filled.height == 37)
  }

  /// 0.5, 0.6, ... 2.1: seventeen factors, drawn alike.
  @Test("the scale is drawn in steps") func factors() {
    let augmentation = augmentation(8) {
      $0.cropHeight = 512
      $0.cropWidth = 8
      $0.flipProbability = 0
    }
    var heights: [Int: Int] = [:]
    for index in 0..<1700 {
      var random = Random(seed: 9, stream: .augmentation, sample: index)
      let input = augmentation(SegmentationSample(image: Image(height: 100, width: 4, channels: 3),
                                                  labels: LabelMap(height: 100, width: 4, filledWith: 0)), random: &random)
      heights[input.labels.values.enumerated().count { $0.offset % 8 == 0 && $0.element == 0 }, default: 0] += 1
    }
    #expect(heights.keys.sorted() == (0...16).map { 50 + 10 * $0 })
    #expect(heights.values.allSatisfy { (60...140).contains($0) })
  }

  @Test func problems() {
    let augmentation = augmentation(4) {
      $0.scaleMinimum = 3
      $0.flipPairs = [[1, 2], [2, 3]]
      $0.normalization.mean = [1]
    }
    #expect(augmentation.problems().map(\.key) == ["crop_height", "crop_width", "scale_maximum", "flip_pairs"])
    #expect(augmentation.normalization.problems().map(\.key) == ["mean"])
  }
}
