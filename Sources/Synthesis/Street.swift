import Base
import Foundation

/// A layer of a street scene and its class; nil: of no class.
struct StreetLayer {
  let kind: StreetClass?
  let layer: SceneLayer
}

/// One street: horizon, light and distances, and what stands in it.
struct Street {
  private let settings: SegmentationSynthesis
  private let surfaces: FlowSynthesis
  /// The frame, px.
  private let size: SIMD2<Double>
  /// The row of the horizon.
  private let horizon: Double
  /// Height of the camera above the ground, m.
  private let cameraHeight: Double
  private let darkness: Double
  private let light: SIMD2<Double>

  init(_ settings: SegmentationSynthesis, _ surfaces: FlowSynthesis, _ random: inout Random) {
    self.settings = settings
    self.surfaces = surfaces
    size = SIMD2(Double(settings.width), Double(settings.height))
    horizon = size.y * random.uniform(0.25, 0.5)
    cameraHeight = random.uniform(1.3, 2.4)
    darkness = random.chance(0.7) ? random.uniform(0, settings.shadow) : 0
    let angle = random.uniform(0, 2 * .pi)
    light = SIMD2(cos(angle), sin(angle))
  }

  // MARK: Background

  /// Sky, ground, and mostly a road.
  func background(_ random: inout Random) -> [StreetLayer] {
    var layers = [StreetLayer(kind: .sky, layer: sky(&random)), StreetLayer(kind: .ground, layer: ground(&random))]
    if random.chance(settings.roadShare) { layers += road(&random) }
    return layers
  }

  private func sky(_ random: inout Random) -> SceneLayer {
    let family: TextureFamily = random.chance(0.8) ? .smooth : .noise
    let texel = surfaces.texelSize(&random)
    let texture = surfaces.plane(family, extent: size, texel: texel, theme: .sky, &random)
    let middle = SIMD2(Double(texture.width), Double(texture.height)) / 2
    let place = Homography.about(middle, rotation: random.uniform(-0.15, 0.15), zoom: texel, shift: size / 2 - middle)
    return SceneLayer(texture: texture, wraps: true, placement: place, motion: .identity)
  }

  private func ground(_ random: inout Random) -> SceneLayer {
    let families: [(TextureFamily, Double)] = [(.grain, 0.3), (.noise, 0.2), (.strands, 0.2), (.patches, 0.15), (.smooth, 0.15)]
    let themes: [(ColorTheme, Double)] = [(.any, 0.6), (.green, 0.25), (.grey, 0.15)]
    var object = object(FlowSynthesis.draw(from: families, otherwise: .grain, &random), &random)
    // A panel that reaches well beyond the frame on three sides.
    object.outline = .panel(width: 1.4 * size.x, height: 2 * (1.2 * size.y - horizon))
    object.palette = FlowSynthesis.draw(from: themes, otherwise: .any, &random)
    object.isRound = false
    object.darkness = 0
    return object.layer(placement: .shift(SIMD2(size.x / 2, 1.2 * size.y)), motion: .identity, &random)
  }

