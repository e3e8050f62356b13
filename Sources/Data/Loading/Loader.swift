import Base
import Foundation

/// Endless batches of a data set, prepared ahead by worker threads in an order that depends on the seed alone.
///
///     let loader = Loader(BatchOrder(count: chairs.count, batchSize: 10, seed: 1234), workers: 2, startingAt: step) { index, random in
///       augmentation(try chairs.sample(at: index), random: &random)
///     }
///     let batch = try loader.next()
///
/// The randomness of an element is keyed by (seed, augmentation, epoch, index): the number of workers and the place where a run was
/// resumed change nothing. Releasing the loader stops its workers after the elements they are at.
public final class Loader<Element: Sendable>: Sendable {
  /// Makes the element for one sample, with its own randomness; called from several threads.
  public typealias Load = @Sendable (_ index: Int, _ random: inout Random) throws -> Element

  public let order: BatchOrder
  private let queue: LoadingQueue<Element>
  private let workers: Int

  /// - Parameters:
  ///   - order: the samples of each batch.
  ///   - workers: number of threads that load; 0 loads inside `next`.
  ///   - prefetch: the largest number of batches that are loaded or being loaded beside those that `next` has returned.
  ///   - batch: number of the first batch that `next` returns; to resume, the number of batches consumed so far.
  ///   - end: number of the batch before which loading ends; nil: never.
  /// - Precondition: `workers >= 0`, `prefetch >= 1`, `batch >= 0`.
  public init(
    _ order: BatchOrder, workers: Int = 2, prefetch: Int = 2, startingAt batch: Int = 0, endingAt end: Int? = nil, load: @escaping Load
  ) {
    guard workers >= 0, prefetch >= 1, batch >= 0 else {
      stop("Loader: \(workers) workers, \(prefetch) batches ahead, starting at \(batch); expected at least 0, 1 and 0")
    }
    self.order = order
    self.workers = workers
    let queue = LoadingQueue(order, window: workers == 0 ? 0 : prefetch, next: batch, end: end ?? .max, load: load)
    self.queue = queue
    for number in 0..<workers {
      let thread = Thread { queue.work() }
      thread.name = "loader-\(number)"
      thread.start()
    }
  }

  deinit { queue.stop() }

  /// The number of the batch that `next` will return.
  public var nextBatch: Int { queue.nextBatch }

  /// The next batch. There is one: the caller counts up to the end.
  /// - Throws: what `load` threw for the first failing element of this batch. The loader then goes on with the batch after it.
  public func next() throws -> [Element] {
    let results = workers == 0 ? queue.loadInline() : queue.takeFinished()
    return try results.map { try $0.get() }
  }
}
