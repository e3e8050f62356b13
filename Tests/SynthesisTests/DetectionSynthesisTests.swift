import Base
import Data
import Synthesis
import Testing
import Vision

@Suite struct DetectionSynthesisTests {
  /// Small crowded scenes of all classes.
  static let small: DetectionSynthesis = {
    var settings = DetectionSynthesis()
    (settings.height, settings.width) = (64, 80)
    settings.classes = 8
    (settings.fewestObjects, settings.mostObjects) = (3, 9)
    return settings
  }()

  @Test func sampleIsAFunctionOfSeedAndIndex() {
    let first = Self.small.sample(index: 3, seed: 5)
    let again = Self.small.sample(index: 3, seed: 5)
    #expect(first.image == again.image && first.objects.map(\.mask) == again.objects.map(\.mask))
    for other in [Self.small.sample(index: 4, seed: 5), Self.small.sample(index: 3, seed: 6)] { #expect(other.image != first.image) }
    #expect(first.image.channels == 3 && first.image.height == 64 && first.image.width == 80)
  }

  @Test func everyPixelBelongsToOneThing() {
    for index in 0..<12 {
      let scene = Self.small.sample(index: index, seed: 2)
      let (map, segments) = scene.panoptic
      var counts = [Int](repeating: 0, count: 64 * 80)
      for object in scene.objects {
        for (pixel, isObject) in object.mask.flags.enumerated() where isObject { counts[pixel] += 1 }
        #expect(object.mask.area >= Self.small.leastVisibleArea)
      }
      #expect(counts.allSatisfy { $0 < 2 })
      #expect(Set(segments.map(\.id)).count == segments.count && !segments.contains { $0.id == PanopticMap.void })
      #expect(Set(map.segments).subtracting([PanopticMap.void]) == Set(segments.map(\.id)))
      #expect(map.segments.contains(PanopticMap.void) ? scene.hiddenCount > 0 : true)
      for segment in segments {
        let mask = map.mask(of: segment.id)
        #expect(segment.area == mask.area && segment.box == mask.boundingBox)
      }
      // Segments of things are the objects.
      let stuff = Set(StuffClass.allCases.map(\.categoryID))
      let things = segments.filter { !stuff.contains($0.category) }
      #expect(things.map(\.category) == scene.objects.map(\.shape.categoryID))
      #expect(things.map { map.mask(of: $0.id) } == scene.objects.map(\.mask))
      #expect(PanopticMap(colors: map.colors) == map)
    }
  }

  @Test func emptyImagesAndCountsFollowTheSettings() {
    var settings = Self.small
    settings.emptyShare = 1
    #expect(settings.sample(index: 0, seed: 1).objects.isEmpty)
    settings.emptyShare = 0
    (settings.fewestObjects, settings.mostObjects) = (2, 2)
    settings.largestSize = 0.3
    settings.smallestSize = 0.3
    for index in 0..<6 {
      let scene = settings.sample(index: index, seed: 1)
      #expect(scene.objects.count + scene.hiddenCount == 2)
      for box in scene.objects.map(\.mask.boundingBox) { #expect(max(box.width, box.height) <= 0.3 * 64 + 2) }
    }
    settings.classes = 1
    for index in 0..<4 { #expect(settings.sample(index: index, seed: 1).objects.allSatisfy { $0.shape == .disc }) }
  }

  /// What is nearly hidden is no truth, or is not there at all.
  @Test func hiddenObjectsAreLeftOutOrTakenAway() {
    var settings = Self.small
    (settings.fewestObjects, settings.mostObjects) = (14, 14)
    settings.leastVisibleShare = 0.5
    settings.emptyShare = 0
    let left = settings.sample(index: 1, seed: 3)
    #expect(left.hiddenCount > 0)
    #expect(left.panoptic.map.segments.contains(PanopticMap.void), "they are void in the map")
    settings.removesHidden = true
    let taken = settings.sample(index: 1, seed: 3)
    #expect(taken.hiddenCount == 0 && taken.image != left.image)
    #expect(!taken.panoptic.map.segments.contains(PanopticMap.void))
  }

  /// A lonely disc before a plain background has the area of a circle, and its mask stands where its colour stands.
  @Test func masksFitThePicture() throws {
    var settings = DetectionSynthesis()
    (settings.height, settings.width) = (96, 96)
    (settings.fewestObjects, settings.mostObjects, settings.classes, settings.emptyShare) = (1, 1, 1, 0)
    (settings.smallestSize, settings.largestSize, settings.shadow, settings.noise) = (0.5, 0.5, 0, 0)
    (settings.clutter, settings.skyShare, settings.contrast) = (0, 0, 90)
    for index in 0..<8 {
      let scene = settings.sample(index: index, seed: 1)
      let mask = try #require(scene.objects.first).mask
      let box = mask.boundingBox
      let isWhole = box.x > 0 && box.y > 0 && box.x1 < 96 && box.y1 < 96
      if isWhole { #expect(abs(Double(mask.area) - .pi * 24 * 24) < 25, "a circle with a radius of 24 px") }
      let flags = mask.flags
      func mean(_ isInside: Bool) -> SIMD3<Float> {
        let pixels = flags.indices.filter { flags[$0] == isInside }
        return pixels.map { SIMD3<Float>(scene.image[rgb: $0]) }.reduce(SIMD3(repeating: 0), +) / Float(pixels.count)
      }
      let apart = mean(true) - mean(false)
      #expect(((apart * apart).sum() / 3).squareRoot() > 25, "image \(index): the object stands out")
    }
  }

  @Test func wrongSettingsAreNamed() {
    var settings = DetectionSynthesis()
    (settings.classes, settings.emptyShare, settings.smallestSize, settings.quality) = (9, -1, 3, 0)
    let keys = settings.problems().map(\.key)
    #expect(keys == ["classes", "smallest_size", "largest_size", "empty_share", "quality"])
    #expect(throws: Failure.self) { try settings.validate() }
  }
}
