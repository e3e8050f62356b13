import Base
import Foundation

/// Working memory of one kernel call, from the same pool as tensors.
///
/// A temporary of a parallel body: each call takes its own, so no two threads share one.
func withScratch<Result>(
  _ count: Int, _ precision: Precision, _ body: (UnsafeMutableRawPointer) throws -> Result
) rethrows -> Result {
  try ScratchDepth.entered { depth in
    let storage = Storage(count: count, precision: precision, for: .scratch(depth: depth))
    return try withExtendedLifetime(storage) { try body(storage.base) }
  }
}

/// The number of blocks of working memory that the current thread holds.
///
/// A thread holds at most one block of each depth, so as many blocks as there are threads serve any schedule: how much memory is reserved
/// does not depend on which threads meet in which calls.
private enum ScratchDepth {
  private static let key: pthread_key_t = {
    var key = pthread_key_t()
    require(pthread_key_create(&key, nil) == 0, "withScratch: the system has no thread-specific value left")
    return key
  }()

  static func entered<Result>(_ body: (Int) throws -> Result) rethrows -> Result {
    let depth = Int(bitPattern: pthread_getspecific(key))
    pthread_setspecific(key, UnsafeRawPointer(bitPattern: depth + 1))
    defer { pthread_setspecific(key, UnsafeRawPointer(bitPattern: depth)) }
    return try body(depth)
  }
}
