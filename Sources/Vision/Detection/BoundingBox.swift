/// An axis-aligned box in pixels, as COCO writes it: `[x, y, width, height]` with the upper left corner. The pixel in column 0 covers
/// `x` from 0 to 1.
public struct BoundingBox: Sendable, Hashable, Codable {
  /// Left edge.
  public var x: Double
  /// Upper edge.
  public var y: Double
  public var width: Double
  public var height: Double

  public init(x: Double, y: Double, width: Double, height: Double) {
    self.x = x
    self.y = y
    self.width = width
    self.height = height
  }

  /// The box between two corners (`xyxy`): upper left and lower right.
  public init(x0: Double, y0: Double, x1: Double, y1: Double) {
    self.init(x: x0, y: y0, width: x1 - x0, height: y1 - y0)
  }

  /// Right edge, `x + width`.
  public var x1: Double { x + width }
  /// Lower edge, `y + height`.
  public var y1: Double { y + height }
  public var area: Double { width * height }
  public var isFinite: Bool { x.isFinite && y.isFinite && width.isFinite && height.isFinite }
  /// Whether nothing lies in it: a side that is not positive, or not a number.
  public var isEmpty: Bool { !(width > 0 && height > 0) }

  /// Area common to both boxes, in px²; 0 if they only touch, or one is not finite.
  public func intersectionArea(with other: BoundingBox) -> Double {
    guard (x + y + width + height + other.x + other.y + other.width + other.height).isFinite else { return 0 }
    let w = min(x1, other.x1) - max(x, other.x)
    guard w > 0 else { return 0 }
    let h = min(y1, other.y1) - max(y, other.y)
    return h > 0 ? w * h : 0
  }

  /// Intersection over union of a detection, `self`, with an annotated box, 0...1. A crowd region stands for many objects: there the
  /// denominator is the detection's own area.
  /// - Source: COCO evaluation, cocodataset.org/#detection-eval, and `maskApi.c` of pycocotools.
  public func iou(with truth: BoundingBox, isCrowd: Bool = false) -> Double {
    let intersection = intersectionArea(with: truth)
    guard intersection > 0, intersection.isFinite else { return 0 }  // areas beyond all numbers have no quotient
    return intersection / (isCrowd ? area : area + truth.area - intersection)
  }

  /// The IoU, less the share of the enclosing box that neither covers, -1...1; NaN if both are empty.
  /// - Source: Rezatofighi et al. 2019.
  public func generalizedIoU(with other: BoundingBox) -> Double {
    let intersection = intersectionArea(with: other)
    let union = area + other.area - intersection
    let hull = (max(x1, other.x1) - min(x, other.x)) * (max(y1, other.y1) - min(y, other.y))
    return intersection / union - (hull - union) / hull
  }

  /// The part of the box inside an image of this size; its extent may be zero or negative, see `isEmpty`.
  public func clipped(toWidth imageWidth: Int, height imageHeight: Int) -> BoundingBox {
    func clamp(_ value: Double, _ limit: Int) -> Double { min(max(value, 0), Double(limit)) }
    return BoundingBox(x0: clamp(x, imageWidth), y0: clamp(y, imageHeight), x1: clamp(x1, imageWidth), y1: clamp(y1, imageHeight))
  }
}
