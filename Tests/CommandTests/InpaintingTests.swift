import Base
import Data
import Foundation
import Tensors
import Testing
import Vision
import WeightFiles

/// Inpainting from the command line: learning, metrics, completions, and mistakes in pictures and masks.
@Suite struct InpaintingTests {
  private static let plan = "steps: 2, log_every: 1, evaluate_every: 0, save_every: 0"

  private func trained(plan: String = plan) throws -> Workplace {
    let place = try Workplace()
    try place.prepareInpainting(plan: plan)
    expectSuccess(try place.apus("train", "mat.yaml", "--work-dir", "run"))
    return place
  }

  @Test("what evaluate writes is what it counts; another seed differs in the hole alone") func evaluation() throws {
    let place = try trained()
    let outcome = try place.apus("evaluate", "mat.yaml", "--weights", "run", "--json", "--results", "results", "--save-visuals", "seen")
    expectSuccess(outcome)
    let found = try JSONDecoder().decode([String: Double?].self, from: Foundation.Data(outcome.output.utf8))
    var sums = (hole: 0.0, mean: 0.0, nearest: 0.0)
    let mask = Workplace.window()
    let hole = mask.known.map { $0 == 0 }
    for index in 20..<23 {
      let (truth, image) = (Workplace.halves(index), try Image(contentsOf: place.path("results/\(index).png")))
      #expect(mask.known.indices.allSatisfy { mask.known[$0] == 0 || image[rgb: $0] == truth[rgb: $0] }, "known pixels keep their bytes")
      sums.hole += ImageSimilarity(truth, image).l1(over: hole) ?? .nan
      sums.mean += ImageSimilarity(truth, truth.filledWithMean(mask)).l1(over: hole) ?? .nan
      sums.nearest += ImageSimilarity(truth, truth.filledFromNearest(mask)).l1(over: hole) ?? .nan
    }
    for (name, sum) in [("L1_hole", sums.hole), ("L1_hole.mean_color", sums.mean), ("L1_hole.nearest_pixel", sums.nearest)] {
      #expect(abs(((found[name] ?? nil) ?? .nan) - sum / 3) < 1e-9, "\(name) in \(outcome.output)")
    }
    #expect(found["images"] == 3)
    for name in ["20.png", "20_masks.png", "20_windows.png"] { #expect(place.exists("seen/\(name)"), "\(name)") }
    let text = try place.apus("evaluate", "mat.yaml", "--weights", "run").output
    #expect(text.contains("3 pictures, one completion each (seed 240), masks of masks; white is known, black is the hole, hole 25.0 %"), "\(text)")
    let said = try place.apus("evaluate", "mat.yaml", "--weights", "run").errors
    #expect(said.contains("checkpoint of run, step 2, its ema"), "\(said)")
    #expect(text.contains("of the mean colour") && text.contains("of the nearest known pixel"))
    expectSuccess(try place.apus("evaluate", "mat.yaml", "--weights", "run", "--results", "one", "--set", "inference.batch_size=1"))
    expectEqualBytes(try place.bytes("one/21.png"), try place.bytes("results/21.png"), "in any batch")
  }

  @Test("an evaluation writes nothing among its data") func resultsAmongData() throws {
    let place = try trained()
    let before = try place.bytes("val/20.png")
    for (option, path, key) in [("--save-visuals", "val", "validation.images"), ("--results", "masks/new/one", "validation.masks.folder"),
                                ("--samples", "train/0/0.png", "data.images")] {
      expectFailure(try place.apus("evaluate", "mat.yaml", "--weights", "run", option, path), 64, "\(option) \(path): this would land among the data of '\(key)'")
    }
    expectEqualBytes(try place.bytes("val/20.png"), before, "a picture")
    #expect(!place.exists("masks/new"))
  }

  @Test("pictures of any size are completed, several times, with their bytes outside of the hole") func prediction() throws {
    let place = try trained()
    let (height, width) = (50, 90)
    let image = Workplace.halves(3, height: height, width: width)
    let mask = Workplace.window(height: height, width: width)
    try place.write("in/a.png", PNG.encode(image))
    try place.write("in/a_mask.png", PNG.encode(mask.image))
    func run(_ out: String, _ options: String...) throws -> Outcome {
      try place.apus(["predict", "mat.yaml", "--weights", "run", "--source", "in", "--out", out] + options)
    }
    let outcome = try run("out", "--completions", "2")
    expectSuccess(outcome)
    #expect(outcome.output.contains("1 pictures in out: NAME.png, NAME_2.png to NAME_2.png (completed)"), "\(outcome.output)")
    let results = try ["a.png", "a_2.png"].map { try Image(contentsOf: place.path("out/\($0)")) }
    for result in results {
      #expect(result.height == height && result.width == width)
      #expect(mask.known.indices.allSatisfy { mask.known[$0] == 0 || result[rgb: $0] == image[rgb: $0] })
    }
    #expect(results[0] != results[1] && place.exists("out/a_sheet.png"))
    expectSuccess(try run("again"))
    expectEqualBytes(try place.bytes("again/a.png"), try place.bytes("out/a.png"), "the same seed")
    expectSuccess(try run("other", "--seed", "7"))
    #expect(try place.bytes("other/a.png") != place.bytes("out/a.png"))
    expectSuccess(try run("small", "--shrink"))
    let small = try Image(contentsOf: place.path("small/a.png"))
    #expect(small != results[0] && mask.known.indices.allSatisfy { mask.known[$0] == 0 || small[rgb: $0] == image[rgb: $0] })
    // The other polarity, from a folder of masks, is the same hole.
    var inverted = mask
    inverted.known = mask.known.map { 1 - $0 }
    try place.write("masks2/a.png", PNG.encode(inverted.image))
    try place.write("in2/a.png", PNG.encode(image))
    expectSuccess(try place.apus("predict", "mat.yaml", "--weights", "run", "--source", "in2", "--masks", "masks2", "--out", "out2",
                                 "--polarity", "white_is_hole"))
    expectEqualBytes(try place.bytes("out2/a.png"), try place.bytes("out/a.png"), "white is the hole")
  }

  @Test("a completion of one picture is not the result of another") func namesOfCompletions() throws {
    let place = try trained()
    for name in ["odd", "odd_2"] {
      try place.write("in/\(name).png", PNG.encode(Workplace.halves(1)))
      try place.write("holes/\(name).png", PNG.encode(Workplace.window().image))
    }
    let arguments = ["predict", "mat.yaml", "--weights", "run", "--source", "in", "--masks", "holes", "--out", "out"]
    expectFailure(try place.apus(arguments + ["--completions", "2"]), 64, "'odd' and 'odd_2' would have results of one name, odd_2.png")
    #expect(!place.exists("out/odd.png"))
    expectSuccess(try place.apus(arguments))
  }

  @Test("masks that are missing, of another size, grey, or without a hole") func masks() throws {
    let place = try trained()
    try place.write("in/a.png", PNG.encode(Workplace.halves(3)))
    func predict(_ options: String...) throws -> Outcome {
      try place.apus(["predict", "mat.yaml", "--weights", "run", "--source", "in", "--out", "out"] + options)
    }
    expectFailure(try predict(), 65, "1 of 1 pictures have no mask: a.png", "put NAME_mask.png beside each NAME.png")
    try place.write("in/a_mask.png", PNG.encode(Workplace.window(height: 32, width: 64).image))
    expectFailure(try predict(), 65, "a_mask.png: the mask is 64x32, but its picture", "is 64x64")
    var grey = Workplace.window().image
    grey.pixels[0] = 200
    try place.write("in/a_mask.png", PNG.encode(grey))
    let outcome = try predict()
    #expect(outcome.exit == 0 && outcome.errors.contains("less than 0.1 % of the pixels are neither black nor white"), "\(outcome.errors)")
    try place.write("in/a_mask.png", PNG.encode(InpaintingMask(height: 64, width: 64, isKnown: true).image))
    let copied = try predict()
    #expect(copied.exit == 0 && copied.errors.contains("the mask has no hole: nothing is to be filled"), "\(copied.errors)")
    #expect(try Image(contentsOf: place.path("out/a.png")) == Workplace.halves(3))
    expectFailure(try predict("--masks", "nowhere"), 66, "nowhere")
  }

  @Test("data check, and what stops a training") func data() throws {
    let place = try Workplace()
    try place.prepareInpainting(plan: Self.plan)
    let report = try place.apus("data", "check", "mat.yaml")
    #expect(report.exit == 0 && report.output.contains("training set: 6 pictures, free-form masks (large_512)"), "\(report.output)")
    #expect(report.output.contains("validation set: 3 pictures, 3 mask files by picture; white is known, black is the hole"))
    expectFailure(try place.apus("train", "mat.yaml", "--work-dir", "x", "--set", "augmentation.fit=exact"), 65,
                  "1 of 6 pictures are not 64x64", "1/5.png: 80x64", "augmentation.fit: crop")
    expectFailure(try place.apus("train", "mat.yaml", "--work-dir", "x", "--set", "loss.perceptual=0.1"), 64, "loss.perceptual_weights",
                  "without one, perceptual: 0 leaves this loss out")
    expectFailure(try place.apus("train", "mat.yaml", "--work-dir", "x", "--set", "train.batch_size=3"), 64,
                  "a multiple of model.minibatch_group (2)")
    expectFailure(try place.apus("train", "mat.yaml", "--work-dir", "x", "--set", "data.masks.free_form.hole_range=[0, 0.05]"), 64,
                  "hole_range", "leaves something to draw")
    expectFailure(try place.apus("train", "mat.yaml", "--work-dir", "x", "--set", "data.images="), 64, "data.images", "no data to learn from")
    try place.remove("masks/21.png")
    expectFailure(try place.apus("train", "mat.yaml", "--work-dir", "x"), 65, "1 of 3 pictures have no mask here: 21.png")
    #expect(!place.exists("x"))
  }

  @Test("values that are not finite stop the run with network, loss term and layer") func divergence() throws {
    let place = try Workplace()
    try place.prepareInpainting(plan: "steps: 40, log_every: 1, evaluate_every: 0, save_every: 0")
    let outcome = try place.apus("train", "mat.yaml", "--work-dir", "run", "--set", "optimizer.learning_rate=1e20")
    #expect(outcome.exit == 70, "\(outcome.errors)")
    #expect(outcome.errors.contains("its loss '") && outcome.errors.contains("the first output that is not finite: "), "\(outcome.errors)")
  }

  @Test("weights of the averaged generator alone begin a run") func initialWeights() throws {
    let place = try trained()
    let file = "\(Trace.checkpoint("run", 2))/ema.safetensors"
    let names = try Safetensors(at: place.path(file)).entries.map(\.name)
    #expect(names.contains("mapping.w_avg") && !names.contains { $0.hasPrefix("Dis") })
    let outcome = try place.apus("train", "mat.yaml", "--work-dir", "next", "--set", "initialize.from=\(file)", "--set", "initialize.include=[G.*]")
    #expect(outcome.exit == 0 && outcome.errors.contains("arrays taken from"), "\(outcome.errors)")
  }

  @Test("parity: tensors in, completions, losses, gradients and two alternating steps out") func parity() throws {
    let place = try trained()
    var random = Random(seed: 4, stream: .test)
    func normal(_ shape: [Int]) -> Tensor { Tensor.normal(shape, &random, precision: .float64) }
    func bits(_ shape: [Int]) -> Tensor { normal(shape).isGreater(than: 0) }
    func chance(_ prefix: String) -> [Safetensors.Entry] {
      [.init("\(prefix)z", normal([2, 8])), .init("\(prefix)keep_first_stage", bits([2, 64, 8])),
       .init("\(prefix)keep_second_stage", bits([2, 8, 16, 16]))]
    }
    let image = normal([2, 3, 64, 64]) * 0.3
    let mask = bits([2, 1, 64, 64])
    let inputs = [Safetensors.Entry("image", image), .init("mask", mask), .init("fake", normal([2, 3, 64, 64])),
                  .init("fake_stage1", normal([2, 3, 64, 64]))] + chance("")
    func run(_ entries: [Safetensors.Entry], _ out: String) throws -> Safetensors {
      try Safetensors(entries).write(to: place.path("in.safetensors"))
      let weights = Trace.checkpoint("run", 2) + "/model.safetensors"
      expectSuccess(try place.apus("parity", "mat.yaml", "--weights", weights, "--inputs", "in.safetensors", "--out", out, "--precision", "float64"))
      return try Safetensors(at: place.path(out))
    }
    let found = try run(inputs, "a.safetensors")
    let completed = try #require(found["output.image"]?.tensor)
    #expect(completed.shape == [2, 3, 64, 64] && found["output.ws"]?.shape == [2, 6, 8] && found["output.logits_stage1"]?.shape == [2, 1])
    // Known pixels are the image's.
    #expect(((completed - image) * mask).squared().sum().item == 0 && ((completed - image) * (1 - mask)).squared().sum().item > 0)
    for name in ["loss.Gmain.total", "loss.Dmain.total", "loss.Dreg.total", "loss.Dreg.r1", "loss.Dreg.r1_stage1", "output.real", "output.fake",
                 "grad.Gmain.G.mapping.fc0.weight", "grad.Dmain.D.Dis.0.conv.weight", "grad.Dreg.D.fc0.weight"] {
      #expect(found[name] != nil, "\(name) is missing")
    }
    func loss(_ name: String) throws -> Double { try #require(found["loss.Dreg.\(name)"]?.tensor?.item) }
    #expect(abs(try loss("total") / (10 / 2 * 4 * (loss("r1") + loss("r1_stage1"))) - 1) < 1e-12, "γ / 2 · R₁ · interval")

    var steps: [Safetensors.Entry] = []
    for step in 0..<2 {
      steps += [.init("it\(step).image", image), .init("it\(step).mask", mask)] + chance("it\(step).Gmain.") + chance("it\(step).Dmain.")
    }
    steps += [.init("it0.Gmain.z_mixing", normal([2, 8])), .init("it0.Gmain.mixing_cutoff", Tensor([3], shape: [1], precision: .float64))]
    let trained = try run(steps, "b.safetensors")
    expectEqualBytes(try run(steps, "c.safetensors").bytes, trained.bytes, "two calls")
    let names = Set(trained.entries.map(\.name))
    #expect(names.isSuperset(of: ["report.it0.Dreg", "report.it1.Gmain", "report.it1.Dmain", "param.D.fc0.weight", "ema.G.mapping.w_avg"]))
    #expect(!names.contains("report.it1.Dreg"), "every fourth step has a penalty")
    let weight = "G.mapping.fc0.weight"
    #expect(try #require(trained["param.\(weight)"]?.tensor?.doubles) != #require(trained["ema.\(weight)"]?.tensor?.doubles))
    try Safetensors([.init("image", image), .init("mask", mask * 0.5)]).write(to: place.path("in.safetensors"))
    expectFailure(try place.apus("parity", "mat.yaml", "--weights", Trace.checkpoint("run", 2) + "/model.safetensors", "--inputs", "in.safetensors",
                                 "--out", "x.safetensors"), 65, "mask: there are other values than 0 (hole) and 1 (known)")
  }
}
