import Base
import Foundation
import Vision

/// Synthetic images with exact truth for pose estimation: articulated figures with textured clothes, which hide one another and stand
/// behind things, before a textured background.
///
/// Truth is what is seen: a keypoint is visible where its own part of the body is on top, hidden where something else is, and not labelled
/// outside the picture; box and area are those of the visible pixels. All figures face the viewer more or less, so that left and right can
/// be told. A sample is a pure function of the settings, the seed and its index.
///
/// - Source: surfaces, light and camera are those of `FlowSynthesis`.
public struct PoseSynthesis: Codable, Sendable, Equatable, ImageSynthesis {
  /// Rows and columns of the images, px.
  public var height = 192
  public var width = 256

  /// Figures in an image: uniform in this range.
  public var fewestPeople = 1
  public var mostPeople = 3
  /// Heights of upright figures as parts of the image's height: log-uniform in this range.
  public var smallestSize = 0.45
  public var largestSize = 0.95
  /// 0: upright with hanging arms; 1: any pose.
  public var liveliness = 0.8
  /// Largest turn of a whole figure, degrees.
  public var rotation = 20.0
  /// Share of images with one or two things in front of the figures.
  public var occluders = 0.35
  /// Figures of which less than this share is seen have keypoints that are not labelled, so that they are ignored.
  public var leastVisibleShare = 0.3

  /// Share of images, 0...1, whose background is full of edges and patterns.
  public var clutter = 0.25
  /// Share of images, 0...1, with a horizon and a sky above it.
  public var skyShare = 0.5
  /// Largest darkness of the soft shadows that figures cast, 0...1.
  public var shadow = 0.3
  /// Largest standard deviation of sensor noise, grey levels of 255.
  public var noise = 4.0
  /// Largest standard deviation of the lens blur, px.
  public var blur = 0.5

  public var images = DetectionSynthesis.ImageForm.jpeg
  /// Of JPEG files, 1...100.
  public var quality = 92

  public init() {}

  public func problems() -> [ConfigProblem] {
    var problems = sizeProblems
    problems.require((0...100).contains(fewestPeople), "fewest_people", fewestPeople, "0 to 100")
    problems.require(mostPeople >= fewestPeople && mostPeople <= 100, "most_people", mostPeople, "fewest_people (\(fewestPeople)) to 100")
    problems.require((0.05...3).contains(smallestSize), "smallest_size", smallestSize, "0.05 to 3")
    problems.require(largestSize >= smallestSize && largestSize <= 3, "largest_size", largestSize, "smallest_size (\(smallestSize)) to 3")
    problems.require((0...180).contains(rotation), "rotation", rotation, "0 to 180 degrees")
    let shares = [("liveliness", liveliness), ("occluders", occluders), ("least_visible_share", leastVisibleShare), ("clutter", clutter),
                  ("sky_share", skyShare), ("shadow", shadow)]
    for (key, share) in shares { problems.require((0...1).contains(share), key, share, "0 to 1") }
    return problems + pictureProblems
  }

  /// One image with its truth.
  /// - Parameters:
  ///   - index: of the sample, 0 or more.
  ///   - seed: of the data set.
  public func sample(index: Int, seed: UInt64) -> PosedScene {
    let surfaces = surfaces
    var random = Random(seed: seed, stream: .synthesis, sample: index)
    let behind = backdrop.background(surfaces, &random).layers
    let people = people(surfaces, index: index, seed: seed, &random)
    let things = occluders(surfaces, index: index, seed: seed, &random)
    let layers = behind + people.flatMap(\.layers) + things
    let frame = FlowScene(height: height, width: width, layers: layers).render(second: false)
    let image = developed(frame, index: index, seed: seed)
    var start = behind.count
    let owners = frame.owners.map(Int.init)
    return PosedScene(image: image, people: people.compactMap { person in
      defer { start += person.layers.count }
      return truth(person, firstLayer: start, owners)
    })
  }

  /// A figure in its place.
  private struct PlacedFigure {
    let figure: Figure
    /// From the figure's coordinates to pixels.
    let place: Homography
    let layers: [SceneLayer]
    /// Pixels of all parts, if nothing hid them and they did not overlap.
    let area: Double
  }

  /// The background, which is that of detection scenes.
  private var backdrop: DetectionSynthesis {
    var scene = DetectionSynthesis()
    scene.height = height
    scene.width = width
    scene.clutter = clutter
    scene.skyShare = skyShare
    return scene
  }

  // MARK: Figures

  /// Figures from back to front, the larger ones mostly before.
  private func people(_ surfaces: FlowSynthesis, index: Int, seed: UInt64, _ random: inout Random) -> [PlacedFigure] {
    let count = random.integer(in: fewestPeople..<mostPeople + 1)
    let darkness = random.chance(0.6) ? random.uniform(0, shadow) : 0
    let sizes = (0..<count).map { _ in Double(height) * exp(random.uniform(log(smallestSize), log(largestSize))) }
      .map { ($0, $0 * random.uniform(0.7, 1)) }.sorted { $0.1 < $1.1 }.map(\.0)
    var middles: [SIMD2<Double>] = []
    return sizes.enumerated().map { number, size in
      var own = surfaces.source(.synthesis, number + 2, index, seed)
      let figure = Figure(liveliness: liveliness, &own)
      let turn = own.uniform(-1, 1) * rotation * .pi / 180
      // Of some places the one farthest from the others.
      let places = (0..<4).map { _ in place(figure, size, &random) }
      let middle = places.max { distance($0, middles) < distance($1, middles) } ?? places[0]
      middles.append(middle)
      let box = figure.bounds
      let center = (box.low + box.high) / 2
      let map = Homography.about(center, rotation: turn, zoom: size, shift: middle - center)
      return placed(figure, map, size: size, darkness: darkness, &own)
    }
  }

