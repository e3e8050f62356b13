import Base
import Foundation
import Vision

/// Synthetic images with exact truth for object detection, instance and panoptic segmentation: textured shapes of several classes that
/// hide one another, before a textured background.
///
/// A class is a shape and nothing else: surface, colour, size and direction are drawn from the same distributions for all. Truth is what
/// is seen: box, area and mask of an object are those of its visible pixels.
///
/// A sample is a pure function of the settings, the seed and its index.
///
/// ```swift
/// let scene = DetectionSynthesis().sample(index: 0, seed: 1)
/// for object in scene.objects { print(object.shape, object.mask.boundingBox) }
/// ```
/// - Source: surfaces, light and camera are those of `FlowSynthesis`.
public struct DetectionSynthesis: Codable, Sendable, Equatable, ImageSynthesis {
  /// How masks stand in the annotations.
  public enum MaskForm: String, ConfigChoice {
    /// Corners along the edges of the pixels; rasterised, they give the mask back exactly.
    case polygons
    /// Run lengths, compressed.
    case rle
  }

  /// The files of the images.
  public enum ImageForm: String, ConfigChoice {
    case jpeg, png

    var fileExtension: String { self == .jpeg ? "jpg" : "png" }
  }

  /// Rows and columns of the images, px; at least 32.
  public var height = 128
  public var width = 160

  /// Classes of objects, the first ones of `ShapeClass`.
  public var classes = 5
  /// Share of images without objects, 0...1.
  public var emptyShare = 0.08
  /// Objects in the other images: uniform in this range.
  public var fewestObjects = 1
  public var mostObjects = 8
  /// Diameters of the circles around objects as parts of the shorter side: log-uniform in this range.
  public var smallestSize = 0.1
  public var largestSize = 0.6
  /// Objects of which less than this share, or fewer than so many pixels, are seen, are not annotated; the frame hides as well.
  public var leastVisibleShare = 0.2
  public var leastVisibleArea = 30
  /// Whether such objects are taken away instead.
  public var removesHidden = false

  /// Share of images, 0...1, whose background is full of edges and patterns.
  public var clutter = 0.25
  /// The mean colour of an object is about so many grey levels away from what lies behind, at least.
  public var contrast = 36.0
  /// Share of images, 0...1, with a horizon and a sky above it.
  public var skyShare = 0.5
  /// Largest darkness of the soft shadows that objects cast, 0...1.
  public var shadow = 0.4
  /// Largest standard deviation of sensor noise, grey levels of 255.
  public var noise = 4.0
  /// Largest standard deviation of the lens blur, px.
  public var blur = 0.6

  public var masks = MaskForm.polygons
  public var images = ImageForm.jpeg
  /// Of JPEG files, 1...100.
  public var quality = 92

  public init() {}

  public func problems() -> [ConfigProblem] {
    var problems = sizeProblems
    let most = ShapeClass.allCases.count
    problems.require((1...most).contains(classes), "classes", classes, "1 to \(most): \(ShapeClass.names)")
    problems.require((0...1000).contains(fewestObjects), "fewest_objects", fewestObjects, "0 to 1000")
    problems.require(mostObjects >= fewestObjects && mostObjects <= 1000, "most_objects", mostObjects,
                     "fewest_objects (\(fewestObjects)) to 1000")
    problems.require((0.01...2).contains(smallestSize), "smallest_size", smallestSize, "0.01 to 2")
    problems.require(largestSize >= smallestSize && largestSize <= 2, "largest_size", largestSize, "smallest_size (\(smallestSize)) to 2")
    problems.require((1...1_000_000).contains(leastVisibleArea), "least_visible_area", leastVisibleArea, "1 to 1000000 px")
    let shares = [("empty_share", emptyShare), ("least_visible_share", leastVisibleShare), ("clutter", clutter), ("sky_share", skyShare),
                  ("shadow", shadow)]
    for (key, share) in shares { problems.require((0...1).contains(share), key, share, "0 to 1") }
    problems.require((0...128).contains(contrast), "contrast", contrast, "0 to 128 grey levels")
    return problems + pictureProblems
  }

  /// The classes that occur.
  public var shapes: [ShapeClass] { Array(ShapeClass.allCases.prefix(classes)) }

