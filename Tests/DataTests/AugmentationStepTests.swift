import Base
import Data
import Testing
import TestSupport
import Vision

/// Every augmentation tells its steps without changing what it makes.
@Suite("Steps of augmentations") struct AugmentationStepTests {
  /// Runs a change with and without an observer for several draws: results and draws are the same, and the last view is the result.
  /// - Returns: the steps of every draw.
  private func steps<View, Result: Equatable>(
    _ change: (inout Random, @escaping AugmentationObserver<View>) throws -> Result, last: (View) -> Result
  ) throws -> [[AugmentationStep]] {
    try (0..<30).map { index in
      let start = Random(seed: 3, stream: .augmentation, sample: index)
      var (plain, observed) = (start, start)
      let expected = try change(&plain) { _, _ in }
      var steps: [AugmentationStep] = []
      var view: View?
      let found = try change(&observed) { step, sample in
        steps.append(step)
        view = sample()
      }
      #expect(expected == found && plain == observed, "observing changes nothing")
      #expect(view.map(last) == expected, "the last step shows the result")
      return steps
    }
  }

  private func names(_ steps: [[AugmentationStep]]) -> Set<[String]> { Set(steps.map { $0.map(\.name) }) }

  private func expectBoth(_ name: String, _ steps: [[AugmentationStep]], sourceLocation: SourceLocation = #_sourceLocation) {
    let taken = Set(steps.joined().filter { $0.name == name }.map(\.isTaken))
    #expect(taken == [true, false], "\(name) is drawn for some samples, and not for others", sourceLocation: sourceLocation)
  }

  @Test("image pairs", arguments: [FlowAugmentation.Kind.dense, .sparse]) func pairs(_ kind: FlowAugmentation.Kind) throws {
    var augmentation = FlowAugmentation.chairs
    (augmentation.kind, augmentation.cropHeight, augmentation.cropWidth) = (kind, 24, 32)
    augmentation.maximumDisplacement = .infinity
    let vectors = (0..<2 * 40 * 48).map { Float($0 % 7) - 3 }
    let sample = FlowSample(image1: .noise(height: 40, width: 48), image2: .noise(height: 40, width: 48, seed: 2),
                            flow: FlowField(height: 40, width: 48, vectors: vectors))
    let steps = try steps({ augmentation(sample, random: &$0, seen: $1) }, last: { (view: FlowSample) in view })
    #expect(names(steps) == [["colours", "eraser", "resize", "flip", "crop"]])
    for name in ["eraser", "resize", "flip"] { expectBoth(name, steps) }
    augmentation.photometric = false
    augmentation.eraser = false
    augmentation.spatial = false
    let few = try self.steps({ augmentation(sample, random: &$0, seen: $1) }, last: { (view: FlowSample) in view })
    #expect(names(few) == [["crop"]], "what the settings leave out is not told")
  }

