import Base
import Data
import Foundation
import Testing
import Vision

/// Detection from the command line: ids, learning, divergence.
@Suite struct DetectionTests {
  private struct Listed: Decodable {
    struct Object: Decodable {
      let category_id: Int
      let category: String
      let score: Double
      let bbox: [Double]
    }
    let file: String
    let width, height: Int
    let objects: [Object]
  }

  private func listed(_ place: Workplace, _ name: String) throws -> Listed {
    try JSONDecoder().decode(Listed.self, from: Foundation.Data(place.bytes(name)))
  }

  private func metrics(_ outcome: Outcome) throws -> [String: Double] {
    try JSONDecoder().decode([String: Double].self, from: Foundation.Data(outcome.output.utf8))
  }

  /// Two images without random changes: a network that learns at all knows them by heart.
  @Test func twoImagesAreLearnedByHeart() throws {
    let place = try Workplace()
    try place.prepareDetection(plan: "steps: 150, log_every: 5, evaluate_every: 0, save_every: 0")
    try place.writeObjects("train", count: 3, firstID: 100, isUniform: true)
    let file = try COCOInstances(contentsOf: place.path("train.json"))
    try COCOInstances(path: "", images: Array(file.images.prefix(2)), categories: file.categories,
                      annotations: file.annotations.filter { !$0.isCrowd }).write(to: place.path("train.json"))
    let options = [
      "model.dropout=0", "model.backbone.norm=frozen", "augmentation.flip_probability=0", "augmentation.crop_probability=0",
      "augmentation.sizes=[48]", "validation.annotations=train.json", "validation.images=train", "optimizer.learning_rate=2e-3",
    ].flatMap { ["--set", $0] }
    expectSuccess(try place.apus(["train", "detr.yaml", "--work-dir", "run"] + options))
    let rows = try place.text("run/metrics.jsonl").split(separator: "\n").filter { $0.contains("\"split\":\"train\"") }
    let losses = rows.compactMap { $0.firstMatch(of: #/"loss":([0-9.e+-]+)/#).flatMap { Double($0.1) } }
    let first = try #require(losses.first), last = try #require(losses.last)
    print("loss \(first) after 5 steps, \(last) after 150")
    #expect(losses.count == 30 && last < 0.25 * first)
    let metrics = try metrics(place.apus(["evaluate", "detr.yaml", "--weights", "run", "--json"] + options))
    print("AP \(metrics["AP"] ?? .nan), AP50 \(metrics["AP50"] ?? .nan)")
    #expect(metrics["images"] == 2 && metrics["objects"] == 3)
    #expect((metrics["AP50"] ?? 0) > 0.9)

    // What is found has the ids and names of the file, and lies where the file says, in pixels of the image.
    expectSuccess(try place.apus(["predict", "detr.yaml", "--weights", "run", "--source", "train", "--out", "found"] + options
                                   + ["--threshold", "0.4"]))
    for image in file.images.prefix(2) {
      let found = try listed(place, "found/\(image.id).json")
      #expect(found.width == 64 && found.height == 48)
      let truths = file.annotations.filter { $0.imageID == image.id && !$0.isCrowd }
      for truth in truths {
        let best = found.objects.max { a, b in iou(a, truth) < iou(b, truth) }
        let name = file.categories.first { $0.id == truth.categoryID }?.name
        #expect(best.map { iou($0, truth) > 0.5 && $0.category_id == truth.categoryID && $0.category == name } == true, "\(found) \(truth)")
      }
      #expect(place.exists("found/\(image.id)_objects.png"))
    }
  }

  private func iou(_ object: Listed.Object, _ truth: COCOAnnotation) -> Double {
    BoundingBox(x: object.bbox[0], y: object.bbox[1], width: object.bbox[2], height: object.bbox[3]).iou(with: truth.box)
  }

  @Test func idsWithGapsGoThroughTrainingToTheResults() throws {
    let place = try Workplace()
    try place.prepareDetection(plan: "steps: 2, log_every: 1, evaluate_every: 0, save_every: 0")
    expectSuccess(try place.apus("train", "detr.yaml", "--work-dir", "run"))
    // The classes of the data are part of the run's config.
    let config = try place.text("run/config.yaml")
    #expect(config.contains("classes: 3") && config.contains("green"))
    let shown = try place.apus("config", "show", "run/config.yaml")
    expectSuccess(shown)
    let ids = shown.output.matches(of: #/(?m)^\s*- (3|7|20)\b|category_ids: \[3, 7, 20\]/#).count
    #expect(ids == 1 || ids == 3, "\(shown.output)")
    expectSuccess(try place.apus("predict", "detr.yaml", "--weights", "run", "--source", "val", "--out", "found"))
    let objects = try ["500", "501", "502", "503"].flatMap { try listed(place, "found/\($0).json").objects }
    #expect(objects.count == 4 * 6)  // all slots: the threshold is 0
    let names = Dictionary(uniqueKeysWithValues: Workplace.categories.map { ($0.id, $0.name) })
    #expect(objects.allSatisfy { names[$0.category_id] == $0.category })
    #expect(try listed(place, "found/501.json").height == 64)
    // The results for a benchmark: ids of images and categories as in the file, all slots.
    expectSuccess(try place.apus("evaluate", "detr.yaml", "--weights", "run", "--results", "results.json"))
    let results = try COCOResults.read(place.path("results.json"))
    #expect(results.count == 4 * 6 && Set(results.map(\.imageID)) == [500, 501, 502, 503])
    #expect(results.allSatisfy { names[$0.categoryID] != nil && $0.box != nil })
    #expect(results.map(\.categoryID).sorted() == objects.map(\.category_id).sorted())
  }

  /// Images of one size: the network sees the same whatever stands beside them.
  @Test func theSizeOfTheBatchChangesNothingWithoutPadding() throws {
    let place = try Workplace()
    try place.prepareDetection(plan: "steps: 8, log_every: 4, evaluate_every: 0, save_every: 0")
    try place.writeObjects("val", count: 5, firstID: 500, isUniform: true)
    expectSuccess(try place.apus("train", "detr.yaml", "--work-dir", "run"))
    let all = try [1, 2, 5].map { size in
      try metrics(place.apus("evaluate", "detr.yaml", "--weights", "run", "--json", "--set", "inference.batch_size=\(size)"))
    }
    #expect(all[0]["images"] == 5 && all[0]["objects"] == 6)
    for metrics in all { for (name, value) in all[0] { #expect(abs((metrics[name] ?? .nan) - value) < 1e-3, "\(name)") } }
    // What training logs is what `evaluate` finds.
    let logged = try #require(try place.text("run/metrics.jsonl").split(separator: "\n").last { $0.contains("\"val\"") })
    let again = try metrics(place.apus("evaluate", "detr.yaml", "--weights", "run", "--json"))
    let recorded = logged.firstMatch(of: #/"AR_100":([0-9.e+-]+)/#).flatMap { Double($0.1) }
    #expect(recorded != nil && recorded == again["AR_100"])
  }

  /// Nothing but a crowd to look at: nothing is learned about boxes.
  @Test func aCrowdIsNoTarget() throws {
    let place = try Workplace()
    try place.prepareDetection(plan: "steps: 4, log_every: 1, evaluate_every: 0, save_every: 0")
    let file = try COCOInstances(contentsOf: place.path("train.json"))
    let crowd = try #require(file.annotations.first { $0.isCrowd })
    func row(_ annotations: [COCOAnnotation], _ run: String) throws -> String {
      try COCOInstances(path: "", images: [file.images[0]], categories: file.categories, annotations: annotations)
        .write(to: place.path("train.json"))
      let outcome = try place.apus(
        "train", "detr.yaml", "--work-dir", run, "--set", "train.batch_size=1", "--set", "validation.annotations=''")
      expectSuccess(outcome)
      return String(try #require(try place.text("\(run)/metrics.jsonl").split(separator: "\n").first))
    }
    let alone = try row([crowd], "crowd")
    #expect(alone.contains("\"loss_bbox\":0.0,") && alone.contains("\"class_error\":100.0,"), "\(alone)")
    var object = crowd
    object.isCrowd = false
    let single = try row([object], "object")
    #expect(!single.contains("\"loss_bbox\":0.0,"), "\(single)")
  }

  @Test(arguments: ["plan.evaluate_every=0", "plan.evaluate_every=1"]) func divergenceIsTold(option: String) throws {
    let place = try Workplace()
    try place.prepareDetection(plan: "steps: 6, log_every: 1, save_every: 0")
    let outcome = try place.apus("train", "detr.yaml", "--work-dir", "run", "--set", "optimizer.learning_rate=1e30",
                                 "--set", "optimizer.clip_norm=0", "--set", option)
    expectFailure(outcome, 70, "run: training diverged at step ", "lower the learning rate")
    #expect(try place.text("run/run.json").contains("\"diverged\""))
  }
}

/// Data and configs of detection that do not fit: one message and an exit code.
@Suite struct DetectionMistakeTests {
  private typealias Mistake = MistakeTests.Mistake

  private static func place() throws -> Workplace {
    let place = try Workplace()
    try place.prepareDetection(plan: "steps: 4, log_every: 1, evaluate_every: 0, save_every: 0")
    return place
  }

  @Test func eachMistakeIsNamed() throws {
    let place = try Self.place()
    let file = try COCOInstances(contentsOf: place.path("train.json"))
    try COCOInstances(path: "", images: [], categories: file.categories, annotations: []).write(to: place.path("empty.json"))
    try COCOInstances(path: "", images: file.images, categories: [], annotations: []).write(to: place.path("classless.json"))
    try place.write("broken.json", "{\"images\": [")
    let mistakes = [
      Mistake("train detr.yaml --set data.images=nix", 66, "nix: there is no such folder of images", "train.json"),
      Mistake("train detr.yaml --set validation.images=nix", 66, "nix: there is no such folder of images", "val.json"),
      Mistake("train detr.yaml --set data.annotations=nix.json", 66, "nix.json: there is no such file"),
      Mistake("train detr.yaml --set data.annotations=broken.json", 65, "broken.json"),
      Mistake("train detr.yaml --set data.annotations=empty.json", 65, "empty.json: there is no image in this file"),
      Mistake("train detr.yaml --set data.annotations=classless.json", 65, "classless.json: there are no categories"),
      Mistake("train detr.yaml --set data.annotations=''", 64, "model.classes: 0 means the classes of the data"),
      Mistake("train detr.yaml --set data.annotations='' --set model.classes=21", 64,
              "data.annotations: '' leaves nothing to learn from"),
      Mistake("train detr.yaml --set model.classes=8", 65, "train.json: annotation ",
              "category 20 is no class of the network, which has the ids 0 to 7", "model.classes"),
      Mistake("train detr.yaml --set model.classes=2 --set data.category_ids=[3,7]", 65, "category 20 is no class of the network",
              "the ids [3, 7]"),
      Mistake("train detr.yaml --set data.category_ids=[7,3] --set model.classes=2", 64, "'data.category_ids'", "ascending ids"),
      Mistake("train detr.yaml --set data.category_ids=[3,7] --set model.classes=5", 64, "'model.classes' is 5", "(2)"),
      Mistake("train detr.yaml --set model.heads=5", 64, "'model.heads' is 5; allowed: a divisor of hidden (32)"),
      Mistake("train detr.yaml --set model.masks=true", 64, "'model.hidden' is 32; allowed: with masks a multiple of 128"),
      Mistake("train detr.yaml --set model.backbone.stages=[1,2]", 64, "'model.backbone.stages'", "the blocks of four stages"),
      Mistake("train detr.yaml --set model.backbone.variant=resnet19", 64, "'resnet19'", "Did you mean 'resnet18'?"),
      Mistake("train detr.yaml --set augmentation.sizes=[]", 64, "'augmentation.sizes'", "one or more, each 8 to 16384"),
      Mistake("train detr.yaml --set loss.eos_coef=0", 64, "'loss.eos_coef' is 0", "above 0, at most 1"),
      Mistake("evaluate detr.yaml --weights w --set validation.annotations=''", 66, "w: there is no such weight file"),
      Mistake("data check detr.yaml --set data.annotations='' --set model.classes=21", 64,
              "data.annotations: '' leaves nothing to check"),
      Mistake("data check detr.yaml --set data.annotations=nix.json", 66, "nix.json: there is no such file"),
    ]
    for mistake in mistakes { try mistake.expectNamed(in: place) }
    #expect(!place.exists("work_dirs"), "something was left behind")
  }

  /// An image that is not as the file says ends training with what is wrong, and keeps what was learned.
  @Test func imagesThatDoNotFitTheFile() throws {
    let place = try Self.place()
    try place.write("train/103.png", PNG.encode(Workplace.picture(height: 30, width: 40)))
    let outcome = try place.apus("train", "detr.yaml", "--work-dir", "run")
    expectFailure(outcome, 65, "train/103.png: the image is 40x30, but train.json says 48x64")
    try place.remove("train/103.png")
    expectFailure(try place.apus("train", "detr.yaml", "--work-dir", "other"), 66, "train/103.png: there is no such file")
  }

  // MARK: apus data check

  /// What `data check` says of changed training data.
  private static func check(_ change: (inout [COCOAnnotation]) -> Void) throws -> Outcome {
    let place = try place()
    let file = try COCOInstances(contentsOf: place.path("train.json"))
    var annotations = file.annotations
    change(&annotations)
    try COCOInstances(path: "", images: file.images, categories: file.categories, annotations: annotations)
      .write(to: place.path("changed.json"))
    return try place.apus("data", "check", "detr.yaml", "--set", "data.annotations=changed.json")
  }

  @Test func soundDataAreReportedWithTheirClasses() throws {
    let outcome = try Self.check { _ in }
    expectSuccess(outcome)
    for text in [
      "training set: changed.json: 8 images", "validation set: val.json: 4 images", "0 = category 3 (red)", "2 = category 20 (blue)",
      "crowd regions", "images without objects",
    ] {
      #expect(outcome.output.contains(text), "'\(text)' in: \(outcome.output)")
    }
    #expect(!outcome.output.contains("warning") && !outcome.output.contains("error"), "\(outcome.output)")
  }

  @Test func warningsLeaveASetUsable() throws {
    let outcome = try Self.check { annotations in
      annotations[0].box.width = 500
      annotations[2].box.width = 0
      annotations[3].categoryID = 99
    }
    #expect(outcome.exit == 0, "\(outcome.errors)")
    for text in [
      "warning", "boxes that reach beyond their image", "1000", "boxes without area", "annotations of a category that is not listed",
    ] {
      #expect(outcome.output.contains(text), "'\(text)' in: \(outcome.output)")
    }
  }

  @Test func normalizedBoxesAreAnError() throws {
    let outcome = try Self.check { annotations in
      for index in annotations.indices {
        let box = annotations[index].box
        annotations[index].box = BoundingBox(x: box.x / 64, y: box.y / 64, width: box.width / 64, height: box.height / 64)
      }
    }
    #expect(outcome.exit == 65, "\(outcome.errors)")
    #expect(outcome.output.contains("error") && outcome.output.contains("boxes that look like fractions of the image"), "\(outcome.output)")
    #expect(outcome.output.contains("1000"), "the ids of annotations are named: \(outcome.output)")
  }

  @Test func sharedAndMissingImagesAreErrors() throws {
    let place = try Self.place()
    try place.remove("train/102.png")
    let missing = try place.apus("data", "check", "detr.yaml")
    let isTold = missing.output.contains("images whose file is not there") && missing.output.contains("102.png")
    #expect(missing.exit == 65 && isTold, "\(missing.output)")
    let shared = try place.apus(
      "data", "check", "detr.yaml", "--set", "validation.annotations=train.json", "--set", "validation.images=train")
    #expect(shared.exit == 65 && shared.output.contains("images that are in the validation set, too"), "\(shared.output)")
  }
}
