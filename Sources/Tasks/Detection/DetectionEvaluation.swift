import Base
import Data
import Drawing
import Models
import Tensors
import Training
import Vision

/// An image of the validation set, ready for the network.
struct EvaluatedImage: Sendable {
  let example: COCODetection.Example
  let element: DetectionElement
}

/// The validation set as the network sees it: images are resized on the loader's threads.
struct EvaluationImages: Dataset {
  let images: COCODetection
  let augmentation: DetectionAugmentation

  var count: Int { images.count }
  func name(of index: Int) -> String { images.name(of: index) }

  func sample(at index: Int) throws -> EvaluatedImage {
    let example = try images.sample(at: index)
    return EvaluatedImage(example: example, element: DetectionElement(augmentation.evaluated(example.sample)))
  }
}

/// Judges boxes over a data set by COCO's average precision.
struct DetectionEvaluator: Evaluator {
  /// What the network says about one image: objects of all slots, and their masks if it makes them.
  struct Prediction {
    let detections: [Models.Detection]
    let masks: [RunLengthMask]
  }

  private let classes: ClassMap
  private var boxes: AveragePrecision
  private var masks: AveragePrecision?
  private var images = 0
  private var objects = 0

  init(_ classes: ClassMap, categories: [Int], judgesMasks: Bool) {
    self.classes = classes
    boxes = AveragePrecision(categories: categories)
    masks = judgesMasks ? AveragePrecision(categories: categories) : nil
  }

  mutating func add(_ prediction: Prediction, _ truth: EvaluatedImage) {
    let example = truth.example
    images += 1
    objects += example.annotations.count { !$0.isCrowd }
    let truths = example.annotations.map { AveragePrecision.Truth(category: $0.categoryID, area: $0.area, isCrowd: $0.isCrowd) }
    let found = prediction.detections.map { ($0, BoundingBox($0)) }
    boxes.add(
      image: example.image, truths: truths, boxes: example.annotations.map(\.box),
      detections: found.map { .init(category: classes.category(of: $0.label), score: $0.score, area: $1.area) }, boxes: found.map(\.1))
    masks?.add(
      image: example.image, truths: truths, masks: example.masks,
      detections: zip(prediction.detections, prediction.masks).map {
        .init(category: classes.category(of: $0.label), score: $0.score, area: Double($1.area))
      },
      masks: prediction.masks)
  }

  func boxResult() -> AveragePrecisionResult { boxes.result() }

  func result() throws -> Metrics {
    var metrics = Metrics()
    for (kind, value) in zip(Detection.boxMetrics, boxes.result().summary.values) { metrics[kind.name] = value }
    if let masks { for (kind, value) in zip(Detection.maskMetrics, masks.result().summary.values) { metrics[kind.name] = value } }
    metrics["images"] = Double(images)
    metrics["objects"] = Double(objects)
    return metrics
  }
}

extension BoundingBox {
  init(_ detection: Models.Detection) {
    self.init(x0: detection.box[0], y0: detection.box[1], x1: detection.box[2], y1: detection.box[3])
  }
}

extension Detection: EvaluationTask {
  private static let meanings = [
    "mean average precision, IoU 0.50 to 0.95", "average precision at IoU 0.50", "average precision at IoU 0.75", "of objects below 32² px",
    "of objects of 32² to 96² px", "of objects above 96² px", "highest recall with 1 detection an image", "with 10", "with 100",
    "of objects below 32² px", "of objects of 32² to 96² px", "of objects above 96² px",
  ]

  /// COCO's twelve numbers for boxes; -1 where there are no such objects.
  static let boxMetrics = zip(AveragePrecisionResult.Summary.names, meanings).map { MetricKind($0, $1, better: .higher) }

  /// The same for masks.
  static let maskMetrics = zip(AveragePrecisionResult.Summary.names, meanings).map {
    MetricKind("mask_\($0)", "masks: \($1)", better: .higher)
  }

  public static let metrics = boxMetrics + maskMetrics + [MetricKind("images", "evaluated"), MetricKind("objects", "to be found")]

  public static func evaluate(
    _ config: DetectionConfig, _ model: DETRModel, visuals: String?, _ monitor: EvaluationMonitor
  ) throws -> EvaluationReport {
    guard let data = try config.validation.open(config) else {
      throw Failure(.usage, at: "validation.annotations", "'' leaves nothing to evaluate on", remedy: "Name a COCO annotation file.")
    }
    if let visuals { try File.createFolder(visuals) }
    let count = visuals == nil ? 0 : data.count
    let report = try judge(model, config, on: data, pictures: count, title: "", monitor)
    if let visuals { for picture in report.pictures { try AtomicFile.write(picture.png, to: "\(visuals)/\(picture.name).png") } }
    return report
  }

  /// Detects and judges on a validation set.
  /// - Parameters:
  ///   - pictures: the first so many images are drawn.
  ///   - title: put behind the names of pictures' titles.
  static func judge(
    _ model: DETRModel, _ config: DetectionConfig, on data: COCODetection, pictures: Int, title: String, _ monitor: EvaluationMonitor
  ) throws -> EvaluationReport {
    let indices = config.validation.indices(of: data.count)
    let images = EvaluationImages(images: data, augmentation: config.augmentation)
    let pass = EvaluationPass<EvaluatedImage>(
      images, indices, batchSize: config.inference.batchSize, workers: config.train.workers, monitor: monitor)
    let memory = MemoryGuard(Detection.self, config, model, .inference)
    let detector = Detector(model)
    var evaluator = DetectionEvaluator(config.classMap, categories: data.categoryIDs, judgesMasks: config.model.masks)
    var drawn: [EvaluationReport.Picture] = []
    let shown = Set(indices.prefix(pictures))
    try pass.run(&evaluator) { _, samples in
      let batch = DetectionBatch(samples.map(\.element))
      try memory.require(InputShape(samples: samples.count, height: batch.images.canvas.height, width: batch.images.canvas.width))
      let sizes = samples.map { Extent(height: $0.example.sample.image.height, width: $0.example.sample.image.width) }
      return detector(batch.images, originalSizes: sizes)
    } visit: { index, sample, prediction in
      guard shown.contains(index) else { return }
      let name = data.name(of: index)
      let figure = Detection.picture(of: sample.example, prediction, config, title: title.isEmpty ? name : "\(name), \(title)")
      drawn.append(.init(name: name, png: try PNG.encode(figure.image())))
    }
    return EvaluationReport(metrics: try evaluator.result(), pictures: drawn)
  }
}

/// Runs a network on batches of images.
struct Detector {
  private let model: DETRModel

  init(_ model: DETRModel) { self.model = model }

  /// - Parameter originalSizes: of the images before they were resized.
  func callAsFunction(_ images: PaddedImages, originalSizes: [Extent]) -> [DetectionEvaluator.Prediction] {
    noGradient {
      let output = model.detr(images, auxiliary: false, .evaluation)
      let detections = output.last.detections(originalSizes)
      let masks = model.segmentation.map { $0.instanceMasks(output, images, originalSizes: originalSizes) }
      return detections.enumerated().map { image, list in
        DetectionEvaluator.Prediction(detections: list, masks: masks?[image] ?? [])
      }
    }
  }
}