  /// A view before the crop, cut by hand, is the view behind it.
  @Test("the resized and flipped pair holds the crop") func partialTransforms() throws {
    var augmentation = FlowAugmentation.chairs
    (augmentation.cropHeight, augmentation.cropWidth, augmentation.photometric, augmentation.eraser) = (24, 32, false, false)
    let sample = FlowSample(image1: .noise(height: 40, width: 48), image2: .noise(height: 40, width: 48, seed: 2),
                            flow: FlowField(height: 40, width: 48, vectors: (0..<2 * 40 * 48).map { Float($0 % 5) }))
    for index in 0..<10 {
      var random = Random(seed: 9, stream: .augmentation, sample: index)
      var views: [String: FlowSample] = [:]
      var detail = ""
      _ = augmentation(sample, random: &random) { step, view in
        views[step.name] = view()
        if step.name == "crop" { detail = step.detail }
      }
      let numbers = detail.matches(of: #/\d+/#).compactMap { Int($0.0) }
      let (whole, crop) = (try #require(views["flip"]), try #require(views["crop"]))
      let part = whole.image1.part(top: numbers[1], left: numbers[0], height: 24, width: 32)
      #expect(part == crop.image1, "draw \(index): \(detail)")
      #expect(whole.flow[numbers[1] + 5, numbers[0] + 6] == crop.flow[5, 6])
    }
  }

  @Test("objects") func objects() throws {
    var augmentation = DetectionAugmentation()
    (augmentation.sizes, augmentation.maximumSize, augmentation.cropSizes) = ([40, 48], 90, [44, 56])
    (augmentation.cropMinimum, augmentation.cropMaximum) = (24, 40)
    let object = DetectionSample.Object(label: 1, box: BoundingBox(x: 4, y: 6, width: 20, height: 18))
    let sample = DetectionSample(image: .noise(height: 40, width: 56), objects: [object])
    let steps = try steps({ augmentation(sample, random: &$0, seen: $1).image }, last: { (view: DetectionSample) in view.image })
    #expect(names(steps) == [["flip", "crop", "resize"], ["flip", "resize before the crop", "crop", "resize"]])
    for name in ["flip", "crop", "resize"] { expectBoth(name, steps) }
  }

  @Test("classes of pixels") func labels() throws {
    var augmentation = SegmentationAugmentation()
    (augmentation.baseSize, augmentation.cropHeight, augmentation.cropWidth, augmentation.brightness) = (0, 32, 40, 10)
    (augmentation.scaleMinimum, augmentation.scaleMaximum, augmentation.flipPairs) = (0.5, 1.5, [[0, 1]])
    let sample = SegmentationSample(image: .noise(height: 36, width: 48),
                                    labels: LabelMap(height: 36, width: 48, values: (0..<36 * 48).map { UInt16($0 % 48 / 24) }))
    let steps = try steps({ augmentation(sample, random: &$0, seen: $1).labels.values },
                          last: { (view: SegmentationSample) in view.labels.values })
    #expect(names(steps) == [["scale", "crop", "brightness", "flip", "padding"]])
    for name in ["crop", "brightness", "flip", "padding"] { expectBoth(name, steps) }
    // The view of the network's input is its picture again.
    var random = Random(seed: 1, stream: .augmentation)
    var shown: Image?
    let input = augmentation(sample, random: &random) { _, view in shown = view().image }
    let again = try #require(shown)
    let known = input.labels.values.indices.filter { input.labels.values[$0] != LabelMap.ignored }
    #expect(!known.isEmpty && known.allSatisfy { abs((input.pixels[3 * $0] * 0.229 + 0.485) * 255 - Float(again.pixels[3 * $0])) < 0.51 })
  }

  @Test("bodies") func bodies() throws {
    var augmentation = PoseAugmentation()
    augmentation.halfBodyKeypoints = 3
    let skeleton = Skeleton(names: ["left_a", "right_a", "b", "c", "d"], flipPairs: [.init(0, 1)], limbs: [.init(0, 2)],
                            upperBody: [0, 1])
    let keypoints = [(20.0, 20.0), (30, 21), (25, 30), (22, 40), (28, 44)].map { Keypoint(x: $0.0, y: $0.1, visibility: .visible) }
    let settings = PoseCrop(width: 32, height: 64, sigma: 1)
    let crop = settings.crop(around: BoundingBox(x: 15, y: 15, width: 20, height: 34))
    let image = Image.noise(height: 60, width: 50)
    let steps = try steps({ augmentation(image, crop, keypoints, skeleton, settings, random: &$0, seen: $1).image },
                          last: { (view: PoseView) in view.image })
    #expect(names(steps) == [["half body", "scale", "rotation", "flip", "crop"]])
    for name in ["half body", "rotation", "flip"] { expectBoth(name, steps) }
    let plain = try self.steps({ PoseAugmentation.none(image, crop, keypoints, skeleton, settings, random: &$0, seen: $1).image },
                               last: { (view: PoseView) in view.image })
    #expect(names(plain) == [["crop"]])
  }

  @Test("pictures with holes") func holes() throws {
    try withTemporaryFolder { root in
      try Image.noise(height: 20, width: 24).write(to: "\(root)/a.png")
      var augmentation = InpaintingAugmentation()
      augmentation.fit = .resize
      let set = try InpaintingSet(PictureTree(root), .freeForm(.init()), augmentation, size: 16)
      for index in 0..<2 {
        let steps = try steps({ try set.trainingSample(at: index, random: &$0, seen: $1).mask.known },
                              last: { (view: InpaintingView) in view.mask?.known ?? [] })
        #expect(names(steps) == [["as read", "resize", "crop", "mirror", "mask"]])
        #expect(steps.joined().filter { $0.name == "mirror" }.allSatisfy { $0.isTaken == (index == 1) })
      }
    }
  }

  @Test("a sample of the first epoch has the draws of the loader") func draws() throws {
    let order = BatchOrder(count: 5, batchSize: 2, seed: 4)
    var batches = BatchStream(order, workers: 1) { index, random in (index, random.uniform()) }
    for (index, number) in try batches.batch(at: 0) {
      var random = order.random(epoch: 0, index: index)
      #expect(random.uniform() == number)
    }
    #expect(try batches.batch(at: 0).map(\.0) == Array(order.permutation(ofEpoch: 0).prefix(2)))
  }
}
