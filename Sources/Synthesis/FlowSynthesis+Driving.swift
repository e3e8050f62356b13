import Base
import Foundation

/// Scenes as seen from a car: sky, a floor, a distant row of trees or houses, walls, upright objects. Units: the camera's height is 1.
extension FlowSynthesis {
  /// The layers of a drive, from back to front.
  /// - Parameter pace: factor of all translations and rotations.
  func drivingLayers(pace: Double, index: Int, seed: UInt64, _ random: inout Random) -> [SceneLayer] {
    let camera = drivingCamera(pace: pace, &random)
    let farthest = exp(random.uniform(log(8), log(40)))
    var own = source(.synthesis, 1, index, seed)
    var layers = [sky(camera, &own), floor(camera, &own)]
    for _ in 0..<own.integer(in: 1..<3) { layers.append(skyline(camera, depth: farthest * own.uniform(0.8, 1), &own)) }
    for side in [-1.0, 1.0] where own.chance(0.3) { layers.append(wall(camera, side: side, farthest: farthest, &own)) }
    let count = min(mostObjects, random.integer(in: fewestObjects..<mostObjects + 1))
    let nearest = max(1.6, camera.focal / (Double(height) - camera.center.y))
    let depths = (0..<count).map { _ in exp(random.uniform(log(nearest), log(max(farthest, nearest)))) }.sorted(by: >)
    for (number, depth) in depths.enumerated() {
      var own = source(.synthesis, number + 2, index, seed)
      layers.append(upright(camera, depth: depth, pace: pace, &own))
    }
    return layers
  }

  private func drivingCamera(pace: Double, _ random: inout Random) -> Camera {
    let (w, h) = (Double(width), Double(height))
    let focal = w * random.uniform(0.6, 1.1)
    var camera = Camera(focal: focal, center: SIMD2(w * random.uniform(0.35, 0.65), h * random.uniform(0.3, 0.55)))
    // At the lower border of the image the floor moves by (rows below the horizon) · speed / depth.
    let below = h - camera.center.y
    let nearest = focal / below
    let most = maximumMotion / (below + maximumMotion) * nearest
    let speed = min(most, 0.16 * nearest * exp(motionSpread * 0.8 * random.normal())) * (random.chance(0.12) ? -1 : 1)
    if random.chance(0.25) {
      // Through a side window, or a slide.
      let sideways = min(most * 0.6, abs(speed) * 1.5) * (random.chance(0.5) ? 1 : -1)
      camera.translation = SIMD3(sideways, 0, speed * random.uniform(0, 0.3)) * pace
    } else {
      camera.translation = SIMD3(speed * random.uniform(-0.1, 0.1), 0, speed) * pace
    }
    let turn = random.chance(0.35) ? maximumMotion * 0.2 : 1.5
    camera.yaw = pace * (turn * random.normal()).clamped(to: -2 * turn...2 * turn) / focal
    camera.pitch = pace * 1.2 * random.normal() / focal
    camera.roll = pace * 0.003 * random.normal()
    return camera
  }

  private func sky(_ camera: Camera, _ random: inout Random) -> SceneLayer {
    let family = Self.draw(from: [(TextureFamily.smooth, 0.6), (.noise, 0.25), (.patches, 0.15)], otherwise: .smooth, &random)
    let texture = plane(family, extent: SIMD2(Double(width), Double(height) * 0.7), texel: 2, theme: .sky, &random)
    let motion = camera.motion(ofPlane: SIMD3(0, 0, 1), distance: .infinity)
    var layer = SceneLayer(texture: texture, wraps: true, placement: Homography(a: SIMD2(2, 0), b: SIMD2(0, 2), t: SIMD2(-20, -20)),
                           motion: motion)
    layer.depth = 60
    return layer
  }

  /// The plane Y = 1 from near to the horizon.
  private func floor(_ camera: Camera, _ random: inout Random) -> SceneLayer {
    let families: [(TextureFamily, Double)] = [
      (.grain, 0.28), (.mosaic, 0.16), (.leaves, 0.14), (.noise, 0.1), (.masonry, 0.12), (.strands, 0.06), (.stripes, 0.06),
      (.patches, 0.08),
    ]
    let family = Self.draw(from: families, otherwise: .grain, &random)
    let themes: [(ColorTheme, Double)] = [(.grey, 0.5), (.any, 0.35), (.green, 0.15)]
    let texture = plane(family, extent: SIMD2(Double(width), Double(height)), texel: 1,
                        theme: Self.draw(from: themes, otherwise: .grey, &random), clutter: 0.6, &random)
    // One texel is one pixel across at the lower border.
    let nearest = camera.focal / (Double(height) - camera.center.y)
    let scale = nearest / camera.focal * random.uniform(0.8, 1.6)
    let turn = random.chance(0.5) ? random.uniform(-0.3, 0.3) : 0, (c, s) = (scale * cos(turn), scale * sin(turn))
    // From texels to the point (X, 1, Z), and on to the image.
    let toScene = Homography(x: SIMD3(c, s, -scale * Double(texture.width) / 2), y: SIMD3(0, 0, 1), w: SIMD3(-s, c, 0.5 * nearest))
    var layer = SceneLayer(texture: texture, wraps: true, placement: camera.projection.after(toScene),
                           motion: camera.motion(ofPlane: SIMD3(0, 1, 0), distance: 1))
    layer.reductions = texture.reductions(6)
    return layer
  }

