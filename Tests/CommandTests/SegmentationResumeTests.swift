import Base
import Foundation
import Networks
import Tensors
import Testing
import WeightFiles

/// Training of a segmentation network with object context, dropout, batch statistics, scales, crops and flips: however it is interrupted,
/// and whoever reads the data, it ends with the same bytes.
@Suite struct SegmentationResumeTests {
  private static let steps = 12
  private static let context = "object_context: {enabled: true, channels: 16, key_channels: 8, dropout: 0.1}"

  private static func workplace() throws -> Workplace {
    let place = try Workplace()
    try place.prepareSegmentation(model: context, plan: "steps: \(steps), log_every: 5, evaluate_every: 6, save_every: 3", schedule: steps)
    return place
  }

  private static func train(_ place: Workplace, _ options: String...) throws -> Outcome {
    try place.apus(["train", "seg.yaml", "--work-dir", "run", "--resume", "auto"] + options)
  }

  /// The run without any interruption.
  private static let reference = Result {
    let place = try workplace()
    expectSuccess(try train(place))
    return try Trace(place, run: "run", step: steps)
  }

  @Test func theReferenceTrains() throws {
    let reference = try Self.reference.get()
    #expect(reference.rows.count == 5 && Set(reference.rows).count == 5)
    for name in ["loss", "cross_entropy", "cross_entropy_aux", "grad_norm"] {
      #expect(reference.rows[0].contains("\"\(name)\":"), "\(name) in \(reference.rows[0])")
    }
  }

  @Test(arguments: [3, 9]) func stoppedAndResumed(step: Int) throws {
    let place = try Self.workplace()
    let first = try Self.train(place, "--steps", "\(step)")
    #expect(first.exit == 0, "\(first.errors)")
    let resumed = try Self.train(place)
    #expect(resumed.exit == 0 && resumed.errors.contains("resuming run after step \(step)"), "\(resumed.errors)")
    let found = try Trace(place, run: "run", step: Self.steps), reference = try Self.reference.get()
    expectEqualBytes(found.optimizer, reference.optimizer, "optimizer.safetensors")
    expectEqualBytes(found.model, reference.model, "model.safetensors")
  }

  @Test func killedAndResumed() throws {
    let place = try Self.workplace()
    let step = Int.random(in: 2...7), pause = UInt32.random(in: 0...20_000)
    print("kill -9 after the checkpoint of step \(step), \(pause) microseconds later")
    let command = try place.start("train", "seg.yaml", "--work-dir", "run", "--set", "plan.save_every=1", "--set", "plan.keep_last=20")
    let deadline = Date(timeIntervalSinceNow: 100)
    while command.isRunning, !place.exists("\(Trace.checkpoint("run", step))/MANIFEST.json"), Date() < deadline { usleep(1000) }
    try #require(command.isRunning, "the process ended before it could be killed")
    usleep(pause)
    command.send(SIGKILL)
    #expect(try command.wait().signal == SIGKILL)
    let resumed = try Self.train(place)  // warns that save_every was another
    #expect(resumed.exit == 0 && resumed.errors.contains("resuming run after step "), "\(resumed.errors)")
    try Trace(place, run: "run", step: Self.steps).expectEqual(Self.reference.get())
  }

  @Test(arguments: [["--threads", "2", "--set", "train.workers=3"], ["--set", "train.workers=0"]])
  func threadsAndWorkersChangeNothing(option: [String]) throws {
    let place = try Self.workplace()
    expectSuccess(try place.apus(["train", "seg.yaml", "--work-dir", "run"] + option))
    try Trace(place, run: "run", step: Self.steps).expectEqual(Self.reference.get())
  }

  /// The other tests could not fail if nothing were drawn.
  @Test(arguments: ["model.object_context.dropout=0", "augmentation.flip_probability=0", "augmentation.scale_maximum=0.8", "plan.seed=7"])
  func everyRandomSourceIsInUse(option: String) throws {
    let place = try Self.workplace()
    expectSuccess(try Self.train(place, "--set", option))
    #expect(try Trace(place, run: "run", step: Self.steps).model != Self.reference.get().model)
  }

  /// Tensors in, outputs and losses, gradients and updated values out; two calls give the same, though the network has dropout.
  @Test func parityOfGivenTensors() throws {
    let place = try Self.workplace()
    expectSuccess(try Self.train(place, "--steps", "3"))
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