  /// A strip from the lower border to a point on the horizon, and perhaps its markings.
  private func road(_ random: inout Random) -> [StreetLayer] {
    let bottom = size.y + 8
    let vanishing = SIMD2(size.x * random.uniform(0.2, 0.8), horizon)
    let foot = size.x * random.uniform(0.2, 0.8)
    let half = size.x * random.uniform(0.25, 0.6)
    let middle = SIMD2(size.x / 2, (horizon + bottom) / 2)
    func corner(_ x: Double, _ y: Double) -> SIMD2<Double> { SIMD2(x, y) - middle }
    func strip(_ share: Double, from top: Double, to end: Double) -> [SIMD2<Double>] {
      // At the share t of the way from the horizon to the lower border everything has t of its size.
      [(top, -1.0), (top, 1.0), (end, 1.0), (end, -1.0)].map { t, side in
        let x = vanishing.x + (foot + side * half * share - vanishing.x) * t
        return corner(x, horizon + (bottom - horizon) * t)
      }
    }
    let reach = SIMD2(size.x / 2 + abs(foot - size.x / 2) + half, (bottom - horizon) / 2)
    let families: [(TextureFamily, Double)] = [(.grain, 0.5), (.smooth, 0.25), (.noise, 0.15), (.mosaic, 0.1)]
    var surface = object(FlowSynthesis.draw(from: families, otherwise: .grain, &random), &random)
    surface.outline = Outline(form: .polygon(strip(1, from: 0.02, to: 1), rounding: 0), reach: reach)
    surface.palette = random.chance(0.85) ? .grey : .any
    surface.isRound = false
    surface.darkness = 0
    var layers = [StreetLayer(kind: .road, layer: surface.layer(placement: .shift(middle), motion: .identity, &random))]
    guard random.chance(0.5) else { return layers }
    var start = random.uniform(0.08, 0.14)
    while start < 1 {
      let end = min(1, start * random.uniform(1.25, 1.5))
      var line = object(.smooth, &random)
      line.outline = Outline(form: .polygon(strip(0.04, from: start, to: end), rounding: 0), reach: reach)
      line.palette = .sky  // pale
      line.isRound = false
      line.darkness = 0
      layers.append(StreetLayer(kind: .road, layer: line.layer(placement: .shift(middle), motion: .identity, &random)))
      start = end * random.uniform(1.2, 1.6)
    }
    return layers
  }

  // MARK: Objects

  private enum Thing {
    case building, plant, person, vehicle
    /// Of no class.
    case strange

    var kind: StreetClass? {
      switch self {
      case .building: .building
      case .plant: .plant
      case .person: .person
      case .vehicle: .vehicle
      case .strange: nil
      }
    }
  }

  /// What stands on the ground, from back to front.
  /// - Parameters:
  ///   - colors: of the background.
  ///   - own: the random source of the object with a number.
  func objects(before colors: [SIMD4<Float>], _ random: inout Random, own: (_ number: Int) -> Random) -> [StreetLayer] {
    var things: [(thing: Thing, foot: SIMD2<Double>)] = []
    func add(_ thing: Thing, _ count: Int, from near: Double, to far: Double) {
      for _ in 0..<count {
        let share = random.uniform(near, far)
        things.append((thing, SIMD2(size.x * random.uniform(-0.05, 1.05), horizon + (size.y - horizon) * share)))
      }
    }
    add(.building, random.integer(in: 0..<settings.mostBuildings + 1), from: 0.02, to: 0.2)
    let nearness = settings.nearness
    add(.plant, random.integer(in: 0..<settings.mostPlants + 1), from: nearness / 2, to: 1)
    add(.person, random.integer(in: 0..<settings.mostPeople + 1), from: nearness, to: 1.1)
    add(.vehicle, random.integer(in: 0..<settings.mostVehicles + 1), from: nearness, to: 1)
    if random.chance(settings.strangeShare) { add(.strange, random.integer(in: 1..<3), from: nearness, to: 1) }
    // The farthest first; of one distance, in the order above.
    let order = things.indices.sorted { (things[$0].foot.y, $0) < (things[$1].foot.y, $1) }
    return order.enumerated().flatMap { number, index in
      var own = own(number)
      let (thing, foot) = things[index]
      let metre = (foot.y - horizon) / cameraHeight  // px
      return parts(of: thing, at: foot, metre, &own).map { part in
        var object = part.object
        if object.palette == .any {
          object.backdrop = SceneObject.Backdrop(
            of: colors, height: settings.height, width: settings.width, about: part.center, radius: object.outline.reach.min(),
            distance: settings.contrast)
        }
        return StreetLayer(kind: thing.kind, layer: object.layer(placement: .shift(part.center), motion: .identity, &own))
      }
    }
  }

  /// A part of an object, and the place of its centre.
  private typealias Part = (object: SceneObject, center: SIMD2<Double>)

