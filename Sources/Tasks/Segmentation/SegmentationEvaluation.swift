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

  init(classes: Int) { score = SegmentationScore(classes: classes) }

  mutating func add(_ found: LabelMap, _ truth: SegmentationSample) {
    score.add(truth: truth.labels, found: found)
    images += 1
  }

  func result() throws -> Metrics {
    var metrics = Segmentation.metrics(of: score)
    metrics["images"] = Double(images)
    return metrics
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
    for (label, entry) in score.classScores.enumerated() {
      let plain = config.labels.name(of: label).map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" }
      // Different names may become equal.
      let isTaken = metrics["IoU.\(String(plain))"] != nil
      let name = String(plain) + (isTaken ? "_\(label)" : "")
      metrics["IoU.\(name)"] = entry.iou ?? .nan
      metrics["accuracy.\(name)"] = entry.accuracy ?? .nan
    }
    return metrics
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
    var evaluator = SegmentationEvaluator(classes: config.model.classes)
    try pass.run(&evaluator) { _, samples in
      try segmenter(samples.map(\.image))
    } visit: { index, sample, found in
      try visit(index, sample, found)
    }
    return (evaluator.score, try evaluator.result())
  }
}
