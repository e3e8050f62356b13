import Base

/// A separable low-pass filter with a change of resolution: zeros are put between the samples, the result is filtered, and some of its
/// samples are kept.
///
/// - Source: Karras et al. 2019 and 2020 (StyleGAN, StyleGAN2), there called `upfirdn2d`.
public struct FIRFilter: Sendable, Equatable {
  /// Of one direction, summing to the gain.
  public let taps: [Double]
  /// A sample becomes `up` of them, the others 0.
  public let up: Int
  /// Every `down`-th sample is kept, the first one first.
  public let down: Int

  /// - Parameters:
  ///   - taps: of one direction, in any scale.
  ///   - gain: the sum of the filter in one direction; nil: `up`, with which the mean brightness stays.
  public init(_ taps: [Double], up: Int = 1, down: Int = 1, gain: Double? = nil) {
    let sum = taps.reduce(0, +)
    require(sum != 0 && up > 0 && down > 0, "FIRFilter: taps \(taps) that sum to 0, or a factor below 1 (up \(up), down \(down))")
    self.taps = taps.map { $0 / sum * (gain ?? Double(up)) }
    (self.up, self.down) = (up, down)
  }

  /// The weights that take `length` samples, with so many zeros around them after the insertion of zeros, to the filtered ones.
  func matrix(_ length: Int, before: Int, after: Int) -> ResamplingMatrix {
    let free = length * up + before + after - taps.count
    require(length > 0 && free >= 0, "filtered: \(length) samples are fewer than the filter's \(taps.count) taps need")
    return ResamplingMatrix(inputLength: length, rows: (0...free / down).map { j in
      taps.indices.compactMap { tap in
        let place = j * down - before + tap
        guard place >= 0, place < length * up, place.isMultiple(of: up) else { return nil }
        return (place / up, taps[taps.count - 1 - tap])  // a convolution: the taps run backwards
      }
    })
  }
}

extension Tensor {
  /// Images filtered in both directions.
  /// - Parameters:
  ///   - before: zeros above and left of the image, after zeros were inserted.
  ///   - after: zeros below and right of it.
  ///   - remade: an op that needs the result for its gradient does not keep it, but filters again; that keeps the image instead. For
  ///     images that are kept anyway.
  /// - Shape: `[n, h, w, c]` → `[n, ⌊(h · up + before + after - taps) / down⌋ + 1, …, c]`.
  /// - Gradient: the transposed filter; of any order.
  public func filtered(by filter: FIRFilter, before: Int, after: Int, remade: Bool = true) -> Tensor {
    let (_, h, w, _) = shape4
    let (rows, columns) = (filter.matrix(h, before: before, after: after), filter.matrix(w, before: before, after: after))
    let x = detached()
    @Sendable func result() -> Tensor { x.resampled(1, rows).resampled(2, columns) }
    let remaking: Node.Remaking? = remade ? { @Sendable in result().storage } : nil
    return result().recorded(
      .resample, from: [self], rule: { dy in [dy.resampled(2, columns.transposed).resampled(1, rows.transposed)] },
      remaking: remaking)
  }
}
