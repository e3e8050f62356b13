import Base
import Data
import Drawing
import Foundation
import Models
import Tensors
import Training
import Vision
import WeightFiles

extension Detection: PredictionTask {
  public static let predictOptions = [
    TaskOption("threshold", key: "inference.threshold", .value, help: "The least score of an object that is drawn and listed.")
  ]

  public static func predictor(_ config: DetectionConfig, _ model: DETRModel, source: [String]) throws -> DetectionPredictor {
    DetectionPredictor(items: try ImageFiles.drawn(source), detector: Detector(model), config: config)
  }
}

/// Finds and draws the objects of one image after the other.
public struct DetectionPredictor: PicturePredictor {
  public typealias Item = ImageFiles.Entry

  /// All that the bits of a result depend on besides weights and images.
  public struct Settings: Encodable {
    let model: DETR.Config
    let threshold: Double
    let evaluationSize: Int
    let maximumSize: Int
    let classes: [String]
  }

  public let items: [Item]
  let detector: Detector
  let config: DetectionConfig

  public var suffixes: [String] { [".json", "_objects.png"] }
  public var noun: String { "lists of objects" }
  public var explanation: String { "NAME.json (class, score and box in pixels) and NAME_objects.png" }
  public var settings: Settings {
    Settings(
      model: config.model, threshold: config.inference.threshold, evaluationSize: config.augmentation.evaluationSize,
      maximumSize: config.augmentation.maximumSize, classes: config.data.categoryNames)
  }

  public mutating func write(_ item: Item, from carry: Safetensors?, to place: String, _ memory: MemoryGuard) throws -> Safetensors? {
    let image = try Image(contentsOf: item.path).rgb()
    let batch = DetectionBatch([DetectionElement(config.augmentation.evaluated(DetectionSample(image: image, objects: [])))])
    try memory.require(InputShape(samples: 1, height: batch.images.canvas.height, width: batch.images.canvas.width))
    let prediction = detector(batch.images, originalSizes: [Extent(height: image.height, width: image.width)])[0]
    try AnnotatedPicture(image, objects: Detection.objects(prediction, config)).write(to: "\(place)_objects.png")
    try AtomicFile.write(try json(item, image, prediction), to: "\(place).json")
    return nil
  }

  /// The objects above the threshold, the most certain one first.
  private func json(_ item: Item, _ image: Image, _ prediction: DetectionEvaluator.Prediction) throws -> [UInt8] {
    struct Object: Encodable {
      let categoryId: Int
      let category: String
      let score: Double
      /// Left, top, width and height, as COCO has them.
      let bbox: [Double]
      let segmentation: Segmentation?
    }
    struct Segmentation: Encodable {
      let size: [Int]
      let counts: String
    }
    struct Document: Encodable {
      let file: String
      let width: Int
      let height: Int
      let objects: [Object]
    }
    let categories = config.categories
    let found = prediction.detections.enumerated().filter { $1.score >= config.inference.threshold }
      .sorted { $0.element.score > $1.element.score }
    let objects = found.map { index, detection in
      let box = detection.box
      let mask = prediction.mask(at: index)
      return Object(
        categoryId: categories.id(ofLabel: detection.label), category: categories.name(of: detection.label), score: detection.score,
        bbox: [box.x, box.y, box.width, box.height],
        segmentation: mask.map { Segmentation(size: [$0.height, $0.width], counts: $0.compressedCounts) })
    }
    let encoder = JSONEncoder.ofFiles
    encoder.keyEncodingStrategy = .convertToSnakeCase
    return Array(try encoder.encode(Document(file: item.path, width: image.width, height: image.height, objects: objects)))
  }
}
