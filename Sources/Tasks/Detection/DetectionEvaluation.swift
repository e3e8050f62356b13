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
    /// Of a panoptic set.
    let panoptic: PanopticResult?

    /// The mask of one of the detections; nil if the network makes none.
    func mask(at index: Int) -> RunLengthMask? { masks.indices.contains(index) ? masks[index] : nil }
  }

  private let classes: CategoryMap
  private var boxes: AveragePrecision
  private var masks: AveragePrecision?
  private var quality: PanopticQuality?
  private var confusion: ConfusionMatrix
  /// Of the categories, by id.
  private let names: [Int: String]
  private var images = 0
  private var objects = 0

  /// - Parameter data: the set, whose categories are judged; its masks if the network makes some, its segments too, if it is panoptic.
  init(_ config: DetectionConfig, _ data: COCODetection) {
    let judgesMasks = config.model.masks
    classes = config.categories
    names = Dictionary(data.instances.categories.map { ($0.id, $0.name) }) { first, _ in first }
    confusion = ConfusionMatrix(categories: data.categoryIDs, scoreThreshold: config.inference.threshold)
    boxes = AveragePrecision(categories: data.categoryIDs)
    masks = judgesMasks ? AveragePrecision(categories: data.categoryIDs) : nil
    let categories = data.instances.categories.map { PanopticQuality.Category(id: $0.id, isThing: $0.isThing) }
    quality = judgesMasks && data.isPanoptic ? PanopticQuality(categories: categories) : nil
  }

  mutating func add(_ prediction: Prediction, _ truth: EvaluatedImage) throws {
    let example = truth.example
    images += 1
    objects += example.annotations.count { !$0.isCrowd }
    Self.addBoxes(of: prediction, example, classes, to: &boxes)
    confusion.add(
      truths: example.annotations.filter { !$0.isCrowd }.map { .init(category: $0.categoryID, box: $0.box) },
      detections: prediction.detections.map { .init(category: classes.id(ofLabel: $0.label), box: $0.box) },
      scores: prediction.detections.map(\.score))
    Self.addMasks(of: prediction, example, classes, to: &masks)
    if let result = prediction.panoptic, let truth = example.panoptic {
      let segments = result.segments.map { PanopticSegment(id: $0.id, category: classes.id(ofLabel: $0.label)) }
      try quality?.add(truth: truth.map, truthSegments: truth.segments, predicted: result.map, predictedSegments: segments)
    }
  }

  private static func truths(of example: COCODetection.Example) -> [AveragePrecision.Truth] {
    example.annotations.map { .init(category: $0.categoryID, area: $0.area, isCrowd: $0.isCrowd) }
  }

  private static func addBoxes(
    of prediction: Prediction, _ example: COCODetection.Example, _ classes: CategoryMap, to score: inout AveragePrecision
  ) {
    score.add(
      image: example.image, truths: truths(of: example), boxes: example.annotations.map(\.box),
      detections: prediction.detections.map { .init(category: classes.id(ofLabel: $0.label), score: $0.score, area: $0.box.area) },
      boxes: prediction.detections.map(\.box))
  }

  private static func addMasks(
    of prediction: Prediction, _ example: COCODetection.Example, _ classes: CategoryMap, to score: inout AveragePrecision?
  ) {
    score?.add(
      image: example.image, truths: truths(of: example), masks: example.masks,
      detections: zip(prediction.detections, prediction.masks).map {
        .init(category: classes.id(ofLabel: $0.label), score: $0.score, area: Double($1.area))
      },
      masks: prediction.masks)
  }

  /// The average precision of the image alone; none of an image without objects. (That of the set ranks the detections of all images
  /// together, and is no mean over images.)
  func scores(of prediction: Prediction, _ truth: EvaluatedImage) -> [SampleScore] {
    var own = AveragePrecision(categories: boxes.categories)
    Self.addBoxes(of: prediction, truth.example, classes, to: &own)
    let summary = own.result().summary
    var scores = [("image_AP", summary.ap), ("image_AP50", summary.ap50)]
    if masks != nil {
      var own: AveragePrecision? = AveragePrecision(categories: boxes.categories)
      Self.addMasks(of: prediction, truth.example, classes, to: &own)
      if let own { scores.append(("image_mask_AP", own.result().summary.ap)) }
    }
    return scores.filter { $0.1 >= 0 }.map { SampleScore($0, $1) }
  }

  func result() throws -> Metrics { try judgement().metrics }

  /// The metrics, and what they are made of.
  func judgement() throws -> DetectionJudgement {
    let found = boxes.result()
    var metrics = Metrics()
    for (kind, value) in zip(Detection.boxMetrics, found.summary.values) { metrics[kind.name] = value }
    if let masks { for (kind, value) in zip(Detection.maskMetrics, masks.result().summary.values) { metrics[kind.name] = value } }
    if let quality {
      for (suffix, score) in [("", quality.all), ("_th", quality.things), ("_st", quality.stuff)] {
        for (name, value) in [("PQ", score.pq), ("SQ", score.sq), ("RQ", score.rq)] { metrics[name + suffix] = 100 * value }
      }
    }
    metrics["images"] = Double(images)
    metrics["objects"] = Double(objects)
    return DetectionJudgement(metrics: metrics, boxes: found, confusion: confusion, names: names)
  }
}

extension Detection: EvaluationTask, ResultsTask {
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

  /// Panoptic quality of all categories, of things and of stuff.
  static let panopticMetrics = [("", "all categories"), ("_th", "things"), ("_st", "stuff")].flatMap { suffix, what in
    [MetricKind("PQ\(suffix)", unit: "%", "panoptic quality of \(what)", better: .higher),
     MetricKind("SQ\(suffix)", unit: "%", "mean IoU of matched segments of \(what)", better: .higher),
     MetricKind("RQ\(suffix)", unit: "%", "F1 of segments of \(what)", better: .higher)]
  }

