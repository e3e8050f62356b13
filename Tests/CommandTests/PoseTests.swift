import Base
import Data
import Foundation
import Networks
import Tensors
import Testing
import Vision
import WeightFiles

/// Pose estimation from the command line, with a skeleton of five keypoints.
@Suite struct PoseTests {
  private func metrics(_ outcome: Outcome) throws -> [String: Double] {
    #expect(outcome.exit == 0, "\(outcome.errors)")
    return try JSONDecoder().decode([String: Double].self, from: Foundation.Data(outcome.output.utf8))
  }

  private static let still = [
    "augmentation.flip_probability=0", "augmentation.scale_factor=0", "augmentation.rotation_probability=0",
    "augmentation.half_body_probability=0",
  ].flatMap { ["--set", $0] }

  @Test func creaturesAreLearnedByHeart() throws {
    let place = try Workplace()
    try place.preparePose(plan: "steps: 250, log_every: 10, evaluate_every: 0, save_every: 0")
    let options = Self.still + ["validation.annotations=train.json", "validation.images=train", "optimizer.learning_rate=1e-2", "loss.kind=mse"]
      .flatMap { ["--set", $0] }
    expectSuccess(try place.apus(["train", "pose.yaml", "--work-dir", "run"] + options))
    let found = try metrics(place.apus(["evaluate", "pose.yaml", "--weights", "run", "--json", "--set", "inference.flip_test=false"] + options))
    print("AP \(found["AP"] ?? .nan), AP75 \(found["AP75"] ?? .nan)")
    #expect(found["images"] == 10 && found["truths"] == 10 && found["bodies"] == 10 && (found["AP75"] ?? 0) > 0.9)

    // The names of the data are part of the run's config.
    let config = try place.text("run/config.yaml")
    #expect(config.contains("left_ear") && config.contains("keypoints: 5") && config.contains("kind: custom"), "\(config)")

    // Boxes by file name, and what is found lies where the file says.
    let truth = try COCOInstances(contentsOf: place.path("train.json"))
    expectSuccess(try place.apus(["predict", "run/config.yaml", "--weights", "run", "--source", "train", "--out", "found", "--boxes", "train.json",
                                  "--no-flip-test"]))
    for (image, annotation) in zip(truth.images, truth.annotations) {
      let bodies = try COCOResults.read(place.path("found/\(image.id).json"))
      #expect(bodies.count == 1 && bodies[0].imageID == image.id && bodies[0].categoryID == 6 && bodies[0].keypoints.count == 15)
      for (k, point) in annotation.points.enumerated() where point.isLabeled {
        #expect(abs(bodies[0].keypoints[3 * k] - point.x) < 5 && abs(bodies[0].keypoints[3 * k + 1] - point.y) < 5, "\(image.id), \(k)")
      }
      #expect(place.exists("found/\(image.id)_pose.png"))
    }
  }

  @Test func resultsHaveTheIdsOfTheFileAndGiveTheSameScore() throws {
    let place = try Workplace()
    try place.preparePose(plan: "steps: 60, log_every: 30, evaluate_every: 0, save_every: 0", more: "")
    expectSuccess(try place.apus(["train", "pose.yaml", "--work-dir", "run"] + Self.still))
    let shown = try place.apus("evaluate", "pose.yaml", "--weights", "run", "--results", "results.json", "--save-visuals", "seen")
    expectSuccess(shown)
    #expect(shown.output.hasPrefix("boxes: those of the annotations of val.json, 4 bodies\n"), "\(shown.output)")
    #expect(try place.names(in: "seen") == ["500.png", "503.png", "506.png", "509.png"])
    let results = try COCOResults.read(place.path("results.json"))
    #expect(results.count == 4 && Set(results.map(\.imageID)) == [500, 503, 506, 509] && results.allSatisfy { $0.keypoints.count == 15 })
    // The result file judged by itself.
    let skeleton = Skeleton(names: Workplace.creature, limbs: [])
    let again = try COCOInstances(contentsOf: place.path("val.json")).evaluateKeypoints(results, skeleton)
    let printed = try metrics(place.apus("evaluate", "pose.yaml", "--weights", "run", "--json"))
    #expect(abs((printed["AP"] ?? .nan) - again.keypointSummary[0]) < 1e-12 && printed["images"] == 4)
    // The batch's size changes nothing but the last bits.
    let alone = try metrics(place.apus("evaluate", "pose.yaml", "--weights", "run", "--json", "--set", "inference.batch_size=1"))
    #expect(abs((printed["AP"] ?? .nan) - (alone["AP"] ?? .nan)) < 1e-3)
    // What training logged in the end is what `evaluate` finds.
    let logged = try place.text("run/metrics.jsonl").split(separator: "\n").last { $0.contains("\"val\"") }
    #expect(logged?.contains("\"AP\":\(printed["AP"] ?? .nan)") == true, "\(logged ?? "")")
  }

