import Base
import Data
import Drawing
import Foundation
import Models
import Tensors
import Training
import Vision

extension Appearance: EvaluationTask {
  public static let metrics = [
    MetricKind("mAP", "mean over queries of the average precision, by Market-1501's rule", better: .higher),
    MetricKind("rank1", "share of queries whose nearest counted picture is of their identity", better: .higher),
    MetricKind("rank5", "the same among the nearest five", better: .higher),
    MetricKind("rank10", "the same among the nearest ten", better: .higher),
    MetricKind("queries", "that count"),
    MetricKind("unmatched", "queries without another picture of their identity to find"),
    MetricKind("gallery", "pictures that are searched"),
  ]

  public static func evaluate(
    _ config: AppearanceConfig, _ model: AppearanceNetwork, visuals: String?, _ monitor: EvaluationMonitor
  ) throws -> EvaluationReport {
    guard let sets = try config.validation.openRetrieval(config.model) else {
      throw Failure(.usage, at: "validation", "there is no data to evaluate on", remedy: "Name the folder of the set: validation.root.")
    }
    let result = try judge(model, config, on: sets, monitor)
    if let visuals {
      try File.createFolder(visuals)
      for query in result.queries { try result.sheet(of: query, config).write(to: "\(visuals)/\(sets.query.name(of: query.index)).png") }
    }
    let notes = sets.query.notes + (sets.gallery?.notes ?? [])
    return EvaluationReport(metrics: result.metrics, notes: notes.uniqued())
  }

  /// Searches the gallery for every query.
  static func judge(
    _ model: AppearanceNetwork, _ config: AppearanceConfig, on sets: RetrievalSet, _ monitor: EvaluationMonitor
  ) throws -> AppearanceRetrieval {
    let chosen = config.validation.indices(of: sets.query.count), isApart = sets.gallery != nil
    let gallery = sets.gallery ?? sets.query
    let total = gallery.count + (isApart ? chosen.count : 0)
    func features(of set: IdentitySet, _ indices: [Int], done: Int) throws -> Tensor {
      let part = EvaluationMonitor(report: { count, _ in monitor.report(done + count, total) }, isCancelled: monitor.isCancelled)
      let pass = EvaluationPass<IdentitySample>(
        set, indices, batchSize: config.inference.batchSize, workers: config.train.workers, monitor: part)
      let extractor = AppearanceExtractor(model, batchSize: config.inference.batchSize)
      var collector = FeatureCollector()
      try pass.run(&collector) { _, samples in extractor.features(of: samples.map(\.image)) }
      return Tensor(collector.features.flatMap { $0 }, shape: [indices.count, extractor.length])
    }
    let found = try features(of: gallery, Array(gallery.crops.indices), done: 0)
    let asked = isApart ? try features(of: sets.query, chosen, done: gallery.count) : found.gathered(0, chosen)
    var retrieval = AppearanceRetrieval(sets.query, gallery, shown: config.inference.shown)
    for (row, index) in chosen.enumerated() {
      if monitor.isCancelled() { throw EvaluationCancelled() }
      let cosines = asked.sliced(0, row..<row + 1).matmul(found, otherTransposed: true).floats
      let result = retrieval.add(index, cosines.map { 1 - $0 }, isInGallery: !isApart)
      guard let result, let collect = monitor.collect else { continue }
      let isFirst = result.firstPlace == 0
      collect(sets.query.name(of: index), [SampleScore("mAP", result.averagePrecision), SampleScore("rank1", isFirst ? 1 : 0)])
    }
    guard retrieval.score.queries > 0 else {
      throw Failure(.badData, at: "validation.root", "none of \(chosen.count) queries has another picture of its identity to find",
                    remedy: "Pictures of the query's own camera do not count.")
    }
    return retrieval
  }
}

/// The vectors of all pictures of a set, in order.
private struct FeatureCollector: Evaluator {
  private(set) var features: [[Float]] = []

  mutating func add(_ found: [Float], _ sample: IdentitySample) { features.append(found) }

  func result() throws -> Metrics { [:] }
}

/// The answers of a gallery to queries.
struct AppearanceRetrieval {
  /// A query with the pictures nearest to it.
  struct Query {
    /// Its place among the queries.
    let index: Int
    /// Places in the gallery with their distances, the nearest first; without junk.
    let nearest: [(place: Int, distance: Float)]
  }

  private(set) var score = RetrievalScore()
  private(set) var queries: [Query] = []
  private let query: IdentitySet
  private let gallery: IdentitySet
  private let entries: [RetrievalScore.Entry]
  private let shown: Int

  init(_ query: IdentitySet, _ gallery: IdentitySet, shown: Int) {
    (self.query, self.gallery, self.shown) = (query, gallery, shown)
    entries = gallery.crops.map { RetrievalScore.Entry(identity: $0.identity, camera: $0.camera) }
  }

  mutating func add(_ index: Int, _ distances: [Float], isInGallery: Bool) -> (firstPlace: Int, averagePrecision: Double)? {
    let crop = query.crops[index], asked = RetrievalScore.Entry(identity: crop.identity, camera: crop.camera)
    let ranking = score.add(asked, distances, gallery: entries, excluding: isInGallery ? index : nil)
    guard let ranking else { return nil }
    queries.append(Query(index: index, nearest: ranking.nearest(shown).map { ($0, distances[$0]) }))
    return (ranking.firstPlace, ranking.averagePrecision)
  }

  var metrics: Metrics {
    ["mAP": score.meanAveragePrecision, "rank1": score.rank(1), "rank5": score.rank(5), "rank10": score.rank(10),
     "queries": Double(score.queries), "unmatched": Double(score.unmatched), "gallery": Double(gallery.count)]
  }

  /// A query, and what is nearest to it.
  func sheet(of query: Query, _ config: AppearanceConfig) throws -> FigureGrid {
    let crop = self.query.crops[query.index], side = 96
    func picture(_ set: IdentitySet, _ index: Int) throws -> ImageFigure {
      let height = side * config.model.height / config.model.width
      return ImageFigure(try set.sample(at: index).image.resized(height: height, width: side))
    }
    let first = FigureGrid.Cell("query \(crop.identity)", note: crop.camera, try picture(self.query, query.index))
    let others = try query.nearest.map { place, distance in
      let other = gallery.crops[place], isHit = other.identity == crop.identity
      let note = String(format: "%.2f", distance) + (other.camera.isEmpty ? "" : ", \(other.camera)")
      return FigureGrid.Cell("\(isHit ? "hit" : "other") \(other.identity)", note: note, try picture(gallery, place))
    }
    return FigureGrid([first] + others, columns: shown + 1)
  }

  /// Sheets of some queries, spread evenly.
  func pictures(count: Int, _ config: AppearanceConfig) throws -> [EvaluationReport.Picture] {
    let number = min(count, queries.count)
    return try (0..<number).map { queries[$0 * queries.count / number] }.map { query in
      EvaluationReport.Picture(name: self.query.name(of: query.index), png: try PNG.encode(sheet(of: query, config).image()))
    }
  }
}