  public static let metrics = boxMetrics + maskMetrics + panopticMetrics
    + [MetricKind("images", "evaluated"), MetricKind("objects", "to be found")]

  public static let sampleMetrics = [
    MetricKind("image_AP", "mean over images of each one's own AP", better: .higher),
    MetricKind("image_AP50", "mean over images of each one's own AP50", better: .higher),
    MetricKind("image_mask_AP", "masks: mean over images of each one's own AP", better: .higher),
  ]

  public static func evaluate(
    _ config: DetectionConfig, _ model: DETRModel, visuals: String?, _ monitor: EvaluationMonitor
  ) throws -> EvaluationReport {
    try evaluate(config, model, visuals: visuals, monitor) { _, _ in }
  }

  /// Writes boxes, or with masks these alone, as COCO's result file: its ids, pixels of the original images.
  public static func evaluate(
    _ config: DetectionConfig, _ model: DETRModel, visuals: String?, results file: String, _ monitor: EvaluationMonitor
  ) throws -> EvaluationReport {
    let categories = config.categories
    var results: [COCOResult] = []
    let report = try evaluate(config, model, visuals: visuals, monitor) { image, prediction in
      for (index, detection) in prediction.detections.enumerated() {
        let mask = prediction.mask(at: index)
        results.append(COCOResult(
          imageID: image, categoryID: categories.id(ofLabel: detection.label), score: detection.score,
          box: mask == nil ? detection.box : nil, mask: mask))
      }
    }
    try COCOResults.write(results, to: file)
    return report
  }

  private static func evaluate(
    _ config: DetectionConfig, _ model: DETRModel, visuals: String?, _ monitor: EvaluationMonitor,
    collect: (_ image: Int, _ prediction: DetectionEvaluator.Prediction) -> Void
  ) throws -> EvaluationReport {
    guard let data = try config.validation.open(config) else {
      throw Failure(.usage, at: "validation.annotations", "'' leaves nothing to evaluate on", remedy: "Name a COCO annotation file.")
    }
    if let visuals { try File.createFolder(visuals) }
    let judgement = try judge(model, config, on: data, monitor) { index, example, prediction in
      collect(example.image, prediction)
      guard let visuals else { return }
      let name = data.name(of: index)
      for (suffix, figure) in pictures(of: example, prediction, data, config) { try figure.write(to: "\(visuals)/\(name)\(suffix).png") }
      let inspection = Inspection(of: example, model, config)
      try inspection.attention(config)?.write(to: "\(visuals)/\(name)_attention.png")
    }
    if let visuals { for (name, figure) in judgement.figures { try figure.write(to: "\(visuals)/\(name).png") } }
    return EvaluationReport(metrics: judgement.metrics)
  }

  /// Detects and judges on a validation set.
  /// - Parameter visit: told what the network says about each image.
  static func judge(
    _ model: DETRModel, _ config: DetectionConfig, on data: COCODetection, _ monitor: EvaluationMonitor,
    visit: (_ index: Int, _ example: COCODetection.Example, _ prediction: DetectionEvaluator.Prediction) throws -> Void
  ) throws -> DetectionJudgement {
    let images = EvaluationImages(images: data, augmentation: config.augmentation)
    let pass = EvaluationPass<EvaluatedImage>(
      images, config.validation.indices(of: data.count), batchSize: config.inference.batchSize, workers: config.train.workers,
      monitor: monitor)
    let memory = MemoryGuard(Detection.self, config, model, .inference)
    let detector = Detector(model, isThing: data.isPanoptic ? data.isThing : nil)
    var evaluator = DetectionEvaluator(config, data)
    try pass.run(&evaluator) { _, samples in
      let batch = DetectionBatch(samples.map(\.element))
      try memory.require(InputShape(samples: samples.count, height: batch.images.canvas.height, width: batch.images.canvas.width))
      let sizes = samples.map { Extent(height: $0.example.sample.image.height, width: $0.example.sample.image.width) }
      return detector(batch.images, originalSizes: sizes)
    } visit: { index, sample, prediction in
      try visit(index, sample.example, prediction)
    }
    return try evaluator.judgement()
  }
}

extension CategoryMap {
  /// The category id of a class that the network names; all of a config's classes have one.
  func id(ofLabel label: Int) -> Int { id(of: label) ?? label }
}

/// Runs a network on batches of images.
struct Detector {
  private let model: DETRModel
  /// For panoptic results: whether a class is of things.
  private let isThing: ((Int) -> Bool)?

  init(_ model: DETRModel, isThing: ((Int) -> Bool)? = nil) {
    self.model = model
    self.isThing = isThing
  }

  /// - Parameter originalSizes: of the images before they were resized.
  func callAsFunction(_ images: PaddedImages, originalSizes: [Extent]) -> [DetectionEvaluator.Prediction] {
    noGradient {
      let output = model.detr(images, auxiliary: false, .evaluation)
      let detections = output.last.detections(originalSizes)
      let masks = model.segmentation.map { $0.instanceMasks(output, images, originalSizes: originalSizes) }
      let panoptic = isThing.flatMap { isThing in
        model.segmentation?.panopticResults(output, images, originalSizes: originalSizes, isThing: isThing)
      }
      return detections.enumerated().map { image, list in
        DetectionEvaluator.Prediction(detections: list, masks: masks?[image] ?? [], panoptic: panoptic?[image])
      }
    }
  }
}