  /// One image with its truth.
  /// - Parameters:
  ///   - index: of the sample, 0 or more.
  ///   - seed: of the data set.
  public func sample(index: Int, seed: UInt64) -> LabeledScene {
    let surfaces = surfaces
    var random = Random(seed: seed, stream: .synthesis, sample: index)
    let behind = background(surfaces, &random)
    let ground = FlowScene(height: height, width: width, layers: behind.layers).render(second: false).colors
    var objects = objects(before: ground, surfaces, index: index, seed: seed, &random)
    func render() -> FlowScene.Frame {
      FlowScene(height: height, width: width, layers: behind.layers + objects.map(\.layer)).render(second: false)
    }
    var frame = render()
    for _ in objects where removesHidden {
      let areas = visibleAreas(frame.owners, behind: behind.layers.count, count: objects.count)
      let seen = zip(objects, areas).filter { isSeen($0, area: $1) }.map { $0.0 }
      if seen.count == objects.count { break }
      objects = seen
      frame = render()
    }
    let image = developed(frame, index: index, seed: seed)
    let areas = visibleAreas(frame.owners, behind: behind.layers.count, count: objects.count)
    let isAnnotated = zip(objects, areas).map { isSeen($0, area: $1) }
    return LabeledScene(image: image, owners: frame.owners.map(Int.init), stuff: behind.stuff, shapes: objects.map(\.shape),
                        isAnnotated: isAnnotated)
  }

  /// An object in its place.
  private struct PlacedObject {
    let shape: ShapeClass
    let layer: SceneLayer
    /// Pixels if nothing hid it.
    let area: Int
  }

  private func visibleAreas(_ owners: [Int16], behind: Int, count: Int) -> [Int] {
    var areas = [Int](repeating: 0, count: count)
    for owner in owners where Int(owner) >= behind { areas[Int(owner) - behind] += 1 }
    return areas
  }

  private func isSeen(_ object: PlacedObject, area: Int) -> Bool {
    area >= leastVisibleArea && Double(area) >= leastVisibleShare * Double(object.area)
  }

  /// The objects from back to front, the larger ones mostly behind.
  /// - Parameter ground: the colours of the background.
  private func objects(
    before ground: [SIMD4<Float>], _ surfaces: FlowSynthesis, index: Int, seed: UInt64, _ random: inout Random
  ) -> [PlacedObject] {
    let isEmpty = random.chance(emptyShare)
    let count = random.integer(in: fewestObjects..<mostObjects + 1)
    guard !isEmpty else { return [] }
    let darkness = random.chance(0.7) ? random.uniform(0, shadow) : 0
    let lightAngle = random.uniform(0, 2 * .pi)
    let side = Double(min(height, width)) / 2
    let radii = (0..<count).map { _ in side * exp(random.uniform(log(smallestSize), log(largestSize))) }
      .map { ($0, $0 * random.uniform(0.4, 1)) }.sorted { $0.1 > $1.1 }.map(\.0)
    return radii.enumerated().map { number, radius in
      let shape = shapes[random.integer(in: 0..<classes)]
      let position = SIMD2(place(radius, within: width, &random), place(radius, within: height, &random))
      var own = surfaces.source(.synthesis, number + 2, index, seed)
      var object = SceneObject(outline: shape.outline(radius: radius, &own), family: surfaces.objectFamily(&own),
                               exponent: surfaces.spectrum(&own))
      object.darkness = darkness
      object.light = SIMD2(cos(lightAngle), sin(lightAngle))
      object.backdrop = SceneObject.Backdrop(
        of: ground, height: height, width: width, about: position, radius: radius, distance: contrast)
      let placement = Homography.about(SIMD2(0, 0), rotation: own.uniform(0, 2 * .pi), zoom: 1, shift: position)
      return PlacedObject(shape: shape, layer: object.layer(placement: placement, motion: .identity, &own), area: object.outline.area)
    }
  }

  /// A coordinate for the middle of an object, so that at least three quarters of its diameter lie in the frame where there is room.
  private func place(_ radius: Double, within size: Int, _ random: inout Random) -> Double {
    let rim = min(radius, Double(size)) / 2
    return random.uniform(rim, Double(size) - rim)
  }
}

extension ShapeClass {
  /// All names in a line.
  static var names: String { allCases.map(\.rawValue).joined(separator: ", ") }
}
