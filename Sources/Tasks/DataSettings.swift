import Base

/// A training step of a task that sets nothing besides the batch. Section `train`.
public struct TrainSettings: Codable, Sendable, Equatable, ValidatedConfig {
  /// Samples in a batch.
  public var batchSize: Int
  /// Threads that read and augment; 0: the training thread itself. Changes the speed, never the result.
  public var workers = 1

  public init(batchSize: Int) { self.batchSize = batchSize }

  public func problems() -> [ConfigProblem] {
    var problems: [ConfigProblem] = []
    problems.requireBatchSize(batchSize)
    problems.requireWorkers(workers)
    return problems
  }
}

/// A data set of which a part is enough to judge by.
protocol LimitedData {
  /// For validation: at most so many samples, spread evenly over the set; 0: all.
  var limit: Int { get }
}

extension LimitedData {
  /// Which of `count` samples to judge by, in order.
  func indices(of count: Int) -> [Int] {
    guard limit > 0, limit < count else { return Array(0..<count) }
    return (0..<limit).map { $0 * count / limit }
  }
}

extension [ConfigProblem] {
  mutating func requireBatchSize(_ batchSize: Int, most: Int = 100_000) {
    require((1...most).contains(batchSize), "batch_size", batchSize, "1 to \(most)")
  }

  mutating func requireWorkers(_ workers: Int) { require((0...64).contains(workers), "workers", workers, "0 to 64") }

  mutating func requireLimit(_ limit: Int) {
    require((0...1_000_000_000).contains(limit), "limit", limit, "0 (all) to 1000000000")
  }
}
