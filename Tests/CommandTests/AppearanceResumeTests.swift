import Base
import Foundation
import Networks
import Tensors
import Testing
import WeightFiles

/// Training of an appearance network with dropout, batch statistics, batches of identities and every random change: however it is
/// interrupted, and whoever reads the data, it ends with the same bytes.
@Suite struct AppearanceResumeTests {
  private static let training = ShortTraining("look.yaml") { try $0.prepareAppearance(plan: ShortTraining.plan) }

  @Test func theReferenceTrains() throws { try Self.training.expectRows(with: ["loss", "scale", "grad_norm"]) }

  @Test(arguments: [3, 9]) func stoppedAndResumed(step: Int) throws { try Self.training.expectSameWhenStopped(after: step) }

  @Test func killedAndResumed() throws { try Self.training.expectSameWhenKilled() }

  @Test(arguments: ShortTraining.threadsAndWorkers) func threadsAndWorkersChangeNothing(option: [String]) throws {
    try Self.training.expectSame(with: option)
  }

  /// The other tests could not fail if nothing were drawn.
  @Test(arguments: ["model.dropout=0", "augmentation.flip_probability=0", "augmentation.crop_share=0", "augmentation.brightness=0.4",
                    "augmentation.erase_probability=0", "train.crops_per_identity=0", "plan.seed=7"])
  func everyRandomSourceIsInUse(option: String) throws { try Self.training.expectOther(with: option) }

  @Test func parityOfGivenTensors() throws {
    let place = try Self.training.workplace()
    var random = Random(seed: 4, stream: .test)
    let image = Tensor.uniform([6, 3, 32, 16], from: 0, to: 255, &random)
    let labels = Tensor([0, 0, 1, 1, 2, 2], shape: [6])
    try Safetensors([.init("image", image), .init("label", labels)]).write(to: place.path("in.safetensors"))
    expectSuccess(try Self.training.train(place, "--steps", "1"))
    // The weights of a training are two parts: the network, and what the loss learned.
    let checkpoint = Trace.checkpoint("run", 1)
    let network = try Safetensors(at: place.path("\(checkpoint)/model.safetensors"))
    let head = try Safetensors(at: place.path("\(checkpoint)/head.safetensors"))
    #expect(head["weight"]?.shape == [6, 16] && head["scale"]?.shape == [1])
    try Safetensors(network.entries + head.entries.map { $0.renamed("head.\($0.name)") }).write(to: place.path("w.safetensors"))
    for out in ["a", "b"] {
      expectSuccess(try place.apus("parity", "look.yaml", "--weights", "w.safetensors", "--inputs", "in.safetensors", "--out",
                                   "\(out).safetensors", "--steps", "2", "--precision", "float64"))
    }
    expectEqualBytes(try place.bytes("a.safetensors"), try place.bytes("b.safetensors"), "parity")
    let file = try Safetensors(at: place.path("a.safetensors"))
    #expect(file["output.features"]?.shape == [6, 16] && file["loss.total"] != nil && file["loss.scale"] != nil)
    let names = Set(file.entries.map(\.name))
    #expect(names.isSuperset(of: ["grad.head.weight", "grad.dense.weight", "param.head.scale", "buffer.ball.running_mean"]))
    try Safetensors([.init("image", image), .init("label", labels + 5)]).write(to: place.path("in.safetensors"))
    expectFailure(try place.apus("parity", "look.yaml", "--weights", "w.safetensors", "--inputs", "in.safetensors", "--out", "c.safetensors"), 65,
                  "label has the value", "below 6")
  }
}
