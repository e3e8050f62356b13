import Base
import Foundation
import Networks
import Tensors
import Testing
import WeightFiles

/// Training of a segmentation network with object context, dropout, batch statistics, scales, crops and flips: however it is interrupted,
/// and whoever reads the data, it ends with the same bytes.
@Suite struct SegmentationResumeTests {
  private static let training = ShortTraining("seg.yaml") {
    let context = "object_context: {enabled: true, channels: 16, key_channels: 8, dropout: 0.1}"
    try $0.prepareSegmentation(model: context, plan: ShortTraining.plan, schedule: ShortTraining.steps)
  }

  @Test func theReferenceTrains() throws {
    try Self.training.expectRows(with: ["loss", "cross_entropy", "cross_entropy_aux", "grad_norm"])
  }

  @Test(arguments: [3, 9]) func stoppedAndResumed(step: Int) throws { try Self.training.expectSameWhenStopped(after: step) }

  @Test func killedAndResumed() throws { try Self.training.expectSameWhenKilled() }

  @Test(arguments: ShortTraining.threadsAndWorkers) func threadsAndWorkersChangeNothing(option: [String]) throws {
    try Self.training.expectSame(with: option)
  }

  /// The other tests could not fail if nothing were drawn.
  @Test(arguments: ["model.object_context.dropout=0", "augmentation.flip_probability=0", "augmentation.scale_maximum=0.8", "plan.seed=7"])
  func everyRandomSourceIsInUse(option: String) throws { try Self.training.expectOther(with: option) }

  /// Tensors in, outputs and losses, gradients and updated values out; two calls give the same, though the network has dropout.
  @Test func parityOfGivenTensors() throws {
    let place = try Self.training.workplace()
    expectSuccess(try Self.training.train(place, "--steps", "3"))
    var random = Random(seed: 4, stream: .test)
    var values: [Double] = []
    for _ in 0..<2 * 3 * 32 * 64 { values.append(random.normal()) }
    var classes: [Double] = []
    for pixel in 0..<2 * 32 * 64 { classes.append(pixel % 7 == 0 ? 255 : Double(pixel % 3)) }
    let image = Tensor(values, shape: [2, 3, 32, 64])
    let labels = Tensor(classes, shape: [2, 32, 64])
    try Safetensors([.init("image", image), .init("label", labels)]).write(to: place.path("in.safetensors"))
    for out in ["a", "b"] {
      expectSuccess(try place.apus("parity", "seg.yaml", "--weights", "run", "--inputs", "in.safetensors", "--out", "\(out).safetensors",
                                   "--steps", "2", "--precision", "float64"))
    }
    expectEqualBytes(try place.bytes("a.safetensors"), try place.bytes("b.safetensors"), "parity")
    let file = try Safetensors(at: place.path("a.safetensors"))
    #expect(file["output.logits"]?.shape == [2, 3, 8, 16] && file["output.logits.aux"]?.shape == [2, 3, 8, 16])
    func loss(_ name: String) throws -> Double { try #require(file["loss.\(name)"]?.tensor?.item) }
    #expect(abs(try loss("total") - loss("cross_entropy") - 0.4 * loss("cross_entropy_aux")) < 1e-12)
    let names = file.entries.map(\.name)
    #expect(names.contains { $0.hasPrefix("grad.") } && names.contains { $0.hasPrefix("param.") } && names.contains { $0.hasPrefix("buffer.") })
    #expect(names.contains("buffer.bn1.running_mean") && names.contains("param.cls_head.weight"))
    try Safetensors([.init("image", image), .init("label", labels + 1)]).write(to: place.path("in.safetensors"))
    expectFailure(try place.apus("parity", "seg.yaml", "--weights", "run", "--inputs", "in.safetensors", "--out", "c.safetensors"), 65,
                  "label has the value", "expected 0 to 2, or 255")
  }
}
