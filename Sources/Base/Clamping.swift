extension Comparable {
  /// This value, or the bound of the range that it lies beyond.
  @inlinable public func clamped(to range: ClosedRange<Self>) -> Self { Swift.min(Swift.max(self, range.lowerBound), range.upperBound) }
}
