import Base
import Data
import Models
import Training
import Vision

/// `apus score`: metrics of made pictures against real ones, or of the features of both; no network of ours takes part.
public struct PictureScoring {
  /// Folders of pictures with the same stems, or files of features (`.npy`).
  public var real: String
  public var found: String
  /// The weights of the networks whose features are compared.
  public var settings = FeatureMetricSettings()
  public var isJSON = false

  public init(real: String, found: String) { (self.real, self.found) = (real, found) }

  private static let kinds = [
    MetricKind("PSNR", unit: "dB", "mean of the pictures' peak signal-to-noise ratios", better: .higher),
    MetricKind("SSIM", "structural similarity", better: .higher),
    MetricKind("L1", "mean difference of values in 0...1", better: .lower),
  ] + FeatureMetricSettings.kinds

  /// - Returns: text for the user.
  /// - Throws: `.badData` for pictures that have no counterpart or another size, and the failures of reading.
  public func run(monitor: EvaluationMonitor = .init()) throws -> String {
    let areFeatures = [real, found].map { $0.hasSuffix(".npy") }
    guard areFeatures[0] == areFeatures[1] else {
      throw Failure(.usage, at: found, "features are compared with features, and pictures with pictures")
    }
    let report = try areFeatures[0] ? ofFeatures() : ofPictures(monitor)
    return report.text(Self.kinds, isJSON: isJSON)
  }

  private func ofFeatures() throws -> EvaluationReport {
    let sets = (real: try FeatureSet(at: real), found: try FeatureSet(at: found))
    var metrics = Metrics()
    var notes = ["\(sets.real.count) and \(sets.found.count) feature vectors of \(sets.real.width) numbers"]
    metrics["FID"] = try frechetDistance(sets.real, sets.found)
    if Set(sets.real.names) == Set(sets.found.names) {
      let score = try InceptionDiscriminativeScore(real: sets.real, found: sets.found)
      metrics["U-IDS"] = 100 * score.unpaired
      metrics["P-IDS"] = 100 * score.paired
    } else {
      notes.append("no U-IDS and P-IDS: the names are not the same")
    }
    if min(sets.real.count, sets.found.count) > FeatureMetricSettings.neighbours {
      let result = try ImprovedPrecisionRecall(real: sets.real, found: sets.found, neighbours: FeatureMetricSettings.neighbours)
      metrics["precision"] = 100 * result.precision
      metrics["recall"] = 100 * result.recall
    }
    return EvaluationReport(metrics: metrics, notes: notes)
  }

  private func ofPictures(_ monitor: EvaluationMonitor) throws -> EvaluationReport {
    let truths = try ImageFiles.named([real])
    let others = try ImageFiles.named([found])
    let places = Dictionary(others.map { ($0.name, $0.path) }) { first, _ in first }
    let alone = truths.map(\.name).filter { places[$0] == nil } + others.map(\.name).filter { name in !truths.contains { $0.name == name } }
    guard alone.isEmpty else {
      throw Failure(.badData, at: found, "\(alone.count) pictures have no counterpart by name: \(someOf(alone))")
    }
    var judge = try FeatureJudge(settings)
    var sums = (psnr: 0.0, ssim: 0.0, l1: 0.0)
    var counts = (unequal: 0, large: 0)
    for (index, entry) in truths.enumerated() {
      if monitor.isCancelled() { throw EvaluationCancelled() }
      let truth = try Image(contentsOf: entry.path).rgb()
      let path = places[entry.name] ?? ""
      let other = try Image(contentsOf: path).rgb()
      guard truth.height == other.height, truth.width == other.width else {
        throw Failure(.badData, at: path, "\(other.width)x\(other.height) pixels, but \(entry.path) has \(truth.width)x\(truth.height)")
      }
      let similarity = ImageSimilarity(truth, other)
      sums.l1 += similarity.l1
      if similarity.psnr.isFinite {
        sums.psnr += similarity.psnr
        counts.unequal += 1
      }
      if min(truth.height, truth.width) >= ImageSimilarity.windowSize {
        sums.ssim += similarity.ssim
        counts.large += 1
      }
      judge.add(entry.name, truth: truth, found: other)
      monitor.report(index + 1, truths.count)
    }
    var metrics: Metrics = [:]
    var notes = ["\(truths.count) pairs of pictures"]
    if counts.unequal > 0 { metrics["PSNR"] = sums.psnr / Double(counts.unequal) }
    if counts.large > 0 { metrics["SSIM"] = sums.ssim / Double(counts.large) }
    metrics["L1"] = sums.l1 / Double(truths.count)
    if counts.unequal < truths.count { notes.append("\(truths.count - counts.unequal) pairs are equal and not part of PSNR") }
    let features = try judge.result()
    for metric in features.metrics { metrics[metric.name] = metric.value }
    return EvaluationReport(metrics: metrics, notes: notes + features.notes)
  }
}
