import Base

/// A 16-bit image in memory: row-major, channels interleaved (1 grey, 3 RGB, 4 RGBA). KITTI stores flow and depth so.
public struct Image16: Sendable, Equatable {
  public let height: Int
  public let width: Int
  public let channels: Int
  /// `height · width · channels` samples, 0...65535.
  public var samples: [UInt16]

  /// - Precondition: `samples.count == height · width · channels`.
  public init(height: Int, width: Int, channels: Int, samples: [UInt16]) {
    guard samples.count == height * width * channels else {
      stop("Image16: \(height)x\(width)x\(channels) needs \(height * width * channels) samples, got \(samples.count)")
    }
    self.height = height
    self.width = width
    self.channels = channels
    self.samples = samples
  }
}
