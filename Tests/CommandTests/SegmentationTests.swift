import Base
import Data
import Foundation
import Testing
import Vision

/// Segmentation from the command line: learning, metrics, label files, pictures, and mistakes in labels.
@Suite struct SegmentationTests {
  private func metrics(_ outcome: Outcome) throws -> [String: Double?] {
    try JSONDecoder().decode([String: Double?].self, from: Foundation.Data(outcome.output.utf8))
  }

  private func options(_ settings: String...) -> [String] { settings.flatMap { ["--set", $0] } }

  /// A few pictures without random changes are learned by heart; what `predict` writes is what `evaluate` counts.
  @Test func picturesAreLearnedByHeart() throws {
    let place = try Workplace()
    try place.prepareSegmentation(plan: "steps: 60, log_every: 5, evaluate_every: 0, save_every: 0")
    let fixed = options("augmentation.crop_height=40", "augmentation.crop_width=56", "augmentation.scale_minimum=1",
                        "augmentation.scale_maximum=1", "augmentation.flip_probability=0", "validation.images=train/images",
                        "validation.labels=train/labels")
    expectSuccess(try place.apus(["train", "seg.yaml", "--work-dir", "run"] + fixed))
    let outcome = try place.apus(["evaluate", "seg.yaml", "--weights", "run", "--json", "--results", "results", "--save-visuals", "seen"] + fixed)
    let found = try metrics(outcome)
    print("mIoU \((found["mIoU"] ?? nil) ?? .nan)")
    #expect(found["images"] == 6 && found["absent_classes"] == 0)
    #expect((found["mIoU"] ?? nil) ?? 0 > 0.85, "\(outcome.output)")
    // The mean is that of the classes, and the labels that were written give the same.
    let classes = Workplace.areas.compactMap { found["IoU.\($0)"] ?? nil }
    #expect(classes.count == 3 && abs(classes.reduce(0, +) / 3 - ((found["mIoU"] ?? nil) ?? 0)) < 1e-9)
    var score = SegmentationScore(classes: 3)
    for index in 0..<6 {
      let written = try LabelMap(contentsOf: place.path("results/\(index).png"))
      score.add(truth: Workplace.area(index).labels, found: written)
    }
    #expect(score.meanIoU == found["mIoU"] ?? nil)
    #expect(place.exists("seen/0.png") && place.exists("seen/classes.png"))

    let predicted = try place.apus(["predict", "seg.yaml", "--weights", "run", "--source", "train/images", "--out", "found"] + fixed)
    expectSuccess(predicted)
    for index in 0..<6 {
      expectEqualBytes(try place.bytes("found/\(index).png"), try place.bytes("results/\(index).png"), "\(index).png")
    }
    #expect(try Image(contentsOf: place.path("found/0.png")).channels == 3, "a palette, so that viewers show colours")
    #expect(try Image(contentsOf: place.path("found/0_overlay.png")).height > 40)
    #expect(try place.apus(["predict", "seg.yaml", "--weights", "run", "--source", "train/images", "--out", "found"] + fixed)
      .output.contains("6 of them were there already"))
  }

  /// One pass over the training set is three steps; a table tells classes that do not occur.
  @Test func epochsAndAbsentClasses() throws {
    let place = try Workplace()
    try place.prepareSegmentation(plan: "epochs: 2, log_every: 1, evaluate_every: 3, save_every: 0")
    let more = options("labels.classes=[ground, sky, box, never]")
    let trained = try place.apus(["train", "seg.yaml", "--work-dir", "run"] + more)
    #expect(trained.exit == 0 && trained.errors.contains("classes that never occur in the labels cannot be learned: never"), "\(trained.errors)")
    #expect(place.exists("\(Trace.checkpoint("run", 6))/MANIFEST.json"))
    let rows = try place.text("run/metrics.jsonl").split(separator: "\n")
    #expect(rows.count == 8 && rows.filter { $0.contains("\"mIoU\":") && $0.contains("\"pixel_accuracy\":") }.count == 2)
    let shown = try FileManager.default.contentsOfDirectory(atPath: place.path("run/vis"))
    #expect(!shown.isEmpty)
    let text = try place.apus(["evaluate", "run/config.yaml", "--weights", "run"])
    expectSuccess(text)
    let line = text.outputLines.first { $0.hasPrefix("never") }
    // The network may find it here and there: then it has IoU 0.
    #expect(line?.hasSuffix("absent") == true || line?.hasSuffix("found, but in no label") == true, "\(text.output)")
    let report = try place.apus(["data", "check", "seg.yaml"] + more)
    #expect(report.exit == 0 && report.output.contains("classes that never occur") && report.output.contains("never (3)"), "\(report.output)")
  }

  /// Whole or in parts, at several scales, mirrored: each is deterministic, and none the same as the other.
  @Test func waysToAsk() throws {
    let place = try Workplace()
    try place.prepareSegmentation(plan: "steps: 40, log_every: 10, evaluate_every: 0, save_every: 0")
    expectSuccess(try place.apus("train", "seg.yaml", "--work-dir", "run"))
    func ask(_ name: String, _ settings: String...) throws -> [UInt8] {
      let all = ["evaluate", "seg.yaml", "--weights", "run", "--results", name] + settings.flatMap { ["--set", $0] }
      expectSuccess(try place.apus(all))
      return try (20..<23).flatMap { try place.bytes("\(name)/\($0).png") }
    }
    let plain = try ask("plain")
    let others = [
      try ask("flip", "inference.flip=true"), try ask("scales", "inference.scales=[0.75, 1, 1.25]"),
      try ask("parts", "inference.mode=sliding", "inference.crop_height=32", "inference.crop_width=32"),
      try ask("all", "inference.mode=sliding", "inference.crop_height=32", "inference.crop_width=32", "inference.flip=true",
              "inference.scales=[0.5, 1, 2]"),
    ]
    #expect(Set(others + [plain]).count == 5)
    #expect(try ask("one", "inference.batch_size=1") == plain)
    #expect(try ask("again", "inference.mode=sliding", "inference.crop_height=32", "inference.crop_width=32", "inference.batch_size=3")
      == others[2])
    // A part as large as the picture sees what the whole sees.
    #expect(try ask("large", "inference.mode=sliding", "inference.crop_height=40", "inference.crop_width=56") == plain)
    #expect(try ask("larger", "inference.mode=sliding", "inference.crop_height=40", "inference.crop_width=56", "inference.stride=1") == plain)
  }

  @Test func masksOfZeroAnd255() throws {
    let place = try Workplace()
    try place.prepareSegmentation(plan: "steps: 2, log_every: 1, evaluate_every: 0, save_every: 0")
    for name in ["train", "val"] { try place.writeAreas(name, count: name == "train" ? 6 : 3, first: name == "train" ? 0 : 20) { $0 == 2 ? 255 : 0 } }
    let two = options("labels.classes=[background, box]")
    expectFailure(try place.apus(["train", "seg.yaml", "--work-dir", "run"] + two), 65, "these are masks", "only 0 and 255 occur",
                  "labels.preset to binary_mask")
    let report = try place.apus(["data", "check", "seg.yaml"] + two)
    #expect(report.exit == 65 && report.output.contains("label files are masks"), "\(report.output)")
    let noIgnore = options("labels.classes=[background, box]", "labels.ignore=[]")
    expectFailure(try place.apus(["train", "seg.yaml", "--work-dir", "run"] + noIgnore), 65, "this is a mask: only 0 and 255 occur")
    // The section's own names stay out of the way of the preset's.
    try place.write("seg.yaml", try place.text("seg.yaml").replacing("{classes: [ground, sky, box]}", with: "{preset: binary_mask}"))
    expectSuccess(try place.apus("train", "seg.yaml", "--work-dir", "run"))
    expectSuccess(try place.apus("predict", "seg.yaml", "--weights", "run", "--source", "val/images", "--out", "files",
                                 "--set", "inference.numbers=files"))
    #expect(Set(try LabelMap(contentsOf: place.path("files/20.png")).values).isSubset(of: [0, 255]))
  }

  @Test func badLabelsAreToldWithFileValueAndCount() throws {
    let place = try Workplace()
    try place.prepareSegmentation(plan: "steps: 12, log_every: 1, evaluate_every: 0, save_every: 0")
    let good = try place.bytes("train/labels/3.png")
    func expectBad(_ bytes: [UInt8], _ words: String..., finding: String) throws {
      try place.write("train/labels/3.png", bytes)
      let outcome = try place.apus("train", "seg.yaml", "--work-dir", "bad", "--set", "train.workers=0")
      #expect(outcome.exit == 65, "\(outcome.errors)")
      for word in ["train/labels/3.png"] + words { #expect(outcome.errors.contains(word), "'\(word)' in \(outcome.errors)") }
      let report = try place.apus("data", "check", "seg.yaml")
      #expect(report.exit == 65 && report.output.contains(finding) && report.output.contains("3.png"), "\(report.output)")
      if place.exists("bad") { try place.remove("bad") }
      try place.write("train/labels/3.png", good)
    }
    let (image, labels) = Workplace.area(3)
    try expectBad(PNG.encode(image), "this is an RGB picture of", "expected one number a pixel", finding: "colours instead of one number")
    var beyond = labels
    beyond.values[100] = 9
    beyond.values[101] = 9
    try expectBad(PNG.encode(beyond, palette: []), "label values that are no class: 9 (2 pixels); expected 0 to 2, or 255 (ignored)",
                  finding: "3.png: 9 (2 px)")
    try expectBad(PNG.encode(labels.resized(height: 20, width: 28), palette: []), "the labels are 28x20", "is 56x40",
                  finding: "another size than their picture")
    try expectBad(Array(good.prefix(60)), "cannot be read", finding: "label files that cannot be read")
    try place.remove("train/labels/3.png")
    expectFailure(try place.apus("train", "seg.yaml", "--work-dir", "bad"), 65, "1 of 6 pictures have no label file here: 3.png")
  }

  @Test func everythingIgnored() throws {
    let place = try Workplace()
    try place.prepareSegmentation(plan: "steps: 12, log_every: 1, evaluate_every: 0, save_every: 0")
    try place.writeAreas("train", count: 6) { _ in 255 }
    expectFailure(try place.apus("train", "seg.yaml", "--work-dir", "run"), 65, "all labels of the 6 pictures are ignored",
                  "nothing to learn from")
  }

  @Test(arguments: [
    ("model.classes=4", "model.classes", "their number (3)"), ("loss.class_weights=[1, 2]", "loss.class_weights", "one for each"),
    ("augmentation.flip_pairs=[[0, 7]]", "augmentation.flip_pairs", "0 to 2"), ("loss.ignore=0", "loss.ignore", "labels.ignore"),
    ("inference.stride=0", "inference.stride", "above 0.05"), ("inference.scales=[]", "inference.scales", "one or more"),
    ("data.format=cityscapes", "data.root", "leftImg8bit"), ("labels.map=[{from: 1, to: 9}]", "labels.map.0.to", "0 to 2"),
  ]) func configMistakes(option: String, key: String, words: String) throws {
    let place = try Workplace()
    try place.prepareSegmentation(plan: "steps: 2")
    let outcome = try place.apus("config", "check", "seg.yaml", "--set", option)
    #expect(outcome.exit == 64 && (outcome.errors + outcome.output).contains(key) && (outcome.errors + outcome.output).contains(words),
            "\(outcome.errors)\(outcome.output)")
  }

  /// Batch normalisation of one value a channel is told before training, as PyTorch tells it in the middle.
  @Test func oneValuePerChannel() throws {
    let place = try Workplace()
    try place.prepareSegmentation(plan: "steps: 2, log_every: 1, evaluate_every: 0, save_every: 0")
    let one = options("train.batch_size=1", "augmentation.crop_height=32", "augmentation.crop_width=32")
    expectFailure(try place.apus(["train", "seg.yaml", "--work-dir", "run"] + one), 64, "train.batch_size", "batch normalisation needs two values")
    // A set that leaves one sample over drops it; one that is smaller than a batch repeats.
    expectSuccess(try place.apus(["train", "seg.yaml", "--work-dir", "rest"] + options("train.batch_size=4", "augmentation.crop_width=32")))
    expectSuccess(try place.apus(["train", "seg.yaml", "--work-dir", "few"] + options("train.batch_size=9", "augmentation.crop_width=32")))
  }

  @Test func cityscapesFromGeneratedStreets() throws {
    let place = try Workplace()
    try place.prepareSegmentation(plan: "steps: 2, log_every: 1, evaluate_every: 0, save_every: 0")
    expectSuccess(try place.apus("synth", "segmentation", "--layout", "cityscapes", "--out", "city", "--count", "4", "--seed", "1",
                                 "--validation", "0.5", "--height", "64", "--width", "96"))
    try place.write("city.yaml", """
      base: seg.yaml
      model: {classes: 19}
      labels: {preset: cityscapes, classes: \(LabelRules(.cityscapes).classes)}
      data: {format: cityscapes, root: city, split: train}
      validation: {format: cityscapes, root: city, split: val}
      """)
    expectSuccess(try place.apus("data", "check", "city.yaml"))
    let trained = try place.apus("train", "city.yaml", "--work-dir", "run")  // warns that most of the 19 classes do not occur
    #expect(trained.exit == 0 && trained.errors.contains("never occur"), "\(trained.errors)")
    let found = try metrics(place.apus("evaluate", "city.yaml", "--weights", "run", "--json", "--results", "submission", "--set",
                                       "inference.numbers=files"))
    #expect(found["images"] == 2 && found.keys.contains("IoU.traffic_light"))
    let ids = Set(Cityscapes.classes.map { UInt16($0.labelID) })
    let name = try #require(try FileManager.default.contentsOfDirectory(atPath: place.path("submission")).first)
    #expect(Set(try LabelMap(contentsOf: place.path("submission/\(name)")).values).isSubset(of: ids))
  }
}
