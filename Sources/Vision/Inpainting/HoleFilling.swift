import Base

// Completions that know nothing of pictures, to compare a network with, and the hole of one picture in another.
extension Image {
  /// The picture with the pixels of the hole from another picture of its size and channels.
  public func withHole(of mask: InpaintingMask, from other: Image) -> Image {
    requireSize(of: mask)
    require(other.height == height && other.width == width && other.channels == channels, "Image: pictures of different sizes")
    var result = self
    for index in pixels.indices where mask.known[index / channels] == 0 { result.pixels[index] = other.pixels[index] }
    return result
  }

  /// The hole in the mean colour of what is known; grey if nothing is.
  /// - Precondition: the mask has the picture's size.
  public func filledWithMean(_ mask: InpaintingMask) -> Image {
    requireSize(of: mask)
    let known = mask.known.count { $0 == 1 }
    var result = self
    for channel in 0..<channels {
      var sum = 0
      for pixel in mask.known.indices where mask.known[pixel] == 1 { sum += Int(pixels[pixel * channels + channel]) }
      let mean = known == 0 ? 128 : UInt8((sum + known / 2) / known)
      for pixel in mask.known.indices where mask.known[pixel] == 0 { result.pixels[pixel * channels + channel] = mean }
    }
    return result
  }

  /// Each pixel of the hole as the nearest known one; grey if nothing is known.
  ///
  /// Distances are handed on from pixel to pixel, there and back, and may be a little above the true ones.
  /// - Precondition: the mask has the picture's size.
  /// - Source: Danielsson, "Euclidean distance mapping", 1980.
  public func filledFromNearest(_ mask: InpaintingMask) -> Image {
    requireSize(of: mask)
    let sources = NearestKnown(mask).sources
    var result = self
    for pixel in sources.indices where mask.known[pixel] == 0 {
      for channel in 0..<channels {
        result.pixels[pixel * channels + channel] = sources[pixel] < 0 ? 128 : pixels[sources[pixel] * channels + channel]
      }
    }
    return result
  }

  private func requireSize(of mask: InpaintingMask) {
    require(mask.height == height && mask.width == width, "Image: a mask of \(mask.height)x\(mask.width) for \(height)x\(width) pixels")
  }
}

/// The index of the nearest known pixel for each pixel; -1 where none is known.
private struct NearestKnown {
  private(set) var sources: [Int]
  private let height: Int
  private let width: Int

  init(_ mask: InpaintingMask) {
    (height, width) = (mask.height, mask.width)
    sources = mask.known.indices.map { mask.known[$0] == 1 ? $0 : -1 }
    for y in 0..<height {
      for x in 0..<width { take(x, y, [(-1, 0), (0, -1), (-1, -1), (1, -1)]) }
      for x in (0..<width).reversed() { take(x, y, [(1, 0)]) }
    }
    for y in (0..<height).reversed() {
      for x in (0..<width).reversed() { take(x, y, [(1, 0), (0, 1), (1, 1), (-1, 1)]) }
      for x in 0..<width { take(x, y, [(-1, 0)]) }
    }
  }

  /// Takes the source of a neighbour where it is nearer.
  private mutating func take(_ x: Int, _ y: Int, _ neighbors: [(Int, Int)]) {
    for (dx, dy) in neighbors where (0..<width).contains(x + dx) && (0..<height).contains(y + dy) {
      let other = sources[(y + dy) * width + x + dx]
      if other >= 0, distance(x, y, other) < distance(x, y, sources[y * width + x]) { sources[y * width + x] = other }
    }
  }

  private func distance(_ x: Int, _ y: Int, _ source: Int) -> Int {
    guard source >= 0 else { return .max }
    let (dx, dy) = (x - source % width, y - source / width)
    return dx * dx + dy * dy
  }
}
