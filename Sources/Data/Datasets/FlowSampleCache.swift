import Synchronization

/// Samples that were read once, up to a number of bytes; what comes later is read anew each time.
final class FlowSampleCache: Sendable {
  private struct State: Sendable {
    var samples: [Int: FlowSample] = [:]
    var byteCount = 0
  }

  private let state = Mutex(State())
  private let byteLimit: Int

  init(byteLimit: Int) { self.byteLimit = byteLimit }

  /// The sample with this index, from memory or else from `read`.
  func sample(_ index: Int, read: () throws -> FlowSample) rethrows -> FlowSample {
    if let sample = state.withLock({ $0.samples[index] }) { return sample }
    let sample = try read()
    let pixels = sample.flow.height * sample.flow.width, byteCount = pixels * (2 * 3 + 9)  // two RGB frames; two floats and a flag
    state.withLock { state in
      guard state.samples[index] == nil, state.byteCount + byteCount <= byteLimit else { return }
      state.samples[index] = sample
      state.byteCount += byteCount
    }
    return sample
  }
}
