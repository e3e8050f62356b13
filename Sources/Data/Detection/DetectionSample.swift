import Base
import Vision

/// An image and the objects in it.
public struct DetectionSample: Sendable {
  /// An annotated object.
  public struct Object: Sendable, Equatable {
    /// The class index that the network learns.
    public var label: Int
    /// Pixels of the image.
    public var box: BoundingBox
    /// Pixels of the image that belong to the object, 0 or 1, row-major; empty if masks are not asked for.
    public var mask: [UInt8]

    public init(label: Int, box: BoundingBox, mask: [UInt8] = []) {
      self.label = label
      self.box = box
      self.mask = mask
    }
  }

  /// RGB.
  public var image: Image
  /// Objects to learn: crowds and boxes without area are left out.
  public var objects: [Object]

  public init(image: Image, objects: [Object]) {
    self.image = image
    self.objects = objects
  }

  // MARK: Changes

  /// Left and right exchanged.
  public func flipped() -> DetectionSample {
    var result = self
    let (h, w) = (image.height, image.width)
    result.image = image.mirrored()
    result.objects = objects.map { object in
      var object = object
      object.box = BoundingBox(x0: Double(w) - object.box.x1, y0: object.box.y, x1: Double(w) - object.box.x, y1: object.box.y1)
      if !object.mask.isEmpty {
        let mask = object.mask
        for y in 0..<h { for x in 0..<w { object.mask[y * w + x] = mask[y * w + w - 1 - x] } }
      }
      return object
    }
    return result
  }

  /// Another size: the image averaged, masks at the nearest pixel.
  public func resized(height: Int, width: Int) -> DetectionSample {
    let scaleX = Double(width) / Double(image.width), scaleY = Double(height) / Double(image.height)
    let objects = objects.map { object in
      let box = object.box
      return Object(
        label: object.label, box: BoundingBox(x0: box.x * scaleX, y0: box.y * scaleY, x1: box.x1 * scaleX, y1: box.y1 * scaleY),
        mask: object.mask.isEmpty ? [] : Self.nearest(object.mask, (image.height, image.width), to: (height, width)))
    }
    return DetectionSample(image: image.resizedAntialiased(height: height, width: width), objects: objects)
  }

  private static func nearest(_ mask: [UInt8], _ size: (height: Int, width: Int), to target: (height: Int, width: Int)) -> [UInt8] {
    let columns = (0..<target.width).map { min($0 * size.width / target.width, size.width - 1) }
    return (0..<target.height).flatMap { y in
      let row = min(y * size.height / target.height, size.height - 1) * size.width
      return columns.map { mask[row + $0] }
    }
  }

  /// A part of the image; boxes are cut at its edges, and objects of which nothing is left are dropped.
  public func cropped(top: Int, left: Int, height: Int, width: Int) -> DetectionSample {
    let c = image.channels
    var pixels: [UInt8] = []
    pixels.reserveCapacity(height * width * c)
    for y in top..<top + height {
      let start = (y * image.width + left) * c
      pixels += image.pixels[start..<start + width * c]
    }
    let objects = objects.compactMap { object -> Object? in
      let moved = BoundingBox(x0: object.box.x - Double(left), y0: object.box.y - Double(top),
                              x1: object.box.x1 - Double(left), y1: object.box.y1 - Double(top))
      let box = moved.clipped(toWidth: width, height: height)
      guard !box.isEmpty else { return nil }
      var mask: [UInt8] = []
      if !object.mask.isEmpty {
        for y in top..<top + height { mask += object.mask[y * image.width + left..<y * image.width + left + width] }
      }
      return Object(label: object.label, box: box, mask: mask)
    }
    return DetectionSample(image: Image(height: height, width: width, channels: c, pixels: pixels), objects: objects)
  }
}
