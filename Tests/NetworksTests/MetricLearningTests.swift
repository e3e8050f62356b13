import Networks
import Tensors
import Testing
import TestSupport

/// Losses of feature vectors: values and gradients of PyTorch, gradients against central differences, and corners by hand.
@Suite("Losses of feature vectors") struct MetricLearningTests {
  private static let labels = [0, 0, 1, 1, 2, 2]

  static let cases = [
    OpCase("cosine softmax", nil, [[6, 4], [3, 4], [1]]) { cosineSoftmax($0[0], weights: $0[1], scale: $0[2].softplus(), labels) },
    OpCase("contrastive", nil, [[6, 4]]) { contrastiveLoss($0[0], labels, margin: 1.3) },
    OpCase("balanced contrastive", nil, [[6, 4]]) { contrastiveLoss($0[0], labels, margin: 1.3, isBalanced: true) },
    OpCase("triplet", nil, [[6, 4]]) { tripletLoss($0[0], labels, margin: .hinge(0.3)) },
    OpCase("soft triplet", nil, [[6, 4]]) { tripletLoss($0[0], labels, margin: .soft) },
    OpCase("batch hard", nil, [[6, 4]]) { batchHardTripletLoss($0[0], labels, margin: .hinge(0.3)) },
    OpCase("soft batch hard", nil, [[6, 4]]) { batchHardTripletLoss($0[0], labels, margin: .soft) },
    OpCase("verification", nil, [[6, 4], [4, 1], [1]]) { verificationLoss($0[0], labels, weight: $0[1], bias: $0[2], isBalanced: true) },
  ]

  @Test("float64 gradients equal central differences", arguments: cases) func gradients(_ item: OpCase) {
    var check = GradientCheck()
    let problem = check.check(item)
    #expect(problem == nil)
  }

  private static let kinds = ["cosine_softmax", "contrastive", "triplet", "batch_hard", "verification"]

  @Test("values and gradients are PyTorch's", arguments: kinds.flatMap { Fixture.cases(of: $0, in: "appearance_losses") })
  func parity(_ item: String) throws {
    let fixture = try Fixture("appearance_losses"), settings = try fixture.settings(item)
    let labels = try fixture.integers("\(item)/labels")
    let names = ["features", "weight", "scale", "bias"].filter { fixture.has("\(item)/\($0)") }
    var leaves: [String: Tensor] = [:]
    for name in names { leaves[name] = try fixture.tensor("\(item)/\(name)").asLeaf() }
    let features = try #require(leaves["features"])
    let soft = settings.has("soft") ? try settings.bool("soft") : false, balanced = settings.has("balanced") ? try settings.bool("balanced") : false
    let margin = settings.has("margin") ? try settings.double("margin") : 0
    let loss: Tensor
    switch try settings.string("operation") {
    case "cosine_softmax":
      loss = cosineSoftmax(features, weights: try #require(leaves["weight"]), scale: try #require(leaves["scale"]).softplus(), labels)
    case "contrastive": loss = contrastiveLoss(features, labels, margin: margin, isBalanced: balanced)
    case "triplet": loss = tripletLoss(features, labels, margin: soft ? .soft : .hinge(margin))
    case "batch_hard": loss = batchHardTripletLoss(features, labels, margin: soft ? .soft : .hinge(margin))
    default:
      let weight = try #require(leaves["weight"]).reshaped(to: [-1, 1])
      loss = verificationLoss(features, labels, weight: weight, bias: try #require(leaves["bias"]), isBalanced: balanced)
    }
    #expect(abs(loss.item - (try fixture.tensor("\(item)/loss").item)) < 1e-12)
    let gradients = loss.gradients()
    for (name, leaf) in leaves {
      let problem = difference(try #require(gradients[leaf]), try fixture.tensor("\(item)/grad.\(name)"), absolute: 1e-11)
      #expect(problem == nil, "\(item), \(name)")
    }
  }

  @Test("there are cases of every loss") func coverage() {
    for (kind, count) in zip(Self.kinds, [1, 2, 2, 2, 2]) { #expect(Fixture.cases(of: kind, in: "appearance_losses").count == count) }
  }

  @Test("the hardest triplets by hand") func hardest() {
    // On a line: identity 0 at 0, 1 and 4, identity 1 at 2 and 9.
    let x = Tensor([0, 1, 4, 2, 9], shape: [5, 1], precision: .float64), labels = [0, 0, 0, 1, 1]
    // Farthest of the own, nearest of the other: 4 - 2, 3 - 1, 4 - 2, 7 - 1, 7 - 5.
    #expect(abs(batchHardTripletLoss(x, labels, margin: .hinge(0.5)).item - (14 + 2.5) / 5) < 1e-12)
    #expect(abs(batchHardTripletLoss(x, labels, margin: .hinge(-2)).item - 4.0 / 5) < 1e-12)
  }

  @Test("an identity with a single row has no positive: it counts as a negative alone") func single() {
    let x = Tensor([0, 1, 3], shape: [3, 1], precision: .float64)
    #expect(abs(batchHardTripletLoss(x, [0, 0, 1], margin: .hinge(0)).item) < 1e-12)            // 1 - 3 and 1 - 2
    #expect(abs(batchHardTripletLoss(x, [0, 0, 1], margin: .hinge(2.5)).item - (0.5 + 1.5) / 2) < 1e-12)
    #expect(abs(tripletLoss(x, [0, 0, 1], margin: .hinge(2.5)).item - 1) < 1e-12)
  }

  @Test("equal rows have a finite gradient", arguments: Precision.allCases) func equalRows(_ precision: Precision) throws {
    let x = Tensor([1, 0, 1, 0, 1, 0, 0, 1], shape: [4, 2], precision: precision).asLeaf(), labels = [0, 0, 1, 1]
    for loss in [contrastiveLoss(x, labels), tripletLoss(x, labels, margin: .hinge(0.2)), batchHardTripletLoss(x, labels, margin: .soft)] {
      #expect(loss.item.isFinite)
      #expect(try #require(loss.gradients()[x]).isFinite)
    }
  }

  @Test("a batch without triplets") func none() async {
    await #expect(processExitsWith: .failure) { _ = tripletLoss(.zeros([2, 3]), [0, 1], margin: .soft) }
    await #expect(processExitsWith: .failure) { _ = batchHardTripletLoss(.zeros([2, 3]), [0, 0], margin: .soft) }
  }
}
