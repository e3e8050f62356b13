import Base

/// The training batches of a data set by step: shuffled anew each epoch, prepared ahead by worker threads.
///
/// ```swift
/// var batches = BatchStream(count: images.count, batchSize: 8, seed: 1, workers: 2) { index, random in
///   try collated(images.sample(at: index), &random)   // floats, as the network takes them
/// }
/// let batch = try batches.batch(at: step)
/// ```
/// The elements of a step depend on the seed and the step alone. Steps are asked for in order, or from anywhere (after a resume).
public struct BatchStream<Element: Sendable> {
  public let order: BatchOrder
  private let workers: Int
  private let load: Loader<Element>.Load
  private var loader: Loader<Element>?
  /// The step whose batch the loader gives next.
  private var nextStep = -1
  /// How long the last batch was waited for.
  public private(set) var secondsWaited = 0.0

  /// - Parameters:
  ///   - count: samples in the set.
  ///   - groups: of the samples, which then meet in batches; see `BatchOrder`.
  ///   - workers: threads that load; 0: the one that asks.
  ///   - load: makes the element of one sample; called from several threads.
  public init(
    count: Int, batchSize: Int, seed: UInt64, groups: [Int] = [], workers: Int, load: @escaping Loader<Element>.Load
  ) {
    self.init(BatchOrder(count: count, batchSize: batchSize, seed: seed, groups: groups), workers: workers, load: load)
  }

  /// The batches of an order.
  public init(_ order: BatchOrder, workers: Int, load: @escaping Loader<Element>.Load) {
    self.order = order
    self.workers = workers
    self.load = load
  }

  /// Steps in a pass over the data set.
  public var stepsPerEpoch: Int { order.batchesPerEpoch }

  /// Passes over the data set that are complete after so many steps, by the number of samples seen.
  public func epochs(after steps: Int) -> Int { steps * order.batchSize / order.count }

  /// The elements of a step.
  /// - Parameter step: steps before it.
  /// - Throws: what `load` throws.
  public mutating func batch(at step: Int) throws -> [Element] {
    let ready = loader.flatMap { nextStep == step ? $0 : nil } ?? Loader(order, workers: workers, startingAt: step, load: load)
    loader = ready
    nextStep = step + 1
    let start = TimeSource.system.steady()
    defer { secondsWaited = TimeSource.system.steady() - start }
    return try ready.next()
  }
}
