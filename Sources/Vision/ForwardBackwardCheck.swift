import Base

/// Estimates the occluded pixels of image 1, those that image 2 does not show: there the flow forth and the flow back do not cancel.
///
/// A pixel is matched if `|f + b|² < relative · (|f|² + |b|²) + absolute`, with the forward flow `f` at the pixel and the backward flow
/// `b`, bilinear, where `f` leads. It is occluded otherwise, and if `f` leads out of the picture or either vector is unknown.
///
///     let occluded = ForwardBackwardCheck().occlusion(forward: flow12, backward: flow21)
///
/// - Source: Sundaram, Brox, Keutzer, "Dense point trajectories by GPU-accelerated large displacement optical flow", ECCV 2010, eq. 5.
public struct ForwardBackwardCheck: Sendable, Equatable {
  /// The tolerated remainder `|f + b|²` as a share of the squared lengths.
  public var relative: Float
  /// The tolerated remainder besides, in squared px.
  public var absolute: Float

  public init(relative: Float = 0.01, absolute: Float = 0.5) { (self.relative, self.absolute) = (relative, absolute) }

  /// One flag for each pixel, row-major: true where it is occluded.
  /// - Parameters:
  ///   - forward: the flow from image 1 to image 2.
  ///   - backward: the flow from image 2 to image 1, of the same size.
  public func occlusion(forward: FlowField, backward: FlowField) -> [Bool] {
    guard forward.height == backward.height, forward.width == backward.width else {
      stop("ForwardBackwardCheck: forward \(forward.height)x\(forward.width), backward \(backward.height)x\(backward.width)")
    }
    var flags = [Bool](repeating: true, count: forward.height * forward.width)
    for y in 0..<forward.height {
      for x in 0..<forward.width where forward.isValid[y * forward.width + x] {
        let (u, v) = forward[y, x], f = SIMD2(u, v)
        guard let b = backward.vector(atX: Float(x) + u, y: Float(y) + v) else { continue }
        let rest = f + b
        flags[y * forward.width + x] = !((rest * rest).sum() < relative * ((f * f).sum() + (b * b).sum()) + absolute)
      }
    }
    return flags
  }
}

extension FlowField {
  /// The vector at any place, bilinear; `nil` outside the field and where a vector with a weight above zero is unknown.
  func vector(atX x: Float, y: Float) -> SIMD2<Float>? {
    guard x >= 0, y >= 0, x <= Float(width - 1), y <= Float(height - 1) else { return nil }
    let left = min(Int(x), max(0, width - 2))
    let top = min(Int(y), max(0, height - 2))
    let a = x - Float(left)
    let b = y - Float(top)
    var sum = SIMD2<Float>()
    for (row, column, weight) in [(top, left, (1 - a) * (1 - b)), (top, left + 1, a * (1 - b)), (top + 1, left, (1 - a) * b),
                                  (top + 1, left + 1, a * b)] where weight > 0 {
      guard isValid[row * width + column] else { return nil }
      let (u, v) = self[row, column]
      sum += weight * SIMD2(u, v)
    }
    return sum
  }
}

extension Image {
  /// Flags as a grey picture: white where true, black elsewhere.
  /// - Precondition: one flag for each pixel.
  public init(mask: [Bool], height: Int, width: Int) {
    self.init(height: height, width: width, channels: 1, pixels: mask.map { $0 ? 255 : 0 })
  }
}
