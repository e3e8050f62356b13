import Base

/// A panoptic segmentation: for each pixel the number of the segment that it belongs to.
///
/// - Source: COCO data format, cocodataset.org/#format-data, "Panoptic Segmentation".
public struct PanopticMap: Sendable, Equatable {
  /// The number of pixels that belong to no segment.
  public static let void: UInt32 = 0

  public let height: Int
  public let width: Int
  /// Numbers of segments, row-major `height · width`.
  public var segments: [UInt32]

  /// - Precondition: `segments.count == height · width`.
  public init(height: Int, width: Int, segments: [UInt32]) {
    require(segments.count == height * width, "PanopticMap: \(segments.count) numbers for \(height) x \(width) pixels")
    self.height = height
    self.width = width
    self.segments = segments
  }

  /// The map that COCO stores as an 8-bit picture: `R + 256 · G + 65536 · B`.
  /// - Precondition: the image has three or four channels; alpha does not count.
  public init(colors image: Image) {
    require(image.channels >= 3, "PanopticMap: an image of \(image.channels) channels, expected RGB")
    let segments = (0..<image.height * image.width).map { pixel -> UInt32 in
      let sample = pixel * image.channels
      return UInt32(image.pixels[sample]) | UInt32(image.pixels[sample + 1]) << 8 | UInt32(image.pixels[sample + 2]) << 16
    }
    self.init(height: image.height, width: image.width, segments: segments)
  }

  /// The RGB picture as which COCO stores the map.
  /// - Precondition: all numbers are below 2²⁴.
  public var colors: Image {
    var pixels: [UInt8] = []
    pixels.reserveCapacity(3 * segments.count)
    for segment in segments {
      require(segment < 1 << 24, "PanopticMap: the segment \(segment) does not fit in three bytes")
      pixels.append(UInt8(truncatingIfNeeded: segment))
      pixels.append(UInt8(truncatingIfNeeded: segment >> 8))
      pixels.append(UInt8(truncatingIfNeeded: segment >> 16))
    }
    return Image(height: height, width: width, channels: 3, pixels: pixels)
  }

  /// The pixels of one segment.
  public func mask(of segment: UInt32) -> RunLengthMask {
    RunLengthMask(height: height, width: width, flags: segments.map { $0 == segment })
  }
}

/// A segment of a panoptic map, as an entry of COCO's `segments_info`.
public struct PanopticSegment: Sendable, Equatable {
  /// Its number in the map.
  public var id: UInt32
  /// The category's id in the file.
  public var category: Int
  public var isCrowd: Bool
  /// Pixels, as the file says; nil: as counted in the map.
  public var area: Int?
  /// As the file says.
  public var box: BoundingBox?

  public init(id: UInt32, category: Int, isCrowd: Bool = false, area: Int? = nil, box: BoundingBox? = nil) {
    self.id = id
    self.category = category
    self.isCrowd = isCrowd
    self.area = area
    self.box = box
  }
}
