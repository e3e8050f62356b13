import Foundation

/// The part of a picture that shows one body: its middle, its extent, and a rotation.
///
/// Numbers are rounded as the authors' are, who keep them in float32.
/// - Source: `_box2cs` and `get_affine_transform` of HRNet's authors.
public struct BodyCrop: Sendable, Equatable {
  /// In pixels.
  public var center: SIMD2<Float>
  /// Width and height in units of 200 px; the crop is as wide as its width says, and in the proportions of the network's input.
  public var scale: SIMD2<Float>
  /// Degrees, clockwise as seen.
  public var rotation = 0.0

  /// Pixels in a unit of `scale`.
  public static let unit: Float = 200

  public init(center: SIMD2<Float>, scale: SIMD2<Float>, rotation: Double = 0) {
    self.center = center
    self.scale = scale
    self.rotation = rotation
  }

  /// The crop around a box: widened to the aspect ratio, then by `padding` on all sides.
  /// - Parameters:
  ///   - aspectRatio: width over height of the network's input.
  ///   - padding: 1.25 in all published networks.
  public init(around box: BoundingBox, aspectRatio: Double, padding: Double = 1.25) {
    center = SIMD2(Float(box.x + box.width * 0.5), Float(box.y + box.height * 0.5))
    scale = BodyCrop.extent(width: box.width, height: box.height, aspectRatio) * Float(padding)
  }

  /// A width and a height, of which the one that is too small for the aspect ratio is enlarged, in units of 200 px.
  static func extent(width: Double, height: Double, _ aspectRatio: Double) -> SIMD2<Float> {
    var (w, h) = (width, height)
    if w > aspectRatio * h { h = w / aspectRatio } else if w < aspectRatio * h { w = h * aspectRatio }
    return SIMD2(Float(w / Double(unit)), Float(h / Double(unit)))
  }

  /// The crop of half a body, around its labelled points: of the upper body with a probability of 69 %, else of the lower, if that half has
  /// more than two.
  /// - Parameters:
  ///   - upper: the indices of the upper body.
  ///   - draw: a standard normal number.
  /// - Returns: nil if the chosen half has less than two points.
  public static func half(of keypoints: [Keypoint], upper: Set<Int>, aspectRatio: Double, draw: Double) -> BodyCrop? {
    let labeled = keypoints.indices.filter { keypoints[$0].isLabeled }
    let upperPoints = labeled.filter { upper.contains($0) }
    let lowerPoints = labeled.filter { !upper.contains($0) }
    let chosen = draw < 0.5 && upperPoints.count > 2 ? upperPoints : lowerPoints.count > 2 ? lowerPoints : upperPoints
    guard chosen.count >= 2 else { return nil }
    let points = chosen.map { SIMD2<Float>(Float(keypoints[$0].x), Float(keypoints[$0].y)) }
    let low = points.dropFirst().reduce(points[0]) { pointwiseMin($0, $1) }
    let high = points.dropFirst().reduce(points[0]) { pointwiseMax($0, $1) }
    let extent = extent(width: Double(high.x - low.x), height: Double(high.y - low.y), aspectRatio)
    return BodyCrop(center: points.reduce(SIMD2(0, 0), +) / Float(points.count), scale: extent * 1.5)
  }

  /// The same place in the mirror image of a picture.
  public func mirrored(inWidth width: Int) -> BodyCrop {
    BodyCrop(center: SIMD2(Float(width) - center.x - 1, center.y), scale: scale, rotation: rotation)
  }

  /// Area of the crop, px²: that of the authors' suppression by OKS.
  public var area: Double {
    let sides = scale * BodyCrop.unit
    return Double(sides.x * sides.y)
  }

  /// The map from the picture to a crop of this size; only the crop's width counts.
  public func transform(width: Int, height: Int) -> AffineTransform {
    let points = correspondences(width: width, height: height)
    return AffineTransform(from: points.source, to: points.target)
  }

  /// The map from a crop, or its heatmaps, of this size to the picture; without the rotation, as in all tests.
  public func inverse(width: Int, height: Int) -> AffineTransform {
    var upright = self
    upright.rotation = 0
    let points = upright.correspondences(width: width, height: height)
    return AffineTransform(from: points.target, to: points.source)
  }

  /// The middle, a point half a crop above it, and one beside it.
  private func correspondences(width: Int, height: Int) -> (source: [SIMD2<Double>], target: [SIMD2<Double>]) {
    let radians = Double.pi * rotation / 180
    let up = Double(scale.x * BodyCrop.unit) * -0.5
    let direction = SIMD2(-up * sin(radians), up * cos(radians))
    let above = SIMD2<Float>(SIMD2<Double>(center) + direction)
    let middle = SIMD2<Float>(Float(width) * 0.5, Float(height) * 0.5)
    let target = [middle, middle + SIMD2(0, Float(width) * -0.5)]
    return (BodyCrop.withThird([center, above]), BodyCrop.withThird(target))
  }

  private static func withThird(_ points: [SIMD2<Float>]) -> [SIMD2<Double>] {
    let d = points[0] - points[1]
    return (points + [points[1] + SIMD2(-d.y, d.x)]).map { SIMD2<Double>($0) }
  }
}

extension BoundingBox {
  /// An annotated box as the authors take it: cut at the picture's outermost pixels, and a pixel smaller in each direction. Nil if nothing
  /// is left of it.
  /// - Source: `_load_coco_person_keypoint_annotation` of HRNet's authors.
  public func sanitized(width imageWidth: Int, height imageHeight: Int) -> BoundingBox? {
    guard isFinite, !isEmpty else { return nil }
    let x0 = max(0, x)
    let y0 = max(0, y)
    let x1 = min(Double(imageWidth - 1), x0 + max(0, width - 1))
    let y1 = min(Double(imageHeight - 1), y0 + max(0, height - 1))
    return x1 >= x0 && y1 >= y0 && (x1 > x0 || y1 > y0) ? BoundingBox(x0: x0, y0: y0, x1: x1, y1: y1) : nil
  }
}
