import Base
import Foundation

/// A room in perspective: floor, ceiling and three walls, with skirting, windows, a door, pictures, a rug and chests.
struct Room {
  private let space: Space
  /// Distances of the walls from the camera, m.
  private let left, right, floor, ceiling, back: Double
  private let colors: [SIMD3<Float>]
  private static let near = 0.25

  init(_ surfaces: FlowSynthesis, _ random: inout Random) {
    let center = SIMD2(random.uniform(0.35, 0.65), random.uniform(0.4, 0.6))
    let angle = random.chance(0.5) ? random.uniform(-0.35, 0.35) : 0
    space = Space(surfaces, zoom: random.uniform(0.55, 0.95), center: center, angle: angle)
    (left, right) = (random.uniform(1.2, 2.6), random.uniform(1.2, 2.6))
    (floor, ceiling) = (random.uniform(1.1, 1.7), random.uniform(0.9, 1.6))
    back = random.uniform(3, 6)
    colors = Palette(count: 6, &random).colors
  }

  /// From back to front.
  func layers(_ random: inout Random) -> [SceneLayer] {
    var layers = [space.backdrop(.smooth, .grey, &random)]
    let wall = Space.Surface(Self.draw([(.smooth, 0.6), (.noise, 0.1), (.stripes, 0.15), (.masonry, 0.15)], &random), bright(0, &random))
    let ground = Space.Surface(Self.draw([(.masonry, 0.5), (.stripes, 0.2), (.smooth, 0.15), (.strands, 0.15)], &random), colors[1])
    let roof = Space.Surface(.smooth, SIMD3<Float>(repeating: Float(random.uniform(170, 240))))
    let pattern = random
    func again() -> Random { pattern }
    let (height, width) = (floor + ceiling, left + right)
    let middle = SIMD3((right - left) / 2, (floor - ceiling) / 2, back)
    var own = again()
    layers.append(space.rectangle(wall, at: middle, across: Axis.x, down: Axis.y, extent: SIMD2(width, height) * 1.01, &own))
    let depth = back - Self.near
    for (x, light) in [(-left, random.uniform(0.7, 1)), (right, random.uniform(0.7, 1))] {
      var own = again()
      let place = SIMD3(x, middle.y, Self.near + depth / 2)
      layers.append(space.rectangle(wall.shaded(light), at: place, across: Axis.z, down: Axis.y, extent: SIMD2(depth, height) * 1.01, &own))
    }
    for (y, surface) in [(floor, ground), (-ceiling, roof)] {
      let place = SIMD3(middle.x, y, Self.near + depth / 2)
      layers.append(space.rectangle(surface, at: place, across: Axis.x, down: Axis.z, extent: SIMD2(width, depth) * 1.01, &random))
    }
    if random.chance(0.7) { layers += skirting(&random) }
    layers += openings(&random)
    if random.chance(0.35) { layers.append(rug(&random)) }
    return layers + chests(&random)
  }

  private static func draw(_ table: [(TextureFamily, Double)], _ random: inout Random) -> TextureFamily {
    FlowSynthesis.draw(from: table, otherwise: .smooth, &random)
  }

  private func bright(_ index: Int, _ random: inout Random) -> SIMD3<Float> {
    // Half as colourful.
    let color = colors[index] * 0.5 + colors[index].sum() / 6
    let level = Float(random.uniform(110, 215))
    return (color * (level / max(1, color.sum() / 3))).clamped(lowerBound: SIMD3(repeating: 20), upperBound: SIMD3(repeating: 245))
  }

  // MARK: On the walls

  /// A wall as a plane of its own: a place on it by the way along and the height above the floor.
  private struct Wall {
    let origin: SIMD3<Double>
    let along: SIMD3<Double>
    let length: Double
    /// Towards the room.
    let normal: SIMD3<Double>

    func place(_ way: Double, _ height: Double, lift: Double = 0.01) -> SIMD3<Double> {
      origin + along * way - Axis.y * height + normal * lift
    }
  }

