import Base
import Data
import Drawing
import Foundation
import Models
import Tensors
import Training
import Vision

/// Judges label maps over a set by one matrix of pixels.
struct SegmentationEvaluator: Evaluator {
  private(set) var score: SegmentationScore
  private var images = 0
  /// Of the classes, in the heads of columns.
  private let names: [String]

  /// - Parameter names: of the classes, each one once.
  init(names: [String]) {
    self.names = names
    score = SegmentationScore(classes: names.count)
  }

  mutating func add(_ found: LabelMap, _ truth: SegmentationSample) {
    score.add(truth: truth.labels, found: found)
    images += 1
  }

  func result() throws -> Metrics {
    var metrics = Segmentation.metrics(of: score)
    metrics["images"] = Double(images)
    return metrics
  }

  /// Class by class hits over pixels, so that any choice of pictures gives its own mean over classes; and the picture's own.
  func scores(of found: LabelMap, _ truth: SegmentationSample) -> [SampleScore] {
    var picture = SegmentationScore(classes: score.classes)
    picture.add(truth: truth.labels, found: found)
    guard picture.pixels > 0 else { return [] }
    var scores = [SampleScore("pixel_accuracy", picture.pixelAccuracy ?? 0, weight: Double(picture.pixels))]
    if let own = picture.meanIoU { scores.append(SampleScore("image_mIoU", own)) }
    for (name, entry) in zip(names, picture.classScores) {
      let either = entry.truePixels + entry.foundPixels - entry.hits
      if let iou = entry.iou { scores.append(SampleScore("mIoU", part: name, iou, weight: Double(either))) }
      guard let accuracy = entry.accuracy else { continue }
      scores.append(SampleScore("mean_accuracy", part: name, accuracy, weight: Double(entry.truePixels)))
    }
    return scores
  }
}

extension Segmentation: EvaluationTask, ResultsTask {
  public static let metrics = [
    MetricKind("mIoU", "mean over classes of pixels of both over pixels of either", better: .higher),
    MetricKind("pixel_accuracy", "share of pixels whose class is found", better: .higher),
    MetricKind("mean_accuracy", "mean over classes of the share of their pixels that is found", better: .higher),
    MetricKind("fwIoU", "mean of IoU by the classes' pixels", better: .higher),
    MetricKind("absent_classes", "neither in the labels nor found; in no mean"),
    MetricKind("images", "evaluated"),
  ]

  public static let sampleMetrics = [MetricKind("image_mIoU", "mean over pictures of each one's own mIoU", better: .higher)]

  /// Means over the set; NaN without a pixel that counts.
  static func metrics(of score: SegmentationScore) -> Metrics {
    [
      "mIoU": score.meanIoU ?? .nan, "pixel_accuracy": score.pixelAccuracy ?? .nan, "mean_accuracy": score.meanAccuracy ?? .nan,
      "fwIoU": score.frequencyWeightedIoU ?? .nan, "absent_classes": Double(score.classScores.count(where: \.isAbsent)),
    ]
  }

  /// IoU and accuracy of each class, `IoU.road`; NaN where there is none.
  static func details(of score: SegmentationScore, _ config: SegmentationConfig) -> Metrics {
    var metrics = Metrics()
    for (name, entry) in zip(plainNames(config), score.classScores) {
      metrics["IoU.\(name)"] = entry.iou ?? .nan
      metrics["accuracy.\(name)"] = entry.accuracy ?? .nan
    }
    return metrics
  }

  /// The names of the classes as they may stand in the name of a metric, each one once.
  static func plainNames(_ config: SegmentationConfig) -> [String] {
    var names: [String] = []
    for label in 0..<config.model.classes {
      let plain = String(config.labels.name(of: label).map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
      // Different names may become equal.
      names.append(names.contains(plain) ? "\(plain)_\(label)" : plain)
    }
    return names
  }

  /// The classes one by one; absent ones are marked.
  static func table(of score: SegmentationScore, _ config: SegmentationConfig) -> String {
    func number(_ value: Double?) -> String { value.map { String(format: "%.4f", $0) } ?? "-" }
    let total = Double(max(1, score.pixels))
    var table = TextTable(["class", "IoU", "accuracy", "share", ""], rightAligned: [1, 2, 3])
    for (label, entry) in score.classScores.enumerated() {
      let note = entry.isAbsent ? "absent" : entry.truePixels == 0 ? "found, but in no label" : ""
      let share = String(format: "%.2f %%", 100 * Double(entry.truePixels) / total)
      table.add([config.labels.name(of: label), number(entry.iou), number(entry.accuracy), share, note])
    }
    return table.text
  }

  public static func evaluate(
    _ config: SegmentationConfig, _ model: HRNetSegmentation, visuals: String?, _ monitor: EvaluationMonitor
  ) throws -> EvaluationReport {
    try evaluate(config, model, visuals: visuals, monitor) { _, _ in }
  }

  /// Writes the labels found as `NAME.png` into a folder.
  public static func evaluate(
    _ config: SegmentationConfig, _ model: HRNetSegmentation, visuals: String?, results folder: String, _ monitor: EvaluationMonitor
  ) throws -> EvaluationReport {
    try File.createFolder(folder)
    return try evaluate(config, model, visuals: visuals, monitor) { name, found in
      try AtomicFile.write(labelFile(found, config), to: "\(folder)/\(name).png")
    }
  }

  private static func evaluate(
    _ config: SegmentationConfig, _ model: HRNetSegmentation, visuals: String?, _ monitor: EvaluationMonitor,
    collect: (_ name: String, _ found: LabelMap) throws -> Void
  ) throws -> EvaluationReport {
    guard let data = try config.validation.open(config.table) else {
      throw Failure(.usage, at: "validation", "there is no data to evaluate on", remedy: "Name the folders of pictures and of label files.")
    }
    if let visuals { try File.createFolder(visuals) }
    let (score, metrics) = try judge(model, config, on: data, monitor) { index, sample, found in
      try collect(data.name(of: index), found)
      guard let visuals else { return }
      try comparison(of: sample, found, config).write(to: "\(visuals)/\(data.name(of: index)).png")
    }
    if let visuals { try classFigure(score, config).write(to: "\(visuals)/classes.png") }
    return EvaluationReport(metrics: metrics, details: details(of: score, config), table: table(of: score, config))
  }

  /// Finds and judges the labels of a validation set.
  /// - Parameter visit: told what the network says about each picture.
  static func judge(
    _ model: HRNetSegmentation, _ config: SegmentationConfig, on data: SegmentationSet, _ monitor: EvaluationMonitor,
    visit: (_ index: Int, _ sample: SegmentationSample, _ found: LabelMap) throws -> Void
  ) throws -> (score: SegmentationScore, metrics: Metrics) {
    let batchSize = config.inference.mode == .whole ? config.inference.batchSize : 1
    let pass = EvaluationPass<SegmentationSample>(
      data, config.validation.indices(of: data.count), batchSize: batchSize, workers: config.train.workers, monitor: monitor)
    let segmenter = Segmenter(model, config, MemoryGuard(Segmentation.self, config, model, .inference))
    var evaluator = SegmentationEvaluator(names: plainNames(config))
    try pass.run(&evaluator) { _, samples in
      try segmenter(samples.map(\.image))
    } visit: { index, sample, found in
      try visit(index, sample, found)
    }
    return (evaluator.score, try evaluator.result())
  }
}
