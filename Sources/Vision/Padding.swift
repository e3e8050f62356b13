import Base

/// Padding of an image to multiples of a stride by repeating its border, and the crop back of what was computed on it.
///
///     let padding = Padding(height: 436, width: 1024)          // (left, right, top, bottom) = (0, 0, 2, 2)
///     let flow = padding.crop(estimate(padding.pad(image1), padding.pad(image2)))
///
/// - Source: evaluation protocol of RAFT (Teed and Deng, ECCV 2020).
public struct Padding: Sendable, Equatable {
  /// The side of the vertical padding. Horizontal padding is always split, the smaller half left.
  public enum Mode: String, ConfigChoice {
    /// Split, the smaller half on top.
    case sintel
    /// All at the bottom.
    case kitti
  }

  /// Size of the unpadded image.
  public let height: Int
  public let width: Int
  /// Added pixels at each side.
  public let left: Int
  public let right: Int
  public let top: Int
  public let bottom: Int

  public var paddedHeight: Int { height + top + bottom }
  public var paddedWidth: Int { width + left + right }

  /// The padding that brings `height` and `width` to the next multiple of `multiple` that is at least `minimum`; none where they already
  /// are.
  /// - Precondition: all three are positive.
  public init(height: Int, width: Int, multiple: Int = 8, minimum: Int = 0, mode: Mode = .sintel) {
    guard height > 0, width > 0, multiple > 0 else {
      stop("Padding: \(height)x\(width) to multiples of \(multiple), expected positive numbers")
    }
    self.height = height
    self.width = width
    func missing(_ length: Int) -> Int { (max(length, minimum) + multiple - 1) / multiple * multiple - length }
    let missingRows = missing(height)
    let missingColumns = missing(width)
    left = missingColumns / 2
    right = missingColumns - left
    top = mode == .sintel ? missingRows / 2 : 0
    bottom = missingRows - top
  }

  /// The image with its border repeated outwards.
  /// - Precondition: the image has the size of this padding.
  public func pad(_ image: Image) -> Image {
    requireSize(image.height, image.width, height, width, "pad")
    var padded = Image(height: paddedHeight, width: paddedWidth, channels: image.channels)
    let channels = image.channels
    for y in 0..<paddedHeight {
      let row = min(max(y - top, 0), height - 1) * width
      for x in 0..<paddedWidth {
        let source = (row + min(max(x - left, 0), width - 1)) * channels
        let target = (y * paddedWidth + x) * channels
        for c in 0..<channels { padded.pixels[target + c] = image.pixels[source + c] }
      }
    }
    return padded
  }

  /// The part of a padded field that belongs to the image.
  /// - Precondition: the field has the padded size.
  public func crop(_ flow: FlowField) -> FlowField {
    requireSize(flow.height, flow.width, paddedHeight, paddedWidth, "crop")
    var vectors: [Float] = []
    var isValid: [Bool] = []
    for y in 0..<height {
      let start = (y + top) * paddedWidth + left
      vectors += flow.vectors[2 * start..<2 * (start + width)]
      isValid += flow.isValid[start..<start + width]
    }
    return FlowField(height: height, width: width, vectors: vectors, isValid: isValid)
  }

  private func requireSize(_ height: Int, _ width: Int, _ expectedHeight: Int, _ expectedWidth: Int, _ what: String) {
    guard height == expectedHeight, width == expectedWidth else {
      stop("Padding.\(what): got \(height)x\(width), expected \(expectedHeight)x\(expectedWidth)")
    }
  }
}