  /// Boxes of a detector: twice the same body, of which suppression keeps the better one.
  @Test func boxesOfADetector() throws {
    let place = try Workplace()
    try place.preparePose(plan: "steps: 2, log_every: 1, evaluate_every: 0, save_every: 0")
    expectSuccess(try place.apus("train", "pose.yaml", "--work-dir", "run"))
    let truth = try COCOInstances(contentsOf: place.path("val.json"))
    let results = truth.annotations.flatMap { annotation in
      [0.9, 0.8, 0.1].map { COCOResult(imageID: annotation.imageID, categoryID: 6, score: $0, box: annotation.box) }
    }
    try COCOResults.write(results, to: place.path("boxes.json"))
    let options = ["evaluate", "pose.yaml", "--weights", "run", "--set", "validation.boxes=boxes.json"]
    let shown = try place.apus(options + ["--set", "validation.box_threshold=0.5"])
    expectSuccess(shown)
    #expect(shown.output.hasPrefix("boxes: boxes.json, 8 of score 0.5 or more\n"), "\(shown.output)")
    #expect(try metrics(place.apus(options + ["--json"]))["bodies"] == 4)
    #expect(try metrics(place.apus(options + ["--json", "--set", "inference.oks_threshold=1"]))["bodies"] == 12)
    // The number in the picture's name is the image's id.
    expectSuccess(try place.apus("predict", "pose.yaml", "--weights", "run", "--source", "val", "--out", "found", "--boxes", "boxes.json"))
    #expect(try COCOResults.read(place.path("found/503.json")).map(\.imageID) == [503])
    expectSuccess(try place.apus("predict", "pose.yaml", "--weights", "run", "--source", "val/503.png", "--out", "whole"))
    #expect(try COCOResults.read(place.path("whole/503.json")).count == 1)
  }

  @Test func weightsGoThroughConvert() throws {
    let place = try Workplace()
    try place.preparePose(plan: "steps: 2, log_every: 1, evaluate_every: 0, save_every: 0")
    expectSuccess(try place.apus("train", "pose.yaml", "--work-dir", "run"))
    expectSuccess(try place.apus("convert", "run", "w.pth", "--config", "pose.yaml"))
    let own = try metrics(place.apus("evaluate", "pose.yaml", "--weights", "run", "--json"))
    #expect(try metrics(place.apus("evaluate", "pose.yaml", "--weights", "w.pth", "--json")) == own)
    // Weights of a network with other keypoints do not fit; its body does.
    let outcome = try place.apus("evaluate", "pose.yaml", "--weights", "w.pth", "--set", "skeleton.kind=mpii", "--set", "model.keypoints=16")
    #expect(outcome.exit == 65 || outcome.exit == 64, "\(outcome.errors)")
    #expect(outcome.errors.contains("final_layer"), "\(outcome.errors)")
  }

