import Networks
import Tensors
import Testing
import TestSupport

/// Losses of heatmaps and label maps: values by hand from the definitions, gradients against central differences.
@Suite("Losses of heatmaps and label maps") struct DenseLossTests {
  private static let weights = Tensor([1, 0, 0.5, 1.5, 1, 0], shape: [2, 3], precision: .float64)
  private static let labels = [0, 2, 255, 1, 1, 3, 255, 0]

  static let cases = [
    OpCase("heatmaps", nil, [[2, 3, 4, 3], [2, 3, 4, 3]]) { heatmapMSE($0[0], $0[1]) },
    OpCase("weighted heatmaps", nil, [[2, 3, 4, 3], [2, 3, 4, 3], [2, 3]]) { heatmapMSE($0[0], $0[1], weight: $0[2]) },
    OpCase("hard keypoints", nil, [[2, 3, 4, 3], [2, 3, 4, 3]]) { onlineHardKeypoints($0[0], $0[1], weight: weights, top: 2) },
    OpCase("hard pixels", nil, [[2, 2, 2, 4]], in: -3...3) {
      onlineHardCrossEntropy($0[0], labels, threshold: 0.3, minKept: 3, weights: [1, 2, 0.5, 1])
    },
  ]

  @Test("float64 gradients equal central differences", arguments: cases) func gradients(_ item: OpCase) {
    var check = GradientCheck()
    let problem = check.check(item)
    #expect(problem == nil)
  }

  /// Two images of 1x2 pixels and 3 keypoints; the differences are 1, 2 and 4 times the pixel's number.
  private var maps: (prediction: Tensor, target: Tensor) {
    let values: [Double] = [1, 2, 4, 2, 4, 8, 1, 2, 4, 2, 4, 8]
    return (Tensor(values, shape: [2, 1, 2, 3], precision: .float64), .zeros([2, 1, 2, 3], .float64))
  }

  @Test("heatmaps by hand") func heatmaps() {
    let (p, t) = maps
    // Squares of a keypoint over its two pixels: 5, 20, 80.
    #expect(abs(heatmapMSE(p, t).item - 0.5 * 2 * 105 / 12) < 1e-14)
    let weighted = (1 * 5 + 0.25 * 80 + 2.25 * 5 + 20) / 12 * 0.5
    #expect(abs(heatmapMSE(p, t, weight: Self.weights).item - weighted) < 1e-14)
  }

  @Test("the hardest keypoints by hand, and of all keypoints the mean") func hardKeypoints() {
    let (p, t) = maps
    // Errors of a keypoint: half its mean square, 1.25, 5 and 20; the weights make them 1.25, 0, 5 and 2.8125, 5, 0.
    #expect(abs(onlineHardKeypoints(p, t, top: 2).item - 12.5) < 1e-14)
    #expect(abs(onlineHardKeypoints(p, t, weight: Self.weights, top: 2).item - (6.25 / 2 + 7.8125 / 2) / 2) < 1e-14)
    #expect(abs(onlineHardKeypoints(p, t, weight: Self.weights, top: 3).item - heatmapMSE(p, t, weight: Self.weights).item) < 1e-14)
  }

  @Test("more hard keypoints than there are") func tooMany() async {
    await #expect(processExitsWith: .failure) { _ = onlineHardKeypoints(.zeros([1, 2, 2, 3]), .zeros([1, 2, 2, 3]), top: 4) }
  }

  /// Logits `[log p, log (1 - p)]` of two classes, so that the probabilities are known.
  private func logits(_ probabilities: [Double]) -> Tensor {
    let p = Tensor(probabilities, shape: [probabilities.count, 1], precision: .float64)
    return concatenate([p, 1 - p], axis: 1).log()
  }

  @Test("the hardest pixels by hand", arguments: [
    (0.5, 1, [0.2, 0.4]),               // below the threshold
    (0.3, 3, [0.2, 0.4, 0.6]),          // three at least: the fourth's probability is the threshold
    (0.1, 0, [0.2]),                    // one at least
    (0.3, 100, [0.2, 0.4, 0.6, 0.8]),   // more than there are: all but the easiest
    (1.0, 1, [0.2, 0.4, 0.6, 0.8, 0.9]),
  ]) func hardPixels(_ threshold: Double, _ kept: Int, _ hard: [Double]) {
    let x = logits([0.6, 0.9, 0.5, 0.2, 0.8, 0.4])
    let loss = onlineHardCrossEntropy(x, [0, 0, 255, 0, 0, 0], threshold: threshold, minKept: kept, weights: [2, 5])
    let expected = -2 * Tensor(hard, shape: [hard.count], precision: .float64).log().mean().item
    #expect(abs(loss.item - expected) < 1e-14)
  }

  @Test("nothing to learn from is no loss") func nothing() {
    let x = logits([0.6, 0.9]).asLeaf()
    #expect(onlineHardCrossEntropy(x, [255, 255]).item == 0)
    #expect(onlineHardCrossEntropy(x, [0, 255], threshold: 0.1, minKept: 9).item == 0)  // the only pixel is not below itself
  }
}