  /// A row of trees or houses across the whole view, standing on the floor.
  private func skyline(_ camera: Camera, depth: Double, _ random: inout Random) -> SceneLayer {
    let isBuilt = random.chance(0.35)
    let foot = camera.center.y + camera.focal / depth
    let rise = Double(height) * random.uniform(0.08, 0.4)
    let texel = random.uniform(1, 2)
    let outline = Outline.skyline(width: Double(width) * 1.3, height: rise + foot - camera.center.y, isBuilt: isBuilt, &random)
    let built: [(TextureFamily, Double)] = [(.masonry, 0.3), (.dots, 0.3), (.mosaic, 0.2), (.leaves, 0.2)]
    let grown: [(TextureFamily, Double)] = [(.foliage, 0.7), (.noise, 0.15), (.strands, 0.15)]
    var object = SceneObject(outline: outline, family: Self.draw(from: isBuilt ? built : grown, otherwise: .noise, &random),
                             exponent: spectrum(&random))
    object.palette = isBuilt ? .any : .green
    object.texel = texel
    object.isRound = false
    let place = Homography.shift(SIMD2(Double(width) / 2, foot - outline.reach.y))
    var layer = object.layer(placement: place, motion: camera.motion(ofPlane: SIMD3(0, 0, 1), distance: depth), &random)
    layer.depth = depth
    return layer
  }

  /// A plane X = side · distance beside the road.
  private func wall(_ camera: Camera, side: Double, farthest: Double, _ random: inout Random) -> SceneLayer {
    let distance = random.uniform(1.2, 5)
    let near = random.uniform(1.2, 3)
    let rise = random.uniform(0.3, 4)
    let length = min(farthest, near * 6) - near
    // Texels of the size of a pixel at the middle depth.
    let scale = (near + 0.3 * length) / camera.focal
    let outline = Outline.panel(width: length / scale, height: (rise + 1) / scale)
    let families: [(TextureFamily, Double)] = [(.masonry, 0.35), (.leaves, 0.2), (.foliage, 0.2), (.noise, 0.1), (.writing, 0.05)]
    var object = SceneObject(outline: outline, family: Self.draw(from: families, otherwise: .grain, &random), exponent: spectrum(&random))
    object.recedes = true
    object.isRound = false
    // From the outline's centre: along the road and up.
    let middle = near + length / 2
    let toScene = Homography(x: SIMD3(0, 0, side * distance), y: SIMD3(0, scale, (1 - rise) / 2), w: SIMD3(scale, 0, middle))
    return object.layer(placement: camera.projection.after(toScene),
                        motion: camera.motion(ofPlane: SIMD3(side, 0, 0), distance: distance), &random)
  }

  /// Something that stands on the floor and faces the camera: a tree, a sign, a pole, a vehicle, anything.
  private func upright(_ camera: Camera, depth: Double, pace: Double, _ random: inout Random) -> SceneLayer {
    let size = camera.focal / depth  // px per unit
    let foot = camera.center.y + size
    var object = SceneObject(outline: .panel(width: 1, height: 1), family: objectFamily(&random), exponent: spectrum(&random))
    var velocity = SIMD3<Double>(0, 0, 0)
    var raised = 0.0
    let largest = Double(max(height, width)) * 0.7
    switch random.integer(in: 0..<5) {
    case 0:  // a tree's crown on a trunk that is too thin to see
      object.outline = .crown(radius: min(largest / 2, size * random.uniform(0.4, 1.5)), roughness: random.uniform(0.05, 0.25), &random)
      object.family = random.chance(0.8) ? .foliage : .noise
      object.palette = .green
      raised = size * random.uniform(0, 0.8)
    case 1:
      let length = min(largest * 1.4, size * random.uniform(1, 4))
      object.outline = .pole(length: length, halfWidth: max(0.6, size * random.uniform(0.01, 0.05)))
      object.family = random.chance(0.7) ? .smooth : .stripes
      object.palette = .grey
    case 2:
      let side = min(largest, size * random.uniform(0.2, 0.5))
      object.outline = random.chance(0.5) ? .panel(width: side, height: side * random.uniform(0.5, 1.5), rounding: 0.05 * side)
        : Outline.random(radius: side / 2, thinShare: 0, &random)
      object.family = random.chance(0.4) ? .writing : .patches
      object.isRound = false
      raised = size * random.uniform(0.5, 2)
    case 3:
      let length = min(largest, size * random.uniform(0.8, 2.4))
      object.outline = .panel(width: length, height: length * random.uniform(0.35, 0.8), rounding: 0.1 * length)
      object.family = Self.draw(from: [(.smooth, 0.5), (.mosaic, 0.3), (.leaves, 0.2)], otherwise: .smooth, &random)
      let way = depth * 0.05 * pace
      if random.chance(0.6) { velocity = SIMD3(way * random.normal(), 0, way * 1.5 * random.normal()) }
    default:
      object.outline = .random(radius: min(largest / 2, max(4, size * random.uniform(0.15, 1))), thinShare: thinShare, &random)
      raised = size * random.uniform(0, 0.6)
    }
    let position = SIMD2(random.uniform(-0.05, 1.05) * Double(width), foot - object.outline.reach.y - raised)
    let motion = camera.motion(ofPlane: SIMD3(0, 0, 1), distance: depth, velocity: velocity)
    let bend = random.chance(deformingShare * 0.5) ? self.bend(over: object.outline.reach.max(), pace: pace, &random) : nil
    var layer = object.layer(placement: .shift(position), motion: motion, deformation: bend, &random)
    layer.depth = depth
    return layer
  }
}
