import Base
import Foundation

/// A house front with rows of equal windows, a plinth, perhaps a door, cornices, and sky and street around it.
struct Facade {
  private let space: Space
  private let rows, columns: Int
  /// Of a window and its surroundings, m.
  private let pitch: SIMD2<Double>
  private let window: SIMD2<Double>
  private let plinth, distance: Double
  private let colors: [SIMD3<Float>]

  private var width: Double { Double(columns) * pitch.x + 0.6 }
  private var height: Double { plinth + Double(rows) * pitch.y + 0.4 }
  /// Of the ground below the camera, m.
  private let ground = 1.6

  init(_ surfaces: FlowSynthesis, _ random: inout Random) {
    (rows, columns) = (random.integer(in: 2..<6), random.integer(in: 2..<7))
    pitch = SIMD2(random.uniform(1.6, 2.8), random.uniform(2.2, 3.2))
    window = pitch * SIMD2(random.uniform(0.35, 0.65), random.uniform(0.4, 0.65))
    plinth = random.uniform(0.3, 1)
    distance = random.uniform(5, 9)
    colors = Palette(count: 6, &random).colors
    // The nearer end of the front is not much nearer than its middle.
    let steepest = asin(min(0.65, 0.5 * distance / (Double(columns) * pitch.x / 2)))
    let angle = random.chance(0.6) ? random.uniform(-steepest, steepest) : 0
    let center = SIMD2(random.uniform(0.35, 0.65), random.uniform(0.5, 0.8))
    space = Space(surfaces, zoom: random.uniform(0.6, 1.1), center: center, angle: angle)
  }

  /// A point of the front by the way along, from its middle, and the height above the ground.
  private func place(_ way: Double, _ height: Double, lift: Double = 0) -> SIMD3<Double> { SIMD3(way, ground - height, distance - lift) }

  private func panel(
    _ surface: Space.Surface, _ way: Double, _ middle: Double, _ extent: SIMD2<Double>, lift: Double, _ random: inout Random
  ) -> SceneLayer {
    space.rectangle(surface, at: place(way, middle, lift: lift), across: Axis.x, down: Axis.y, extent: extent, &random)
  }

  /// From back to front.
  func layers(_ random: inout Random) -> [SceneLayer] {
    let wallTable: [(TextureFamily, Double)] = [(.masonry, 0.45), (.smooth, 0.3), (.noise, 0.15), (.grain, 0.1)]
    let wall = Space.Surface(FlowSynthesis.draw(from: wallTable, otherwise: .smooth, &random), colors[0])
    let street = Space.Surface(random.chance(0.5) ? .grain : .masonry, Palette(count: 1, theme: .grey, &random).colors[0])
    var layers = [space.backdrop(.smooth, .sky, &random)]
    layers.append(space.rectangle(street, at: SIMD3(0, ground, distance / 2 + 4), across: Axis.x, down: Axis.z,
                                  extent: SIMD2(40, distance + 7), &random))
    layers.append(panel(wall, 0, height / 2, SIMD2(width, height), lift: 0, &random))
    layers.append(panel(.init(.smooth, colors[1]), 0, plinth / 2, SIMD2(width, plinth), lift: 0.02, &random))
    layers.append(panel(.init(.smooth, colors[1]), 0, height - 0.12, SIMD2(width + 0.3, 0.24), lift: 0.05, &random))
    if random.chance(0.4) {
      for row in 1..<rows {
        layers.append(panel(.init(.smooth, colors[1]), 0, plinth + Double(row) * pitch.y, SIMD2(width, 0.14), lift: 0.03, &random))
      }
    }
    return layers + windows(&random)
  }

  /// All windows from one pattern; one of the lowest row may be a door.
  private func windows(_ random: inout Random) -> [SceneLayer] {
    let frame = SIMD3<Float>(repeating: Float(random.uniform(170, 245)))
    let glass = Palette(count: 1, theme: random.chance(0.5) ? .sky : .grey, &random).colors[0] * Float(random.uniform(0.25, 0.8))
    let panes = (columns: random.integer(in: 1..<4), rows: random.integer(in: 1..<4))
    let shutters = random.chance(0.3)
    let door = random.chance(0.6) ? random.integer(in: 0..<columns) : -1
    let pattern = random
    var layers: [SceneLayer] = []
    for row in 0..<rows {
      for column in 0..<columns {
        var own = pattern
        let way = (Double(column) - Double(columns - 1) / 2) * pitch.x
        if row == 0, column == door {
          layers += self.door(way, frame, &own)
          continue
        }
        let middle = plinth + (Double(row) + 0.5) * pitch.y
        layers.append(panel(.init(.smooth, frame), way, middle, window * 1.15, lift: 0.02, &own))
        layers.append(panel(.init(.smooth, glass), way, middle, window, lift: 0.03, &own))
        let form: (SIMD2<Double>) -> Outline = { Room.bars($0, columns: panes.columns, rows: panes.rows) }
        layers.append(panel(.init(.smooth, frame, form: form), way, middle, window, lift: 0.04, &own))
        guard shutters else { continue }
        for side in [-1.0, 1.0] {
          let extent = SIMD2(window.x * 0.35, window.y * 1.1)
          layers.append(panel(.init(.stripes, colors[2]), way + side * (0.6 * window.x + extent.x / 2), middle, extent, lift: 0.03, &own))
        }
      }
    }
    return layers
  }

  private func door(_ way: Double, _ frame: SIMD3<Float>, _ random: inout Random) -> [SceneLayer] {
    let extent = SIMD2(max(0.9, window.x), min(2.3, plinth + 0.75 * pitch.y))
    return [
      panel(.init(.smooth, frame), way, extent.y * 0.53, extent * SIMD2(1.2, 1.06), lift: 0.03, &random),
      panel(.init(.smooth, colors[3]), way, extent.y / 2, extent, lift: 0.04, &random),
      panel(.init(.smooth, colors[3] * 0.7), way, extent.y * 0.3, extent * SIMD2(0.7, 0.35), lift: 0.05, &random),
      panel(.init(.smooth, colors[3] * 0.7), way, extent.y * 0.75, extent * SIMD2(0.7, 0.3), lift: 0.05, &random),
    ]
  }
}
