import Testing
import Vision

@Suite("Scores of segmentation") struct SegmentationScoreTests {
  private func map(_ values: [UInt16]) -> LabelMap { LabelMap(height: 1, width: values.count, values: values) }

  @Test func byHand() throws {
    var score = SegmentationScore(classes: 3)
    score.add(truth: map([0, 0, 0, 1, 1, 255]), found: map([0, 0, 1, 1, 0, 2]))
    score.add(truth: map([2, 2]), found: map([2, 0]))
    #expect(score.counts == [2, 1, 0, 1, 1, 0, 1, 0, 1])
    #expect(score.pixels == 7, "ignored pixels do not count, whatever was found")
    let ious: [Double] = [2.0 / 5, 1.0 / 3, 1.0 / 2]
    let accuracies: [Double] = [2.0 / 3, 1.0 / 2, 1.0 / 2]
    #expect(score.classScores.map(\.iou) == ious)
    #expect(score.classScores.map(\.accuracy) == accuracies)
    #expect(score.meanIoU == ious.reduce(0, +) / 3)
    #expect(score.pixelAccuracy == 4.0 / 7)
    #expect(score.meanAccuracy == accuracies.reduce(0, +) / 3)
  }

  /// Neither in the labels nor found: in no mean. Found but in no label: IoU 0, which counts; no accuracy.
  @Test func absentClasses() {
    var score = SegmentationScore(classes: 4)
    score.add(truth: map([0, 0, 1, 1]), found: map([0, 2, 1, 1]))
    #expect(score.classScores.map(\.isAbsent) == [false, false, false, true])
    #expect(score.classScores.map(\.iou) == [0.5, 1, 0, nil])
    #expect(score.classScores.map(\.accuracy) == [0.5, 1, nil, nil])
    #expect(score.meanIoU == 0.5 && score.meanAccuracy == 0.75 && score.pixelAccuracy == 0.75)
    let empty = SegmentationScore(classes: 2)
    #expect(empty.meanIoU == nil && empty.pixelAccuracy == nil && empty.meanAccuracy == nil && empty.frequencyWeightedIoU == nil)
  }

  /// The same numbers through NumPy 2: `bincount` of `classes · truth + found`, and means without NaN.
  @Test func numpy() throws {
    let size = 20 * 30
    var found: [UInt16] = []
    var truth: [UInt16] = []
    for i in 0..<size {
      let label = (7 * i + i / 5) % 6
      let other = (3 * i + 2 * i * i + i / 11) % 5
      found.append(UInt16(i % 4 == 0 ? other : label % 5))
      truth.append(i % 13 == 0 ? 255 : UInt16(label))
    }
    var score = SegmentationScore(classes: 7)
    for half in [0..<300, 300..<600] {  // two pictures of 10 x 30
      score.add(truth: LabelMap(height: 10, width: 30, values: Array(truth[half])),
                found: LabelMap(height: 10, width: 30, values: Array(found[half])))
    }
    #expect(score.pixels == 553)
    #expect(abs(try #require(score.meanIoU) - 0.6809558476234329) < 1e-15)
    #expect(abs(try #require(score.pixelAccuracy) - 0.810126582278481) < 1e-15)
    #expect(abs(try #require(score.meanAccuracy) - 0.8101392301392302) < 1e-15)
    #expect(abs(try #require(score.frequencyWeightedIoU) - 0.6809758322390641) < 1e-15)
  }

  @Test func picturesInAnyOrder() {
    var whole = SegmentationScore(classes: 2)
    whole.add(truth: map([0, 1]), found: map([1, 1]))
    whole.add(truth: map([1, 1]), found: map([0, 1]))
    var first = SegmentationScore(classes: 2)
    first.add(truth: map([1, 1]), found: map([0, 1]))
    var second = SegmentationScore(classes: 2)
    second.add(truth: map([0, 1]), found: map([1, 1]))
    first.add(second)
    #expect(first == whole)
  }
}

@Suite("Label maps") struct LabelMapTests {
  /// The pixel at ⌊i · h / newHeight⌋.
  @Test func nearest() {
    let map = LabelMap(height: 2, width: 3, values: [1, 2, 3, 4, 5, 6])
    #expect(map.resized(height: 4, width: 2).values == [1, 2, 1, 2, 4, 5, 4, 5])
    #expect(map.resized(height: 1, width: 7).values == [1, 1, 1, 2, 2, 3, 3])
    #expect(map.counts().map(\.value) == [1, 2, 3, 4, 5, 6])
  }
}
