import Base
import Data
import Foundation
import TestSupport
import Testing
import Vision

/// Detection from the command line: what is drawn, panoptic sets, a photograph.
@Suite struct DetectionPictureTests {
  private func metrics(_ outcome: Outcome) throws -> [String: Double] {
    try JSONDecoder().decode([String: Double].self, from: Foundation.Data(outcome.output.utf8))
  }

  /// Evaluations in training draw the first images, where the network looked, curves, confusion and the matched pairs.
  @Test func evaluationsAreDrawn() throws {
    let place = try Workplace()
    try place.prepareDetection(plan: "steps: 4, log_every: 2, evaluate_every: 2, save_every: 2")
    expectSuccess(try place.apus("train", "detr.yaml", "--work-dir", "run"))
    let drawn = try place.names(in: "run/vis/step_00000004")
    for name in ["500.png", "500_attention.png", "confusion.png", "precision_recall.png", "matching.png"] {
      #expect(drawn.contains(name), "\(name) in \(drawn)")
    }
    expectSuccess(try place.apus("evaluate", "detr.yaml", "--weights", "run", "--save-visuals", "pictures"))
    let pictures = try place.names(in: "pictures")
    for name in ["500.png", "500_attention.png", "503.png", "confusion.png", "precision_recall.png"] {
      #expect(pictures.contains(name), "\(name) in \(pictures)")
    }
    for name in pictures {
      let picture = try Image(contentsOf: place.path("pictures/\(name)"))
      #expect(picture.width >= 300 && picture.height >= 100, "\(name): \(picture.width)x\(picture.height)")
    }
  }

  /// Boxes of things and stuff first, and then the masks: judged by panoptic quality, drawn, and predicted.
  @Test func aPanopticSetIsLearnedInTwoStages() throws {
    let place = try Workplace()
    expectSuccess(try place.apus("synth", "detection", "--layout", "coco_panoptic", "--out", "scenes", "--count", "6", "--seed", "3",
                                 "--height", "64", "--width", "80", "--validation", "0.34"))
    try place.prepareDetection(model: "hidden: 128, heads: 8, masks: true", plan: "log_every: 1, evaluate_every: 0, save_every: 0", more: """
      stages:
        - {name: boxes, steps: 2, loss: {mask: 0, dice: 0}, optimizer: {freeze: ["bbox_attention.*", "mask_head.*"]}}
        - {name: masks, steps: 2, optimizer: {freeze: ["detr.*"]}}
      """)
    let options = ["train", "val"].flatMap { split in
      let section = split == "train" ? "data" : "validation"
      return ["annotations=scenes/annotations/panoptic_\(split).json", "panoptic_masks=scenes/annotations/panoptic_\(split)",
              "images=scenes/\(split)"].flatMap { ["--set", "\(section).\($0)"] }
    }
    expectSuccess(try place.apus(["train", "detr.yaml", "--work-dir", "run"] + options))
    let outcome = try place.apus(["evaluate", "detr.yaml", "--weights", "run", "--json", "--save-visuals", "pictures"] + options)
    expectSuccess(outcome)
    let metrics = try metrics(outcome)
    #expect(metrics["images"] == 2 && metrics["PQ"] != nil && metrics["PQ_th"] != nil && metrics["mask_AP"] != nil)
    #expect(try place.names(in: "pictures").count { $0.hasSuffix("_panoptic.png") } == 2)
  }

  /// Thirteen people, some of them hidden by others, and a ball of 16 pixels.
  @Test(.enabled(if: Samples.areThere)) func aPhotographIsLearnedByHeart() throws {
    let place = try Workplace()
    let (file, folder) = (Samples.path("coco_images/things_142238.json"), Samples.path("coco_images"))
    try place.write("photo.yaml", """
      task: detection
      model:
        {backbone: {variant: resnet18, width: 16, norm: frozen}, hidden: 128, heads: 4, feed_forward: 256, encoder_layers: 1,
         decoder_layers: 3, dropout: 0.0, pre_norm: true, queries: 30, classes: 0}
      data: {annotations: "\(file)", images: "\(folder)"}
      validation: {annotations: "\(file)", images: "\(folder)"}
      augmentation: {flip_probability: 0, sizes: [160], maximum_size: 320, crop_probability: 0, evaluation_size: 160}
      train: {batch_size: 1, workers: 1}
      optimizer: {kind: adamw, learning_rate: 5.0e-4, weight_decay: 1.0e-4, clip_norm: 0.5, freeze: [], groups: []}
      schedule: {kind: cosine, warmup_steps: 20, final_factor: 0.02}
      plan: {steps: 2500, log_every: 500, evaluate_every: 0, save_every: 0}
      """)
    expectSuccess(try place.start(["train", "photo.yaml", "--work-dir", "run"]).wait(atMost: 600))
    let metrics = try metrics(place.apus("evaluate", "photo.yaml", "--weights", "run", "--json"))
    print("AP \(metrics["AP"] ?? .nan)")
    #expect((metrics["AP"] ?? 0) >= 0.95)
  }
}