  private func distance(_ point: SIMD2<Double>, _ others: [SIMD2<Double>]) -> Double {
    others.map { other in abs(point.x - other.x) + 0.3 * abs(point.y - other.y) }.min() ?? .infinity
  }

  /// A place for the middle of a figure, so that most of it lies in the frame where there is room.
  private func place(_ figure: Figure, _ size: Double, _ random: inout Random) -> SIMD2<Double> {
    let box = figure.bounds
    let half = (box.high - box.low) * (size / 2)
    func coordinate(_ half: Double, _ side: Double) -> Double {
      let rim = min(half * 0.85, side / 2)
      return random.uniform(rim, side - rim)
    }
    return SIMD2(coordinate(half.x, Double(width)), coordinate(half.y, Double(height)))
  }

  private func placed(_ figure: Figure, _ place: Homography, size: Double, darkness: Double, _ random: inout Random) -> PlacedFigure {
    let wardrobe = Wardrobe(&random)
    let turn = atan2(place.y.x, place.x.x)
    var area = 0.0
    let layers = figure.parts.map { part -> SceneLayer in
      let outline = part.outline(scale: size)
      area += Double(outline.area)
      var object = SceneObject(outline: outline, family: wardrobe.family(part.cover), exponent: wardrobe.exponent)
      object.tone = wardrobe.tone(part.cover)
      object.isRound = part.cover != .eye && part.cover != .lip
      if part.cover == .shirt || part.cover == .leg { object.darkness = darkness }
      object.light = SIMD2(0.5, 1)
      // Parts of one cover begin with the same numbers, and so have the same texture.
      var own = wardrobe.source(part.cover)
      let form = Homography.about(SIMD2(0, 0), rotation: turn + part.turn, zoom: 1, shift: place(part.place))
      return object.layer(placement: form, motion: .identity, &own)
    }
    return PlacedFigure(figure: figure, place: place, layers: layers, area: area)
  }

  /// Things before the figures: shapes of any kind, which hide a part of them.
  private func occluders(_ surfaces: FlowSynthesis, index: Int, seed: UInt64, _ random: inout Random) -> [SceneLayer] {
    guard random.chance(occluders) else { return [] }
    return (0..<random.integer(in: 1..<3)).map { number in
      var own = surfaces.source(.synthesis, 1000 + number, index, seed)
      let radius = Double(height) * own.uniform(0.05, 0.16)
      var object = SceneObject(
        outline: Outline.random(radius: radius, thinShare: 0.2, &own), family: surfaces.objectFamily(&own),
        exponent: surfaces.spectrum(&own))
      object.darkness = random.uniform(0, shadow)
      let position = SIMD2(random.uniform(0, Double(width)), random.uniform(0.2, 1) * Double(height))
      let placement = Homography.about(SIMD2(0, 0), rotation: own.uniform(0, 2 * .pi), zoom: 1, shift: position)
      return object.layer(placement: placement, motion: .identity, &own)
    }
  }

  // MARK: Truth

  /// What is seen of a figure; nil if nothing is.
  private func truth(_ person: PlacedFigure, firstLayer: Int, _ owners: [Int]) -> PosedScene.Person? {
    let range = firstLayer..<firstLayer + person.layers.count
    let mask = RunLengthMask(height: height, width: width, flags: owners.map { range.contains($0) })
    guard mask.area > 0 else { return nil }
    let isHidden = Double(mask.area) < leastVisibleShare * person.area
    let keypoints = person.figure.keypoints.enumerated().map { k, point -> Keypoint in
      let position = person.place(point)
      let (x, y) = (Int(position.x.rounded()), Int(position.y.rounded()))
      guard !isHidden, (0..<width).contains(x), (0..<height).contains(y) else { return .unlabeled }
      let owner = owners[y * width + x]
      let isOwn = range.contains(owner) && person.figure.parts[owner - firstLayer].keypoints.contains(k)
      // Tenths of a pixel, as files have them.
      return Keypoint(x: (position.x * 10).rounded() / 10, y: (position.y * 10).rounded() / 10, visibility: isOwn ? .visible : .hidden)
    }
    return PosedScene.Person(keypoints: keypoints, mask: mask)
  }
}

/// A generated image with the truth about it.
public struct PosedScene: Sendable {
  /// RGB.
  public let image: Image
  /// The figures of which something is seen, from back to front.
  public let people: [Person]

  public struct Person: Sendable {
    /// COCO's 17.
    public let keypoints: [Keypoint]
    /// Its visible pixels; box and area follow from them.
    public let mask: RunLengthMask
  }
}

extension Figure.Part {
  /// The outline in pixels.
  func outline(scale: Double) -> Outline {
    let scaled: Outline.Form = switch form {
    case .capsule(let a, let b, let radii): .capsule(a * scale, b * scale, radii: (radii.0 * scale, radii.1 * scale))
    case .ellipse(let axes): .ellipse(axes * scale)
    case .polygon(let corners, let rounding): .polygon(corners.map { $0 * scale }, rounding: rounding * scale)
    case .blob, .bars, .lattice: form
    }
    return Outline(form: scaled, hole: nil, reach: reach * scale)
  }
}