  /// - Parameter metre: px.
  private func parts(of thing: Thing, at foot: SIMD2<Double>, _ metre: Double, _ random: inout Random) -> [Part] {
    switch thing {
    case .building: return building(foot, &random)
    case .plant: return plant(foot, metre, &random)
    case .person: return person(foot, metre, &random)
    case .vehicle: return vehicle(foot, metre, &random)
    case .strange:
      var object = object(surfaces.objectFamily(&random), &random)
      let radius = metre * random.uniform(0.3, 0.8)
      object.outline = .random(radius: max(4, radius), thinShare: 0, &random)
      return [(object, foot - SIMD2(0, radius))]
    }
  }

  /// An object without an outline yet.
  private func object(_ family: TextureFamily, _ random: inout Random) -> SceneObject {
    var object = SceneObject(outline: .panel(width: 1, height: 1), family: family, exponent: surfaces.spectrum(&random))
    object.darkness = darkness
    object.light = light
    return object
  }

  /// A house with a flat or a pointed roof.
  private func building(_ foot: SIMD2<Double>, _ random: inout Random) -> [Part] {
    let families: [(TextureFamily, Double)] = [
      (.masonry, 0.3), (.dots, 0.25), (.mosaic, 0.15), (.stripes, 0.1), (.smooth, 0.1), (.noise, 0.1),
    ]
    let (w, h) = (size.x * random.uniform(0.12, 0.4), size.y * random.uniform(0.18, 0.5))
    var house = object(FlowSynthesis.draw(from: families, otherwise: .masonry, &random), &random)
    house.isRound = false
    house.darkness = 0
    let half = SIMD2(w, h) / 2
    let eaves = random.chance(0.5) ? -half.y : -half.y + h * random.uniform(0.15, 0.35)
    let corners = [SIMD2(-half.x, half.y), SIMD2(-half.x, eaves), SIMD2(0, -half.y), SIMD2(half.x, eaves), half]
    house.outline = Outline(form: .polygon(corners, rounding: 0), reach: half)
    return [(house, foot - SIMD2(0, half.y))]
  }

  /// A tree, or a bush.
  private func plant(_ foot: SIMD2<Double>, _ metre: Double, _ random: inout Random) -> [Part] {
    let families: [(TextureFamily, Double)] = [(.foliage, 0.7), (.noise, 0.15), (.strands, 0.15)]
    var crown = object(FlowSynthesis.draw(from: families, otherwise: .foliage, &random), &random)
    crown.palette = random.chance(0.85) ? .green : .any
    if random.chance(0.35) {
      let radius = metre * random.uniform(0.4, 0.9)
      crown.outline = .crown(radius: max(3, radius), roughness: random.uniform(0.05, 0.25), &random)
      crown.outline.hole = nil
      return [(crown, foot - SIMD2(0, 0.8 * radius))]
    }
    let tall = metre * random.uniform(2.2, 4.5)
    var trunk = object(random.chance(0.5) ? .strands : .noise, &random)
    trunk.outline = .pole(length: 0.7 * tall, halfWidth: max(1, tall * random.uniform(0.03, 0.05)))
    crown.outline = .crown(radius: max(3, tall * random.uniform(0.22, 0.34)), roughness: random.uniform(0.05, 0.25), &random)
    crown.outline.hole = nil
    return [(trunk, foot - SIMD2(0, 0.35 * tall)), (crown, foot - SIMD2(0, 0.75 * tall))]
  }