  private var walls: [Wall] {
    [
      Wall(origin: SIMD3(-left, floor, back), along: Axis.x, length: left + right, normal: -Axis.z),
      Wall(origin: SIMD3(-left, floor, Self.near), along: Axis.z, length: back - Self.near, normal: Axis.x),
      Wall(origin: SIMD3(right, floor, Self.near), along: Axis.z, length: back - Self.near, normal: -Axis.x),
    ]
  }

  private func skirting(_ random: inout Random) -> [SceneLayer] {
    let height = random.uniform(0.08, 0.16)
    let surface = Space.Surface(.smooth, random.chance(0.5) ? SIMD3(repeating: 225) : colors[2])
    return walls.map { wall in
      space.rectangle(surface, at: wall.place(wall.length / 2, height / 2), across: wall.along, down: Axis.y,
                      extent: SIMD2(wall.length, height), &random)
    }
  }

  /// Windows in a row, a door, or pictures: one kind for a wall.
  private func openings(_ random: inout Random) -> [SceneLayer] {
    walls.enumerated().flatMap { index, wall -> [SceneLayer] in
      switch random.integer(in: 0..<4) {
      case 0: windows(wall, &random)
      case 1: door(wall, at: wall.length * random.uniform(0.3, 0.7), &random)
      case 2: pictures(wall, &random)
      default: []
      }
    }
  }

  private func windows(_ wall: Wall, _ random: inout Random) -> [SceneLayer] {
    let count = index(1..<4, &random)
    let pitch = wall.length / Double(count)
    let extent = SIMD2(min(1.4, 0.62 * pitch), random.uniform(0.8, 1.2))
    let middle = min(floor + ceiling - 0.65 * extent.y, 1.5)
    let sky = Palette(count: 1, theme: .sky, &random).colors[0]
    let frame = SIMD3<Float>(repeating: Float(random.uniform(200, 245)))
    let panes = index(1..<4, &random)
    let bars: (SIMD2<Double>) -> Outline = { size in Self.bars(size, columns: panes, rows: 2) }
    return (0..<count).flatMap { number -> [SceneLayer] in
      let way = pitch * (Double(number) + 0.5)
      let place = wall.place(way, middle)
      let glass = space.rectangle(.init(.smooth, sky), at: place, across: wall.along, down: Axis.y, extent: extent, &random)
      let grid = space.rectangle(.init(.smooth, frame, form: bars), at: wall.place(way, middle, lift: 0.02), across: wall.along,
                                 down: Axis.y, extent: extent * 1.06, &random)
      return [glass, grid]
    }
  }

  /// A frame with bars that part it into panes.
  static func bars(_ size: SIMD2<Double>, columns: Int, rows: Int) -> Outline {
    let halfWidth = max(0.6, 0.035 * size.min())
    let half = size / 2 - halfWidth
    let upright = (0...columns).map { number -> (SIMD2<Double>, SIMD2<Double>) in
      let x = -half.x + 2 * half.x * Double(number) / Double(columns)
      return (SIMD2(x, -half.y), SIMD2(x, half.y))
    }
    let level = (0...rows).map { number -> (SIMD2<Double>, SIMD2<Double>) in
      let y = -half.y + 2 * half.y * Double(number) / Double(rows)
      return (SIMD2(-half.x, y), SIMD2(half.x, y))
    }
    return Outline(form: .bars(upright + level, halfWidth: halfWidth), reach: size / 2)
  }

  private func index(_ range: Range<Int>, _ random: inout Random) -> Int { random.integer(in: range) }

  private func door(_ wall: Wall, at way: Double, _ random: inout Random) -> [SceneLayer] {
    let extent = SIMD2(0.85, min(2, 0.85 * (floor + ceiling)))
    let frame = Space.Surface(.smooth, SIMD3(repeating: 215))
    let leaf = Space.Surface(random.chance(0.5) ? .smooth : .strands, colors[3])
    let inner = Space.Surface(.smooth, colors[3] * 0.8)
    var layers = [
      space.rectangle(frame, at: wall.place(way, 0.52 * extent.y), across: wall.along, down: Axis.y, extent: extent * SIMD2(1.2, 1.04),
                      &random),
      space.rectangle(leaf, at: wall.place(way, extent.y / 2), across: wall.along, down: Axis.y, extent: extent, &random),
    ]
    for row in [0.28, 0.72] {
      layers.append(space.rectangle(inner, at: wall.place(way, extent.y * row, lift: 0.02), across: wall.along, down: Axis.y,
                                    extent: extent * SIMD2(0.65, 0.32), &random))
    }
    return layers
  }

