import Networks
import Tensors
import Testing
import TestSupport

/// Losses of boxes and masks: values by hand from the definitions, gradients against central differences.
@Suite("Losses of detection") struct DetectionLossTests {
  /// Boxes that overlap, boxes that mostly do not, and logits of both signs with a soft truth.
  static let cases = [
    OpCase("generalized IoU of large boxes", nil, [[6, 4], [6, 4]], in: 0.2...0.8) { generalizedIoU($0[0], $0[1]) },
    OpCase("generalized IoU of small boxes", nil, [[8, 4], [8, 4]], in: 0.2...0.8) {
      let scale = Tensor([1, 1, 0.2, 0.2], shape: [1, 4], precision: .float64)
      return generalizedIoU($0[0] * scale, $0[1] * scale)
    },
    OpCase("focal loss", nil, [[3, 5], [3, 5]], in: -3...3, 0.05...0.95) { sigmoidFocalLoss($0[0], $0[1]) },
    OpCase("focal loss, half and half", nil, [[3, 5], [3, 5]], in: -3...3, 0.05...0.95) { sigmoidFocalLoss($0[0], $0[1], alpha: 0.5) },
    OpCase("Dice loss", nil, [[3, 7], [3, 7]], in: -3...3, 0.05...0.95) { diceLoss($0[0], $0[1]) },
  ]

  @Test("float64 gradients equal central differences", arguments: cases) func gradients(_ item: OpCase) {
    var check = GradientCheck()
    let problem = check.check(item)
    #expect(problem == nil)
  }

  private func vector(_ values: [Double]) -> Tensor { Tensor(values, shape: [values.count], precision: .float64) }

  @Test("generalized IoU by hand") func boxes() {
    func rows(_ values: [[Double]]) -> Tensor { Tensor(values.flatMap { $0 }, shape: [values.count, 4], precision: .float64) }
    let a = rows([[0.5, 0.5, 0.4, 0.2], [0.25, 0.5, 0.5, 1], [0.125, 0.125, 0.25, 0.25], [0.5, 0.5, 1, 1]])
    let b = rows([[0.5, 0.5, 0.4, 0.2], [0.75, 0.5, 0.5, 1], [0.875, 0.875, 0.25, 0.25], [0.5, 0.5, 0.5, 0.5]])
    // The same box; two halves of a square; two corners of a square, 1/8 of it together; a quarter inside a whole.
    let expected = vector([1, 0, -0.875, 0.25])
    #expect(difference(generalizedIoU(a, b), expected, absolute: 1e-14) == nil)
    #expect(difference(generalizedIoU(b, a), expected, absolute: 1e-14) == nil)
  }

  /// Boxes that do not touch pull each other: IoU alone has no gradient there.
  @Test("boxes that do not touch have a gradient") func apart() throws {
    let a = Tensor([0.2, 0.2, 0.1, 0.1], shape: [1, 4], precision: .float64).asLeaf()
    let b = Tensor([0.8, 0.2, 0.1, 0.1], shape: [1, 4], precision: .float64)
    let gradient = try #require(generalizedIoU(a, b).sum().gradients()[a]).doubles
    #expect(gradient[0] > 0.1 && abs(gradient[1]) < 1e-12)
  }

  @Test("focal and Dice loss by hand") func masks() {
    let ln2 = 0.693147180559945309
    let logits = Tensor([0, 0, 200, -200], shape: [1, 4], precision: .float64)
    let truth = Tensor([1, 0, 0, 1], shape: [1, 4], precision: .float64)
    // Undecided: (1/2)² log 2 by the weight of ones, 1/4, or of zeros, 3/4. Surely wrong: the distance of the logit.
    let focal = Tensor([0.25 * 0.25 * ln2, 0.75 * 0.25 * ln2, 0.75 * 200, 0.25 * 200], shape: [1, 4], precision: .float64)
    #expect(difference(sigmoidFocalLoss(logits, truth), focal, relative: 1e-13) == nil)
    let right = sigmoidFocalLoss(logits, 1 - truth)
    #expect(right.doubles[2...].allSatisfy { $0 < 1e-100 })
    // Rows: one of two undecided pixels; all right; nothing to find and nothing found.
    let rows = Tensor([0, 0, 200, -200, -200, -200], shape: [3, 2], precision: .float64)
    let pixels = Tensor([1, 0, 1, 0, 0, 0], shape: [3, 2], precision: .float64)
    #expect(difference(diceLoss(rows, pixels), vector([1 - 2.0 / 3, 0, 0]), absolute: 1e-14) == nil)
  }

  @Test("sure logits have finite gradients in float32") func extremes() throws {
    let logits = Tensor([Float(90), -90, 300, -300], shape: [1, 4]).asLeaf()
    let truth = Tensor([Float(0), 1, 1, 0], shape: [1, 4])
    for loss in [sigmoidFocalLoss(logits, truth).sum(), diceLoss(logits, truth).sum()] {
      #expect(loss.item.isFinite)
      #expect(try #require(loss.gradients()[logits]).isFinite)
    }
  }
}
