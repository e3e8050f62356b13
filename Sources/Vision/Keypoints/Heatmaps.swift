import Base
import Foundation

/// A heatmap for each keypoint of a body, `[height, width, keypoints]`, row-major.
public struct Heatmaps: Sendable, Equatable {
  public let height: Int
  public let width: Int
  public let count: Int
  public var values: [Float]

  /// - Precondition: `values.count == height · width · count`.
  public init(height: Int, width: Int, count: Int, values: [Float]) {
    require(values.count == height * width * count, "Heatmaps: \(values.count) values for \(height)x\(width)x\(count)")
    self.height = height
    self.width = width
    self.count = count
    self.values = values
  }

  public subscript(y: Int, x: Int, k: Int) -> Float { values[(y * width + x) * count + k] }

  // MARK: Targets

  /// Gaussians of height 1 at the cells of labelled keypoints, and the weight of each keypoint.
  ///
  /// A keypoint that is not labelled, or whose Gaussian lies beyond the map, has the weight 0 and an empty map. The Gaussian is cut to
  /// a square of `6σ + 1` cells. The place within the cell is lost.
  /// - Parameters:
  ///   - keypoints: in pixels of the crop.
  ///   - stride: pixels of a cell.
  ///   - sigma: in cells; published: 2 for 64 rows, 3 for 96.
  /// - Source: `generate_target` of HRNet's authors.
  public static func targets(
    _ keypoints: [Keypoint], height: Int, width: Int, stride: Double = 4, sigma: Double
  ) -> (maps: Heatmaps, weights: [Float]) {
    let empty = [Float](repeating: 0, count: height * width * keypoints.count)
    var maps = Heatmaps(height: height, width: width, count: keypoints.count, values: empty)
    var weights = [Float](repeating: 0, count: keypoints.count)
    let reach = sigma * 3
    for (k, keypoint) in keypoints.enumerated() where keypoint.isLabeled {
      // As Python's int: towards zero, so that -3 px is cell 0.
      guard abs(keypoint.x) < 1e9, abs(keypoint.y) < 1e9 else { continue }
      let mu = SIMD2(Int(keypoint.x / stride + 0.5), Int(keypoint.y / stride + 0.5))
      let low = SIMD2(Int(Double(mu.x) - reach), Int(Double(mu.y) - reach))
      let high = SIMD2(Int(Double(mu.x) + reach + 1), Int(Double(mu.y) + reach + 1))
      guard low.x < width, low.y < height, high.x >= 0, high.y >= 0 else { continue }
      weights[k] = 1
      for y in max(0, low.y)..<max(0, low.y, min(high.y, height)) {
        for x in max(0, low.x)..<max(0, low.x, min(high.x, width)) {
          let square = Double((x - mu.x) * (x - mu.x) + (y - mu.y) * (y - mu.y))
          maps.values[(y * width + x) * maps.count + k] = Float(exp(-square / (2 * sigma * sigma)))
        }
      }
    }
    return (maps, weights)
  }

  // MARK: Decoding

  /// The highest cell of each map, moved by a quarter towards the higher neighbour on each axis where it is not at the rim; in cells.
  ///
  /// A map without a positive value has its keypoint at (0, 0).
  /// - Source: `get_max_preds` and `get_final_preds` of HRNet's authors.
  public func peaks() -> [ScoredKeypoint] {
    (0..<count).map { k in
      var best = 0
      for cell in 1..<max(1, height * width) where values[cell * count + k] > values[best * count + k] { best = cell }
      let score = values.isEmpty ? 0 : values[best * count + k]
      guard score > 0 else { return ScoredKeypoint(SIMD2(0, 0), score: Double(score)) }
      let (x, y) = (best % width, best / width)
      var position = SIMD2(Double(x), Double(y))
      if x > 1, x < width - 1, y > 1, y < height - 1 {
        position += 0.25 * SIMD2(sign(self[y, x + 1, k] - self[y, x - 1, k]), sign(self[y + 1, x, k] - self[y - 1, x, k]))
      }
      return ScoredKeypoint(position, score: Double(score))
    }
  }

  private func sign(_ value: Float) -> Double { value > 0 ? 1 : value < 0 ? -1 : 0 }

  /// The maps of a flipped picture, turned back: columns mirrored, left and right keypoints exchanged.
  /// - Parameter shift: move them by a cell to the right, the first column staying: flipped maps are off by about one cell.
  /// - Source: `flip_back` and `SHIFT_HEATMAP` of HRNet's authors.
  public func flippedBack(_ skeleton: Skeleton, shift: Bool) -> Heatmaps {
    require(skeleton.count == count, "Heatmaps.flippedBack: \(count) maps, \(skeleton.count) keypoints")
    var result = self
    let mirrored = skeleton.mirrored
    for y in 0..<height {
      for x in 0..<width {
        let column = width - 1 - (shift ? max(0, x - 1) : x)
        for k in 0..<count { result.values[(y * width + x) * count + k] = self[y, column, mirrored[k]] }
      }
    }
    return result
  }

  /// The mean of two sets of maps.
  public func averaged(with other: Heatmaps) -> Heatmaps {
    require(height == other.height && width == other.width && count == other.count, "Heatmaps.averaged: maps of different sizes")
    return Heatmaps(height: height, width: width, count: count, values: zip(values, other.values).map { ($0 + $1) * 0.5 })
  }
}
