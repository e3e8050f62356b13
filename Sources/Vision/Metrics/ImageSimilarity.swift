import Base
import Foundation

/// How alike two 8-bit pictures are, number by number.
///
/// ```swift
/// let similarity = ImageSimilarity(truth, found)
/// print(similarity.psnr, similarity.ssim, similarity.l1)
/// ```
/// - Source: Wang, Bovik, Sheikh, Simoncelli 2004 for SSIM; values are scikit-image's with `gaussian_weights=True`, `sigma=1.5`,
///   `use_sample_covariance=False`, `data_range=255`.
public struct ImageSimilarity: Sendable {
  private let first: Image
  private let second: Image

  /// The smallest height and width of pictures that have an SSIM: the window's.
  public static let windowSize = 11

  /// - Precondition: both pictures have one size and one number of channels, and are not empty.
  public init(_ first: Image, _ second: Image) {
    require(first.height == second.height && first.width == second.width && first.channels == second.channels && !first.pixels.isEmpty,
            "ImageSimilarity: \(first.height)x\(first.width)x\(first.channels) and \(second.height)x\(second.width)x\(second.channels)")
    (self.first, self.second) = (first, second)
  }

  /// The peak signal-to-noise ratio `10 log₁₀(255² / mean squared difference)` over all channels together, in dB; ∞ for equal pictures.
  public var psnr: Double {
    let error = zip(first.pixels, second.pixels).reduce(0) { $0 + (Int($1.0) - Int($1.1)) * (Int($1.0) - Int($1.1)) }
    return error == 0 ? .infinity : 10 * log10(255 * 255 * Double(first.pixels.count) / Double(error))
  }

  /// The mean absolute difference of values in 0...1.
  public var l1: Double { Double(absoluteDifference { _ in true }) / 255 / Double(first.pixels.count) }

  /// The mean absolute difference of values in 0...1 over chosen pixels; nil if there are none.
  /// - Parameter isChosen: of each pixel, row by row.
  public func l1(over isChosen: [Bool]) -> Double? {
    require(isChosen.count == first.height * first.width,
            "ImageSimilarity: \(isChosen.count) choices for \(first.height)x\(first.width) pixels")
    let count = isChosen.count { $0 } * first.channels
    return count == 0 ? nil : Double(absoluteDifference { isChosen[$0] }) / 255 / Double(count)
  }

  private func absoluteDifference(_ isChosen: (_ pixel: Int) -> Bool) -> Int {
    var sum = 0
    for pixel in 0..<first.height * first.width where isChosen(pixel) {
      for i in pixel * first.channels..<(pixel + 1) * first.channels { sum += abs(Int(first.pixels[i]) - Int(second.pixels[i])) }
    }
    return sum
  }

  /// The structural similarity: means, variances and covariance under a Gaussian window of 11x11 pixels with σ = 1.5, where it lies wholly
  /// in the picture; averaged over these places and the channels. `C₁ = (0.01 · 255)²`, `C₂ = (0.03 · 255)²`.
  /// - Precondition: height and width are at least `windowSize`.
  public var ssim: Double {
    require(min(first.height, first.width) >= Self.windowSize,
            "ImageSimilarity: SSIM of \(first.height)x\(first.width) pixels, at least \(Self.windowSize)x\(Self.windowSize) are needed")
    let sum = (0..<first.channels).reduce(0.0) { $0 + similarity(ofChannel: $1) }
    return sum / Double(first.channels)
  }

  private func similarity(ofChannel channel: Int) -> Double {
    let (c1, c2) = (0.01 * 255 * 0.01 * 255, 0.03 * 255 * 0.03 * 255)
    func plane(_ image: Image) -> [Double] {
      stride(from: channel, to: image.pixels.count, by: image.channels).map { Double(image.pixels[$0]) }
    }
    let (x, y) = (plane(first), plane(second))
    let meanX = windowed(x)
    let meanY = windowed(y)
    let squareX = windowed(zip(x, x).map(*))
    let squareY = windowed(zip(y, y).map(*))
    let product = windowed(zip(x, y).map(*))
    var sum = 0.0
    for i in meanX.indices {
      let (mx, my) = (meanX[i], meanY[i])
      let (vx, vy, covariance) = (squareX[i] - mx * mx, squareY[i] - my * my, product[i] - mx * my)
      sum += (2 * mx * my + c1) * (2 * covariance + c2) / ((mx * mx + my * my + c1) * (vx + vy + c2))
    }
    return sum / Double(meanX.count)
  }

  /// The weighted mean under the window at every place where it fits.
  private func windowed(_ plane: [Double]) -> [Double] {
    let columns = first.width - Self.windowSize + 1
    let narrow = Self.filtered(plane, width: first.width, to: (first.height, columns), step: 1)
    return Self.filtered(narrow, width: columns, to: (first.height - Self.windowSize + 1, columns), step: columns)
  }

  /// The window along one axis, whose elements lie `step` apart.
  private static func filtered(_ plane: [Double], width: Int, to size: (rows: Int, columns: Int), step: Int) -> [Double] {
    plane.withUnsafeBufferPointer { plane in
      window.withUnsafeBufferPointer { window in
        [Double](unsafeUninitializedCapacity: size.rows * size.columns) { target, filled in
          for y in 0..<size.rows {
            for x in 0..<size.columns {
              var sum = 0.0
              for k in 0..<windowSize { sum += window[k] * plane[y * width + x + k * step] }
              target[filled] = sum
              filled += 1
            }
          }
        }
      }
    }
  }

  /// `exp(-d² / 2σ²)` with σ = 1.5 for d = -5...5, divided by its sum.
  private static let window: [Double] = {
    let values = (-5...5).map { exp(-Double($0 * $0) / (2 * 1.5 * 1.5)) }
    let sum = values.reduce(0, +)
    return values.map { $0 / sum }
  }()
}
