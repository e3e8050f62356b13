import Base

/// An 8-bit image in memory: row-major, channels interleaved (1 grey, 3 RGB, 4 RGBA).
public struct Image: Sendable, Equatable {
  public let height: Int
  public let width: Int
  public let channels: Int
  /// `height · width · channels` samples, 0...255.
  public var pixels: [UInt8]

  /// - Precondition: `pixels.count == height · width · channels`.
  public init(height: Int, width: Int, channels: Int, pixels: [UInt8]) {
    guard pixels.count == height * width * channels else {
      stop("Image: \(height)x\(width)x\(channels) needs \(height * width * channels) samples, got \(pixels.count)")
    }
    self.height = height
    self.width = width
    self.channels = channels
    self.pixels = pixels
  }

  public init(height: Int, width: Int, channels: Int) {
    self.init(height: height, width: width, channels: channels, pixels: Array(repeating: 0, count: height * width * channels))
  }
}
