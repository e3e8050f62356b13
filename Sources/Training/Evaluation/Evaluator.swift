import Base
import Data

/// Judges predictions one by one and gives metrics of all of them together: an average, or something that exists only over the whole set.
public protocol Evaluator<Prediction, Truth> {
  associatedtype Prediction
  associatedtype Truth

  /// Takes in what the model says about one sample.
  /// - Throws: `.badData` if the truth cannot be judged by.
  mutating func add(_ prediction: Prediction, _ truth: Truth) throws

  /// The metrics of all samples so far.
  /// - Throws: `.badData` if there was nothing to judge by.
  func result() throws -> Metrics

  /// The numbers of one sample alone; none if the evaluator has no such numbers, or the sample cannot be judged.
  func scores(of prediction: Prediction, _ truth: Truth) throws -> [SampleScore]
}

extension Evaluator {
  public func scores(of prediction: Prediction, _ truth: Truth) -> [SampleScore] { [] }
}

/// The caller's side of an evaluation: progress and the numbers of single samples are reported to it, and it may cancel.
public struct EvaluationMonitor {
  /// Told how many samples of how many are done.
  public let report: (_ done: Int, _ total: Int) -> Void
  /// Asked between batches.
  public let isCancelled: () -> Bool
  /// Told the name and the numbers of every sample; nil: nobody wants to know.
  public var collect: ((_ sample: String, _ scores: [SampleScore]) -> Void)?

  public init(report: @escaping (_ done: Int, _ total: Int) -> Void = { _, _ in }, isCancelled: @escaping () -> Bool = { false }) {
    self.report = report
    self.isCancelled = isCancelled
  }
}

/// Thrown by an evaluation that was asked to stop; what it found so far is dropped.
public struct EvaluationCancelled: Error {
  public init() {}
}

/// A pass over a data set in order: samples are read on worker threads and handed over in batches.
public struct EvaluationPass<Sample: Sendable> {
  private let dataset: any Dataset<Sample>
  private let indices: [Int]
  private let batchSize: Int
  private let workers: Int
  private let monitor: EvaluationMonitor

  /// - Parameters:
  ///   - indices: which samples, in order.
  ///   - workers: threads that read; 0: this one. The result does not depend on it.
  public init(
    _ dataset: some Dataset<Sample>, _ indices: [Int], batchSize: Int = 1, workers: Int = 1, monitor: EvaluationMonitor = .init()
  ) {
    require(batchSize > 0, "EvaluationPass: batches of \(batchSize)")
    self.dataset = dataset
    self.indices = indices
    self.batchSize = batchSize
    self.workers = workers
    self.monitor = monitor
  }

  /// Predicts and judges every sample.
  /// - Parameters:
  ///   - predict: what the model says about a batch: one prediction for each of its samples.
  ///   - visit: told every sample, for pictures and result files.
  /// - Throws: `EvaluationCancelled`, and what reading, `predict` and `visit` throw.
  public func run<E: Evaluator>(
    _ evaluator: inout E, predict: (_ indices: [Int], _ samples: [Sample]) throws -> [E.Prediction],
    visit: (_ index: Int, _ sample: Sample, _ prediction: E.Prediction) throws -> Void = { _, _, _ in }
  ) throws where E.Truth == Sample {
    guard !indices.isEmpty else { return }
    let order = BatchOrder(count: indices.count, batchSize: batchSize, seed: 0, shuffles: false, dropsLast: false)
    let loader = Loader(order, workers: workers, endingAt: order.batchesPerEpoch) { [dataset, indices] position, _ in
      try dataset.sample(at: indices[position])
    }
    monitor.report(0, indices.count)
    for batch in 0..<order.batchesPerEpoch {
      if monitor.isCancelled() { throw EvaluationCancelled() }
      let samples = try loader.next()
      let start = batch * batchSize
      let chosen = Array(indices[start..<start + samples.count])
      let predictions = try predict(chosen, samples)
      require(predictions.count == samples.count, "EvaluationPass: \(predictions.count) predictions for \(samples.count) samples")
      for (index, (sample, prediction)) in zip(chosen, zip(samples, predictions)) {
        try evaluator.add(prediction, sample)
        if let collect = monitor.collect { collect(dataset.name(of: index), try evaluator.scores(of: prediction, sample)) }
        try visit(index, sample, prediction)
      }
      monitor.report(start + samples.count, indices.count)
    }
  }
}
