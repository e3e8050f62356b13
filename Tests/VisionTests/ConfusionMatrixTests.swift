import Testing
import Vision

@Suite struct ConfusionMatrixTests {
  private func item(_ category: Int, _ x: Double, _ size: Double = 10) -> ConfusionMatrix.Item {
    ConfusionMatrix.Item(category: category, box: BoundingBox(x: x, y: 0, width: size, height: size))
  }

  @Test func hitsConfusionsMissesAndFalseAlarms() {
    var matrix = ConfusionMatrix(categories: [3, 7])
    matrix.add(truths: [item(3, 0), item(3, 20), item(7, 40)],
               detections: [item(3, 0), item(7, 21), item(7, 80), item(3, 40)], scores: [0.9, 0.6, 0.8, 0.4])
    // Rows: 3, 7, background. The last detection has too low a score, so the object of 7 is missed.
    #expect(matrix.counts == [1, 1, 0,
                              0, 0, 1,
                              0, 1, 0])
  }

  @Test func theHighestOverlapComesFirstAndEachBoxCountsOnce() {
    var matrix = ConfusionMatrix(categories: [1, 2], iouThreshold: 0.3, scoreThreshold: 0)
    matrix.add(truths: [item(1, 0)], detections: [item(2, 3), item(1, 1)], scores: [0.9, 0.1])
    #expect(matrix.counts == [1, 0, 0,
                              0, 0, 0,
                              0, 1, 0])
    matrix.add(truths: [], detections: [], scores: [])
    matrix.add(truths: [item(9, 0)], detections: [item(9, 0)], scores: [1])
    #expect(matrix.counts.reduce(0, +) == 2, "unknown categories are passed over")
  }
}
