import Base
import Vision

/// A generated image with the truth about it: what stands at every pixel.
public struct LabeledScene: Sendable {
  /// RGB.
  public let image: Image
  /// The layer at each pixel, row-major: first the kinds of background in `stuff`, then all objects from back to front.
  let owners: [Int]
  let stuff: [StuffClass]
  let shapes: [ShapeClass]
  /// False for objects that are nearly hidden: they are no part of the truth, and void in the panoptic map.
  let isAnnotated: [Bool]

  /// An object of the truth.
  public struct Object: Sendable {
    public let shape: ShapeClass
    /// Its visible pixels; box and area follow from them.
    public let mask: RunLengthMask
  }

  /// The annotated objects, from back to front.
  public var objects: [Object] {
    shapes.indices.filter { isAnnotated[$0] }.map { Object(shape: shapes[$0], mask: mask(ofLayer: stuff.count + $0)) }
  }

  /// Objects that are in the picture, or behind others, and not in the truth.
  public var hiddenCount: Int { isAnnotated.count { !$0 } }

  private func mask(ofLayer layer: Int) -> RunLengthMask {
    RunLengthMask(height: image.height, width: image.width, flags: owners.map { $0 == layer })
  }

  /// The panoptic truth: the kinds of background that are seen, then the objects. Pixels of objects that are not annotated are void.
  ///
  /// Numbers of segments are spread over the three bytes of their colour, so that a map can be looked at.
  public var panoptic: (map: PanopticMap, segments: [PanopticSegment]) {
    let categories = stuff.map(\.categoryID) + zip(shapes, isAnnotated).map { $1 ? $0.categoryID : nil }
    // An odd factor: different layers have different numbers below 2²⁴, none of them 0.
    let numbers = categories.enumerated().map { $1 == nil ? PanopticMap.void : (UInt32($0 + 1) &* 0x9E_3779) & 0xFF_FFFF }
    let map = PanopticMap(height: image.height, width: image.width, segments: owners.map { numbers[$0] })
    let segments = categories.indices.compactMap { layer -> PanopticSegment? in
      guard let category = categories[layer] else { return nil }
      let mask = mask(ofLayer: layer)
      let area = mask.area
      return area == 0 ? nil : PanopticSegment(id: numbers[layer], category: category, area: area, box: mask.boundingBox)
    }
    return (map, segments)
  }
}
