import Base
import Data
import Drawing
import Foundation
import Models
import Tensors
import Training
import Vision

/// Judges completions over a set, number by number: means over pictures.
struct InpaintingEvaluator: Evaluator {
  private var sums: [String: Double] = [:]
  private var counts: [String: Int] = [:]
  private var images = 0

  mutating func add(_ found: Completer.Completion, _ sample: InpaintingSample) {
    images += 1
    for score in scores(of: found, sample) { gather(score.metric, score.value) }
    let hole = sample.mask.known.map { $0 == 0 }
    gather("L1_hole.mean_color", ImageSimilarity(sample.image, sample.image.filledWithMean(sample.mask)).l1(over: hole))
    gather("L1_hole.nearest_pixel", ImageSimilarity(sample.image, sample.image.filledFromNearest(sample.mask)).l1(over: hole))
    gather("hole", sample.mask.holeShare)
  }

  func scores(of found: Completer.Completion, _ sample: InpaintingSample) -> [SampleScore] {
    let hole = sample.mask.known.map { $0 == 0 }
    let similarity = ImageSimilarity(sample.image, found.image)
    let isLarge = min(sample.image.height, sample.image.width) >= ImageSimilarity.windowSize
    let values: [(String, Double?)] = [
      ("L1_hole", similarity.l1(over: hole)),
      ("L1_hole_first_stage", ImageSimilarity(sample.image, found.firstStage).l1(over: hole)),
      ("L1", similarity.l1),
      // A picture without a hole is equal: its ratio has no limit.
      ("PSNR", similarity.psnr.isFinite ? similarity.psnr : nil),
      ("SSIM", isLarge ? similarity.ssim : nil),
    ]
    return values.compactMap { name, value in value.map { SampleScore(name, $0) } }
  }

  private mutating func gather(_ name: String, _ value: Double?) {
    guard let value else { return }
    sums[name, default: 0] += value
    counts[name, default: 0] += 1
  }

  func mean(_ name: String) -> Double { (sums[name] ?? .nan) / Double(counts[name] ?? 1) }

  func result() throws -> Metrics {
    var metrics: Metrics = [:]
    for name in ["L1_hole", "L1_hole_first_stage", "L1", "PSNR", "SSIM"] { metrics[name] = mean(name) }
    metrics["images"] = Double(images)
    return metrics
  }

  /// The same of completions that know nothing of pictures.
  var baselines: Metrics { ["L1_hole.mean_color": mean("L1_hole.mean_color"), "L1_hole.nearest_pixel": mean("L1_hole.nearest_pixel")] }
}

extension Inpainting: EvaluationTask, ResultsTask {
  public static let metrics = [
    MetricKind("L1_hole", "mean difference in the hole, of values in 0...1", better: .lower),
    MetricKind("L1_hole_first_stage", "of the first stage's picture", better: .lower),
    MetricKind("L1", "mean difference over the picture", better: .lower), MetricKind("PSNR", unit: "dB", "of the picture", better: .higher),
    MetricKind("SSIM", "structural similarity of the picture", better: .higher),
    MetricKind("images", "evaluated"),
  ] + FeatureMetricSettings.kinds

  public static func evaluate(
    _ config: InpaintingConfig, _ model: MATGenerator, visuals: String?, _ monitor: EvaluationMonitor
  ) throws -> EvaluationReport {
    try evaluate(config, model, visuals: visuals, monitor) { _, _ in }
  }

  /// Writes the completions as `NAME.png` into a folder.
  public static func evaluate(
    _ config: InpaintingConfig, _ model: MATGenerator, visuals: String?, results folder: String, _ monitor: EvaluationMonitor
  ) throws -> EvaluationReport {
    try File.createFolder(folder)
    return try evaluate(config, model, visuals: visuals, monitor) { name, found in
      try AtomicFile.write(PNG.encode(found.image), to: "\(folder)/\(name).png")
    }
  }

  private static func evaluate(
    _ config: InpaintingConfig, _ model: MATGenerator, visuals: String?, _ monitor: EvaluationMonitor,
    collect: (_ name: String, _ found: Completer.Completion) throws -> Void
  ) throws -> EvaluationReport {
    guard let data = try config.validation.open(config, isTraining: false) else {
      throw Failure(.usage, at: "validation.images", "there is no data to evaluate on", remedy: "Name the folder of the pictures.")
    }
    if let visuals { try File.createFolder(visuals) }
    return try report(model, config, on: data, pictureCount: 0, monitor) { index, sample, found in
      try collect(data.name(of: index), found)
      guard let visuals else { return }
      let name = "\(visuals)/\(data.name(of: index))"
      try completions([(sample, found)]).write(to: "\(name).png")
      let insight = StageInsight(model, config.inference, sample, number: index)
      try insight.masks.write(to: "\(name)_masks.png")
      try insight.windows?.write(to: "\(name)_windows.png")
    }
  }

  /// Completes and judges a validation set: one completion of each picture.
  /// - Parameters:
  ///   - pictureCount: pictures on a sheet, at most.
  ///   - visit: told what the network makes of each picture.
  static func report(
    _ model: MATGenerator, _ config: InpaintingConfig, on data: InpaintingSet, pictureCount: Int, _ monitor: EvaluationMonitor,
    visit: (_ index: Int, _ sample: InpaintingSample, _ found: Completer.Completion) throws -> Void = { _, _, _ in }
  ) throws -> EvaluationReport {
    let indices = config.validation.indices(of: data.count)
    let shown = Set(indices.prefix(pictureCount))
    let pass = EvaluationPass<InpaintingSample>(
      data, indices, batchSize: config.inference.batchSize, workers: config.train.workers, monitor: monitor)
    let completer = Completer(model, config.inference)
    var evaluator = InpaintingEvaluator()
    let isTraining = pictureCount > 0
    var judge = try FeatureJudge(isTraining && !config.metrics.inTraining ? FeatureMetricSettings() : config.metrics)
    var sheet: [(InpaintingSample, Completer.Completion)] = []
    try pass.run(&evaluator) { indices, samples in
      completer.completions(zip(indices, samples).map { ($1.image, $1.mask, $0) })
    } visit: { index, sample, found in
      try visit(index, sample, found)
      judge.add(data.name(of: index), truth: sample.image, found: found.image)
      if shown.contains(index) { sheet.append((sample, found)) }
    }
    let perceptual = try judge.result()
    var metrics = try evaluator.result()
    for metric in perceptual.metrics { metrics[metric.name] = metric.value }
    var report = EvaluationReport(metrics: metrics, details: evaluator.baselines)
    if !sheet.isEmpty { report.pictures = [.init(name: "completions", png: try PNG.encode(completions(sheet).image()))] }
    report.notes = notes(on: data, config, indices.count, evaluator) + perceptual.notes
    return report
  }

  private static func notes(
    on data: InpaintingSet, _ config: InpaintingConfig, _ count: Int, _ evaluator: InpaintingEvaluator
  ) -> [String] {
    let masks = switch data.masks {
    case .freeForm(let settings): "free-form masks (\(settings.preset.configName))"
    case .files(_, let polarity), .pool(_, let polarity): "masks of \(config.validation.masks.folder); \(polarity.words)"
    }
    func number(_ name: String) -> String { String(format: "%.4f", evaluator.mean(name)) }
    let hole = "hole \(String(percent: evaluator.mean("hole"))) on average"
    return [
      "\(count) pictures, one completion each (seed \(config.inference.seed)), \(masks), \(hole)",
      "L1 over the hole of the mean colour \(number("L1_hole.mean_color")), of the nearest known pixel \(number("L1_hole.nearest_pixel"))",
    ]
  }
}