  @Test func parityWritesWhatItSays() throws {
    let place = try Workplace()
    try place.preparePose(plan: "steps: 2, log_every: 1, evaluate_every: 0, save_every: 0")
    expectSuccess(try place.apus("train", "pose.yaml", "--work-dir", "run"))
    func values(_ count: Int) -> [Double] { (0..<count).map { Double($0 * 37 % 101) / 101 } }
    try Safetensors([
      .init("image", Tensor(values(2 * 3 * 64 * 32), shape: [2, 3, 64, 32])), .init("target", Tensor(values(2 * 5 * 16 * 8), shape: [2, 5, 16, 8])),
      .init("target_weight", Tensor(values(10), shape: [2, 5, 1])),
    ]).write(to: place.path("in.safetensors"))
    expectSuccess(try place.apus("parity", "pose.yaml", "--weights", "run", "--inputs", "in.safetensors", "--out", "out.safetensors", "--steps", "2"))
    let out = try Safetensors(at: place.path("out.safetensors"))
    #expect(out["output.heatmap"]?.shape == [2, 5, 16, 8] && out["loss.total"]?.shape == [])
    for name in ["grad.conv1.weight", "param.final_layer.weight", "buffer.bn1.running_mean"] { #expect(out[name] != nil, "\(name)") }
    let outcome = try place.apus("parity", "pose.yaml", "--weights", "run", "--inputs", "out.safetensors", "--out", "x.safetensors")
    expectFailure(outcome, 65, "there is no tensor 'image'", "Inputs are image, target and target_weight.")
  }

  @Test func epochsAndTheirMilestones() throws {
    let place = try Workplace()
    try place.preparePose(plan: "epochs: 3, log_every: 1, evaluate_every: 0, save_every: 0")
    let options = ["--set", "schedule.kind=multi_step", "--set", "schedule.milestone_epochs=[1,2]", "--set", "validation.annotations=''"]
    expectSuccess(try place.apus(["train", "pose.yaml", "--work-dir", "run"] + options))
    let rows = try place.text("run/metrics.jsonl").split(separator: "\n").map(String.init)
    // Ten bodies are three batches of three; the rate is a tenth in the second epoch.
    let rates = rows.compactMap { $0.firstMatch(of: #/"lr":([0-9.e+-]+)/#).flatMap { Double($0.1) } }
    #expect(rates.count == 9 && zip(rates, [2e-3, 2e-4, 2e-5].flatMap { [$0, $0, $0] }).allSatisfy { abs($0 - $1) < 1e-9 }, "\(rates)")
  }
}

/// Data and configs of pose estimation that do not fit: one message and an exit code.
@Suite struct PoseMistakeTests {
  private typealias Mistake = MistakeTests.Mistake

  private static func place() throws -> Workplace {
    let place = try Workplace()
    try place.preparePose(plan: "steps: 4, log_every: 1, evaluate_every: 0, save_every: 0")
    return place
  }

  @Test func eachMistakeIsNamed() throws {
    let place = try Self.place()
    let file = try COCOInstances(contentsOf: place.path("train.json"))
    func write(_ name: String, _ annotations: [COCOAnnotation], _ categories: [COCOCategory]) throws {
      try COCOInstances(path: "", images: file.images, categories: categories, annotations: annotations).write(to: place.path(name))
    }
    try write("empty.json", [], file.categories)
    try write("plain.json", [], [COCOCategory(id: 6, name: "creature")])
    var short = file.annotations
    short[2].keypoints.removeLast(3)
    try write("short.json", short, file.categories)
    try place.write("strange.json", "[{\"image_id\": 77, \"category_id\": 6, \"bbox\": [1, 2, 3, 4], \"score\": 1}]")
    let mistakes = [
      Mistake("train pose.yaml --set data.images=nix", 66, "nix: there is no such folder of images"),
      Mistake("train pose.yaml --set data.annotations=nix.json", 66, "nix.json: there is no such file"),
      Mistake("train pose.yaml --set data.annotations=''", 64, "skeleton.kind: data means the keypoints of the data"),
      Mistake("train pose.yaml --set data.annotations=plain.json", 65, "plain.json: no category lists keypoints", "section skeleton"),
      Mistake("train pose.yaml --set data.annotations=empty.json", 65, "empty.json: there is no body with a box and a labelled keypoint"),
      Mistake("train pose.yaml --set data.annotations=short.json", 65, "short.json: annotation 1106: 12 numbers of keypoints", "each of 5"),
      Mistake("train pose.yaml --set skeleton.kind=coco", 64, "model.keypoints: 17 keypoints, but the bodies of train.json have 5"),
      Mistake("train pose.yaml --set model.keypoints=17", 64, "'model.keypoints' is 17; allowed: 0, or the number of the skeleton's keypoints (5)"),
      Mistake("train pose.yaml --set skeleton.kind=custom", 64, "'skeleton.names'", "the names of the keypoints"),
      Mistake("train pose.yaml --set skeleton.kind=custom --set skeleton.names=[a,b] --set skeleton.flip_pairs=[[0,2]]", 64,
              "'skeleton.flip_pairs'", "pairs of indices of keypoints, 0 to 1"),
      Mistake("train pose.yaml --set skeleton.kind=coco --set skeleton.names=[a]", 64, "'skeleton.kind' is coco; allowed: custom"),
      Mistake("train pose.yaml --set skeleton.sigmas=[0.1]", 64, "skeleton.sigmas", "one for each of the 5 keypoints"),
      Mistake("train pose.yaml --set crop.width=40", 64, "'crop.width' is 40; allowed: a multiple of 32"),
      Mistake("train pose.yaml --set crop.height=32 --set train.batch_size=1", 64, "'train.batch_size' is 1; allowed: 2 or more"),
      Mistake("train pose.yaml --set loss.top=6", 64, "'loss.top' is 6; allowed: 1 to the number of keypoints (5)"),
      Mistake("train pose.yaml --set data.boxes=strange.json", 64, "'data.boxes' is strange.json", "training takes the boxes of the annotations"),
      Mistake("train pose.yaml --set validation.boxes=strange.json", 65, "strange.json: 1 images of these results are not in val.json: 77"),
      Mistake("train pose.yaml --set validation.boxes=nix.json", 66, "nix.json: there is no such file"),
      Mistake("train pose.yaml --set validation.head_boxes=x.mat", 64, "'validation.head_boxes'", "only MPII is judged by heads"),
      Mistake("data check pose.yaml --set data.annotations='' --set skeleton.kind=coco --set model.keypoints=17", 64,
              "data.annotations: '' leaves nothing to check"),
    ]
    for mistake in mistakes { try mistake.expectNamed(in: place) }
    #expect(!place.exists("work_dirs"), "something was left behind")
  }

  @Test func missingAndMisfitPictures() throws {
    let place = try Self.place()
    try place.write("train/106.png", PNG.encode(Workplace.picture(height: 30, width: 40)))
    expectFailure(try place.apus("train", "pose.yaml", "--work-dir", "run"), 65, "train/106.png: the image is 40x30, but train.json says 64x48")
    try place.remove("train/106.png")
    expectFailure(try place.apus("train", "pose.yaml", "--work-dir", "other"), 66, "train/106.png: there is no such file")
  }

  @Test func badAnnotationsAreLeftOutAndTold() throws {
    let place = try Self.place()
    let file = try COCOInstances(contentsOf: place.path("train.json"))
    var annotations = file.annotations
    annotations[0].box.width = 0
    annotations[1].keypointCount = 1
    annotations[2].keypoints[0] = 500
    try COCOInstances(path: "", images: file.images, categories: file.categories, annotations: annotations).write(to: place.path("bad.json"))
    let trained = try place.apus("train", "pose.yaml", "--work-dir", "run", "--set", "data.annotations=bad.json")
    #expect(trained.exit == 0 && trained.errors.contains("left out: 1 annotations without area (1100)"), "\(trained.errors)")
    let checked = try place.apus("data", "check", "pose.yaml", "--set", "data.annotations=bad.json")
    #expect(checked.exit == 0, "\(checked.errors)")
    for text in [
      "annotations with a labelled keypoint outside the picture", "1106", "num_keypoints is not the number of labelled keypoints", "1103",
      "boxes without area", "1100", "left out: 1 annotations without area (1100)", "keypoints: 5: left_ear, right_ear", "flip pairs: left_ear - right_ear",
      "labelled keypoints: left_ear",
    ] {
      #expect(checked.output.contains(text), "'\(text)' in: \(checked.output)")
    }
    annotations[4].keypoints.removeLast(3)
    try COCOInstances(path: "", images: file.images, categories: file.categories, annotations: annotations).write(to: place.path("bad.json"))
    let broken = try place.apus("data", "check", "pose.yaml", "--set", "data.annotations=bad.json")
    #expect(broken.exit == 65 && broken.output.contains("another number of keypoints than their category lists"), "\(broken.output)\(broken.errors)")
  }

  @Test func predictionsNeedABoxForSomePicture() throws {
    let place = try Self.place()
    expectSuccess(try place.apus("train", "pose.yaml", "--work-dir", "run"))
    try place.write("none.json", "[{\"image_id\": 77, \"category_id\": 6, \"bbox\": [1, 2, 3, 4], \"score\": 1}]")
    let outcome = try place.apus("predict", "pose.yaml", "--weights", "run", "--source", "val", "--out", "found", "--boxes", "none.json")
    expectFailure(outcome, 65, "none.json: there is no box for any of the 4 pictures", "image_id")
  }
}
