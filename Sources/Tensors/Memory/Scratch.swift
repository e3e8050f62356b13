/// Working memory of one kernel call, from the same pool as tensors.
///
/// A temporary of a parallel body: each call takes its own, so no two threads share one.
func withScratch<Result>(
  _ count: Int, _ precision: Precision, _ body: (UnsafeMutableRawPointer) throws -> Result
) rethrows -> Result {
  let storage = Storage(count: count, precision: precision, for: .scratch)
  return try withExtendedLifetime(storage) { try body(storage.base) }
}