  /// Legs, arms, trunk and head.
  private func person(_ foot: SIMD2<Double>, _ metre: Double, _ random: inout Random) -> [Part] {
    let tall = metre * random.uniform(1.5, 1.9)
    let families: [(TextureFamily, Double)] = [(.smooth, 0.4), (.grain, 0.15), (.stripes, 0.15), (.patches, 0.15), (.weave, 0.15)]
    func part(_ outline: Outline, _ family: TextureFamily, at y: Double) -> Part {
      var part = object(family, &random)
      part.outline = outline
      return (part, foot - SIMD2(0, y * tall))
    }
    func limbs(from top: SIMD2<Double>, to end: SIMD2<Double>, _ halfWidth: Double) -> Outline {
      let sides = [-1.0, 1.0].map { side in
        (SIMD2(side * top.x, top.y) * tall, SIMD2(side * end.x * random.uniform(0.6, 1.4), end.y) * tall)
      }
      let reach = SIMD2(1.4 * max(top.x, end.x) + halfWidth, max(abs(top.y), abs(end.y)) + halfWidth) * tall
      return Outline(form: .bars(sides, halfWidth: halfWidth * tall), reach: reach)
    }
    let clothes = FlowSynthesis.draw(from: families, otherwise: .smooth, &random)
    let legs = limbs(from: SIMD2(0.06, -0.25), to: SIMD2(0.09, 0.2), random.uniform(0.045, 0.06))
    let arms = limbs(from: SIMD2(0.14, -0.16), to: SIMD2(0.2, 0.16), random.uniform(0.03, 0.045))
    let trunk = Outline.panel(width: tall * random.uniform(0.26, 0.34), height: 0.38 * tall, rounding: 0.08 * tall)
    let head = SIMD2(0.07, 0.09) * tall
    return [
      part(legs, FlowSynthesis.draw(from: families, otherwise: .smooth, &random), at: 0.25),
      part(arms, clothes, at: 0.66),
      part(trunk, clothes, at: 0.64),
      part(Outline(form: .ellipse(head), reach: head), .smooth, at: 0.9),
    ]
  }

  /// A car or a van from the side: body, window, wheels.
  private func vehicle(_ foot: SIMD2<Double>, _ metre: Double, _ random: inout Random) -> [Part] {
    let isVan = random.chance(0.35)
    let half = SIMD2(metre * random.uniform(1.7, 2.3), metre * (isVan ? random.uniform(0.9, 1.2) : random.uniform(0.65, 0.8)))
    let facing = random.chance(0.5) ? 1.0 : -1.0
    func outline(_ corners: [(Double, Double)], _ rounding: Double) -> Outline {
      let scale = SIMD2(half.x * facing, half.y)
      return Outline(form: .polygon(corners.map { SIMD2($0.0, $0.1) * scale }, rounding: rounding * half.y), reach: half)
    }
    func part(_ outline: Outline, _ family: TextureFamily, _ theme: ColorTheme, at offset: SIMD2<Double> = SIMD2(0, 0)) -> Part {
      var part = object(family, &random)
      part.outline = outline
      part.palette = theme
      return (part, foot - SIMD2(0, half.y) + offset)
    }
    let body: [(Double, Double)] = isVan
      ? [(-0.94, 0.64), (-0.94, -0.1), (-0.7, -0.92), (0.94, -0.92), (0.94, 0.64)]
      : [(-0.94, 0.6), (-0.94, 0.05), (-0.6, -0.1), (-0.36, -0.9), (0.42, -0.9), (0.68, -0.08), (0.94, 0.05), (0.94, 0.6)]
    let window: [(Double, Double)] = isVan ? [(-0.78, -0.15), (-0.62, -0.7), (0.1, -0.7), (0.1, -0.15)]
      : [(-0.46, -0.12), (-0.28, -0.74), (0.36, -0.74), (0.54, -0.12)]
    let family: TextureFamily = random.chance(0.75) ? .smooth : .mosaic
    var layers = [part(outline(body, 0.06), family, .any)]
    if random.chance(0.9) { layers.append(part(outline(window, 0), .smooth, random.chance(0.5) ? .sky : .grey)) }
    let radius = SIMD2(repeating: 0.36 * half.y * (isVan ? 0.8 : 1))
    for x in [-0.58, 0.58] {
      let wheel = Outline(form: .ellipse(radius), reach: radius)
      layers.append(part(wheel, .grain, .grey, at: SIMD2(x * half.x, half.y - radius.y)))
    }
    return layers
  }
}