  private func pictures(_ wall: Wall, _ random: inout Random) -> [SceneLayer] {
    let count = index(1..<4, &random)
    let extent = SIMD2(random.uniform(0.4, 0.7), random.uniform(0.4, 0.7))
    let families: [TextureFamily] = [.patches, .mosaic, .smooth, .stripes]
    return (0..<count).flatMap { number -> [SceneLayer] in
      let way = wall.length * (Double(number) + 0.5) / Double(count)
      let middle = min(1.55, floor + ceiling - 0.6)
      let frame = space.rectangle(.init(.smooth, SIMD3(45, 35, 30)), at: wall.place(way, middle), across: wall.along, down: Axis.y,
                                  extent: extent * 1.15, &random)
      let canvas = Space.Surface(families[index(0..<families.count, &random)], Palette(count: 1, &random).colors[0])
      return [frame, space.rectangle(canvas, at: wall.place(way, middle, lift: 0.02), across: wall.along, down: Axis.y, extent: extent,
                                     &random)]
    }
  }

  // MARK: On the floor

  private func rug(_ random: inout Random) -> SceneLayer {
    let extent = SIMD2((left + right) * random.uniform(0.4, 0.7), back * random.uniform(0.3, 0.5))
    let families: [TextureFamily] = [.stripes, .weave, .smooth, .patches]
    let surface = Space.Surface(families[index(0..<families.count, &random)], colors[4])
    let place = SIMD3((right - left) / 2, floor - 0.01, back * 0.6)
    return space.rectangle(surface, at: place, across: Axis.x, down: Axis.z, extent: extent, &random)
  }

  /// Chests along the walls, the farthest first.
  private func chests(_ random: inout Random) -> [SceneLayer] {
    let count = index(0..<4, &random)
    let places = (0..<count).map { _ in random.uniform(0.45, 0.92) * back }.sorted(by: >)
    return places.flatMap { z -> [SceneLayer] in
      let isLeft = random.chance(0.5)
      let extent = SIMD3(random.uniform(0.4, 0.9), random.uniform(0.3, 1), random.uniform(0.4, 0.8))
      let x = isLeft ? -left + extent.x / 2 : right - extent.x / 2
      return chest(at: SIMD3(x, floor - extent.y / 2, z), extent, &random)
    }
  }

  private func chest(at center: SIMD3<Double>, _ extent: SIMD3<Double>, _ random: inout Random) -> [SceneLayer] {
    let families: [TextureFamily] = [.smooth, .smooth, .strands, .stripes]
    let surface = Space.Surface(families[index(0..<families.count, &random)], colors[5])
    let half = extent / 2
    let side = center.x < 0 ? 1.0 : -1.0
    let top = space.rectangle(surface, at: center - Axis.y * half.y, across: Axis.x, down: Axis.z,
                              extent: SIMD2(extent.x, extent.z) * 1.01, &random)
    let flank = space.rectangle(surface.shaded(0.6), at: center + Axis.x * (side * half.x), across: Axis.z, down: Axis.y,
                                extent: SIMD2(extent.z, extent.y) * 1.01, &random)
    let face = center - Axis.z * half.z
    let front = space.rectangle(surface.shaded(0.8), at: face, across: Axis.x, down: Axis.y, extent: SIMD2(extent.x, extent.y) * 1.01,
                                &random)
    var layers = [top, flank, front]
    guard random.chance(0.5) else { return layers }
    let drawers = index(1..<4, &random)
    let form: (SIMD2<Double>) -> Outline = { Self.bars($0, columns: 1, rows: drawers) }
    layers.append(space.rectangle(.init(.smooth, colors[5] * 0.4, form: form), at: face - Axis.z * 0.01, across: Axis.x, down: Axis.y,
                                  extent: SIMD2(extent.x, extent.y) * 0.94, &random))
    return layers
  }
}
