import Base
import Data
import Foundation
import Models
import Networks
import Tasks
import Tensors
import Testing
import Training
import Vision

/// How `evaluate` counts what a network finds that always sees the same: an object of the category 9 in the middle of the image.
@Suite final class DetectionJudgementTests {
  private let folder = FileManager.default.temporaryDirectory.appending(path: "apus-\(UUID().uuidString)").path(percentEncoded: false)

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  /// Two classes, with the category ids 5 and 9.
  private var config: DetectionConfig {
    var config = DetectionConfig()
    config.model = DETR.Config(.resnet18)
    (config.model.backbone.width, config.model.backbone.stages) = (8, [1, 1, 1, 1])
    (config.model.hidden, config.model.heads, config.model.feedForward) = (32, 4, 32)
    (config.model.encoderLayers, config.model.decoderLayers) = (1, 1)
    (config.model.queries, config.model.classes) = (1, 2)
    config.data.categoryIds = [5, 9]
    config.validation.annotations = folder + "/objects.json"
    config.validation.images = folder + "/images"
    config.augmentation.evaluationSize = 48
    config.inference.batchSize = 2
    return config
  }

  /// A network whose one slot holds the class 1 and the box from (16, 12) to (48, 36) on any image of 64x48.
  private func network(_ config: DetectionConfig) -> DETRModel {
    let model = Tasks.Detection.model(config)
    for (name, parameter) in model.parameters() {
      switch name {
      case "class_embed.weight", "bbox_embed.layers.2.weight", "bbox_embed.layers.2.bias": parameter.value = .zeros(parameter.shape)
      case "class_embed.bias": parameter.value = Tensor([Float(-4), 4, -4], shape: [3])
      default: break
      }
    }
    return model
  }

  private static func annotation(_ id: Int, image: Int, _ category: Int, _ box: [Double], isCrowd: Bool = false) -> COCOAnnotation {
    let box = BoundingBox(x: box[0], y: box[1], width: box[2], height: box[3])
    return COCOAnnotation(id: id, imageID: image, categoryID: category, box: box, area: box.area, isCrowd: isCrowd)
  }

  /// The object in the second image is where the network sees one.
  private static let hit = annotation(0, image: 2, 9, [16, 12, 32, 24])

  private func metrics(_ annotations: [COCOAnnotation]) throws -> Metrics {
    try File.createFolder(folder + "/images")
    let picture = Image(height: 48, width: 64, channels: 3, pixels: [UInt8](repeating: 90, count: 48 * 64 * 3))
    for id in [1, 2] { try picture.write(to: "\(folder)/images/\(id).png") }
    let images = [1, 2].map { COCOImage(id: $0, fileName: "\($0).png", height: 48, width: 64) }
    let categories = [COCOCategory(id: 5, name: "cup"), COCOCategory(id: 9, name: "fork")]
    try COCOInstances(path: "", images: images, categories: categories, annotations: annotations).write(to: folder + "/objects.json")
    let config = config
    return try Tasks.Detection.evaluate(config, network(config), visuals: nil, EvaluationMonitor()).metrics
  }

  /// Average precision, AP50 and the number of objects.
  private func expect(
    _ annotations: [COCOAnnotation], ap: Double, objects: Double, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let metrics = try metrics(annotations)
    #expect(abs((metrics["AP"] ?? .nan) - ap) < 1e-9, "\(metrics)", sourceLocation: sourceLocation)
    #expect(abs((metrics["AP50"] ?? .nan) - ap) < 1e-9, "\(metrics)", sourceLocation: sourceLocation)
    #expect(metrics["objects"] == objects && metrics["images"] == 2, "\(metrics)", sourceLocation: sourceLocation)
  }

  @Test("a detection where nothing is, is a false alarm") func falseAlarm() throws {
    // The first image's false alarm ranks before the hit of the same score: precision 1/2 at every recall.
    try expect([Self.hit], ap: 0.5, objects: 1)
  }

  @Test("a detection inside a crowd is neither hit nor false alarm") func crowd() throws {
    try expect([Self.hit, Self.annotation(1, image: 1, 9, [10, 8, 50, 36], isCrowd: true)], ap: 1, objects: 1)
  }

  @Test("a crowd of another category excuses nothing, and one elsewhere neither") func otherCrowds() throws {
    try expect([Self.hit, Self.annotation(1, image: 1, 5, [10, 8, 50, 36], isCrowd: true)], ap: 0.5, objects: 1)
    try expect([Self.hit, Self.annotation(1, image: 1, 9, [0, 0, 12, 10], isCrowd: true)], ap: 0.5, objects: 1)
    // Once it is no crowd, it is an object that is found.
    try expect([Self.hit, Self.annotation(1, image: 1, 9, [16, 12, 32, 24])], ap: 1, objects: 2)
  }

  @Test("classes are compared by the file's ids; the annotation 0 keeps its match") func categories() throws {
    try expect([Self.annotation(0, image: 2, 5, [16, 12, 32, 24])], ap: 0, objects: 1)
    try expect([Self.annotation(0, image: 2, 9, [16, 12, 32, 24]), Self.annotation(1, image: 1, 9, [16, 12, 32, 24])], ap: 1, objects: 2)
  }

  @Test("an evaluation without data says so") func noData() {
    var empty = config
    empty.validation.annotations = ""
    let changed = empty
    let failure = #expect(throws: Failure.self) {
      try Tasks.Detection.evaluate(changed, self.network(changed), visuals: nil, EvaluationMonitor())
    }
    #expect(failure?.kind == .usage && failure?.place == "validation.annotations")
  }
}
