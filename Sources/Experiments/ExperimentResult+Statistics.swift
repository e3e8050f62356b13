import Base
import Foundation
import Training

extension ExperimentResult {
  /// Choices of samples that a bootstrap draws.
  public static let resamples = 2000

  /// Fills in the summaries of all variants, the checksum of the data, and the notes.
  /// - Parameter samples: reads the samples of a run by its path.
  /// - Throws: the failures of reading.
  package mutating func summarize(samples: (_ run: String) throws -> SampleTable) throws {
    notes = []
    let own = variants.first { $0.name == baseline }
    data = own?.finished.first?.data
    for index in variants.indices {
      let variant = variants[index]
      notes += variant.missingNote
      let problem = variant.name == baseline ? "" : Self.obstacle(to: variant, own, baseline)
      if let problem, !problem.isEmpty { notes.append(problem) }
      var intervals: [String: Interval] = [:]
      if problem == nil, let own {
        let common = variant.commonSeeds(with: own)
        if common.count < max(variant.finished.count, own.finished.count) {
          let seeds = common.map { "\($0)" }.joined(separator: ", ")
          notes.append("\(variant.label): compared with \(baseline) over seed \(seeds), which both have")
        }
        let reference = try VariantSamples(own, common, samples)
        let compared = try VariantSamples(variant, common, samples)
        if compared.names == reference.names {
          intervals = compared.intervals(against: reference, metrics.map(\.name), resamples: Self.resamples)
        } else {
          notes.append("\(variant.label): evaluated on other samples than \(baseline), so that there are no intervals")
        }
      }
      variants[index].summaries = metrics.map { metric in
        summary(of: metric, variant, isCompared: problem == nil ? own : nil, intervals[metric.name])
      }
      for metric in metrics { notes += variant.lackNote(of: metric.name) }
    }
  }

  private func summary(of metric: Metric, _ variant: Variant, isCompared own: Variant?, _ interval: Interval?) -> Summary {
    let values = variant.values(of: metric.name)
    var summary = Summary(metric: metric.name, count: values.count, planned: variant.seeds.count)
    guard !values.isEmpty else { return summary }
    let mean = Statistics.mean(values)
    (summary.mean, summary.deviation) = (mean, Statistics.sampleDeviation(values))
    guard let own else { return summary }
    let common = variant.commonSeeds(with: own)
    let (mine, others) = (variant.values(of: metric.name, common), own.values(of: metric.name, common))
    if mine.count == common.count, others.count == common.count {
      (summary.difference, summary.interval) = (Statistics.mean(mine) - Statistics.mean(others), interval)
    }
    return summary
  }

  /// What keeps a variant from being compared, in words; empty if it is only that nothing is finished; nil if nothing does.
  private static func obstacle(to variant: Variant, _ own: Variant?, _ baseline: String) -> String? {
    guard let own, !own.finished.isEmpty, !variant.finished.isEmpty else { return "" }
    if variant.commonSeeds(with: own).isEmpty { return "\(variant.label): not compared, for it has no seed in common with \(baseline)" }
    let mine = Set(variant.finished.map(\.data))
    let others = Set(own.finished.map(\.data))
    if mine.count > 1 || others.count > 1 {
      return "\(variant.label): not compared, for seeds of \(mine.count > 1 ? "it" : baseline) were run on different data"
    }
    return mine == others ? nil : "\(variant.label): not compared with \(baseline), for its data are others"
  }
}

extension ExperimentResult.Variant {
  var finished: [ExperimentResult.Seed] { seeds.filter { $0.status == .finished } }

  func values(of metric: String) -> [Double] { finished.compactMap { $0.metrics[metric] } }

  fileprivate func values(of metric: String, _ seeds: [Int]) -> [Double] {
    finished.filter { seeds.contains($0.seed) }.compactMap { $0.metrics[metric] }
  }

  /// The seeds that both have finished: only these are compared.
  fileprivate func commonSeeds(with other: Self) -> [Int] {
    let others = Set(other.finished.map(\.seed))
    return finished.map(\.seed).filter(others.contains)
  }

  /// The seeds that are not in the means.
  fileprivate var missingNote: [String] {
    let lost = seeds.filter { $0.status != .finished }.map { "seed \($0.seed) \($0.status == .failed ? "failed" : "is missing")" }
    return lost.isEmpty ? [] : ["\(label): \(finished.count) of \(seeds.count) seeds; \(lost.joined(separator: ", "))"]
  }

  fileprivate func lackNote(of metric: String) -> [String] {
    let lacking = finished.filter { $0.metrics[metric] == nil }.map { "\($0.seed)" }
    return lacking.isEmpty ? [] : ["\(label): no finite \(metric) with seed \(lacking.joined(separator: ", "))"]
  }
}

/// The samples of some finished seeds of a variant.
private struct VariantSamples {
  /// Of the samples; empty if the seeds do not agree.
  let names: [String]
  private let tables: [SampleTable]

  init(_ variant: ExperimentResult.Variant, _ seeds: [Int], _ read: (String) throws -> SampleTable) throws {
    tables = try variant.finished.filter { seeds.contains($0.seed) }.map { try read($0.run) }
    let first = tables.first?.names ?? []
    names = tables.allSatisfy { $0.names == first } ? first : []
  }

  /// The interval that holds the middle 95 % of the differences over choices of samples with replacement, the same for both sides; each
  /// side is the mean over its seeds.
  ///
  /// The r-th choice is a pure function of r and the number of samples, so that the order of metrics and variants changes nothing.
  /// - Source: Efron, Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13: the percentile interval.
  func intervals(against other: Self, _ metrics: [String], resamples: Int) -> [String: ExperimentResult.Interval] {
    guard !names.isEmpty, !tables.isEmpty, !other.tables.isEmpty else { return [:] }
    let sides = metrics.compactMap { metric -> (metric: String, mine: [SampleMetric], others: [SampleMetric])? in
      let mine = tables.compactMap { $0[metric] }
      let others = other.tables.compactMap { $0[metric] }
      // Of a single sample there is only one choice.
      let isShared = mine.count == tables.count && others.count == other.tables.count && mine[0].presentCount > 1
      return isShared ? (metric, mine, others) : nil
    }
    var differences = [[Double]](repeating: [], count: sides.count)
    for round in 0..<resamples {
      var random = Random(seed: 0, stream: .bootstrap, sample: round)
      var counts = [Int](repeating: 0, count: names.count)
      for _ in names { counts[random.integer(in: 0..<names.count)] += 1 }
      for (index, side) in sides.enumerated() {
        let mine = side.mine.compactMap { $0.value(counts: counts) }
        let others = side.others.compactMap { $0.value(counts: counts) }
        // A choice in which no sample has the metric says nothing.
        guard mine.count == side.mine.count, others.count == side.others.count else { continue }
        differences[index].append(Statistics.mean(mine) - Statistics.mean(others))
      }
    }
    var intervals: [String: ExperimentResult.Interval] = [:]
    for (side, values) in zip(sides, differences) where !values.isEmpty && values.allSatisfy(\.isFinite) {
      intervals[side.metric] = .init(low: Statistics.quantile(0.025, of: values), high: Statistics.quantile(0.975, of: values))
    }
    return intervals
  }
}
