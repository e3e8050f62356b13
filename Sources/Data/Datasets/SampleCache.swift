import Synchronization

/// Samples that were read once, up to a number of bytes; what comes later is read anew each time.
final class SampleCache<Sample: Sendable>: Sendable {
  private struct State: Sendable {
    var samples: [Int: Sample] = [:]
    var byteCount = 0
  }

  private let state = Mutex(State())
  private let byteLimit: Int
  private let size: @Sendable (Sample) -> Int

  /// - Parameter size: the bytes of a sample.
  init(byteLimit: Int, size: @escaping @Sendable (Sample) -> Int) {
    self.byteLimit = byteLimit
    self.size = size
  }

  /// The sample with this index, from memory or else from `read`.
  func sample(_ index: Int, read: () throws -> Sample) rethrows -> Sample {
    if let sample = state.withLock({ $0.samples[index] }) { return sample }
    let sample = try read()
    let byteCount = size(sample)
    state.withLock { state in
      guard state.samples[index] == nil, state.byteCount + byteCount <= byteLimit else { return }
      state.samples[index] = sample
      state.byteCount += byteCount
    }
    return sample
  }
}
