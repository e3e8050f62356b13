import Base
import Foundation

/// Scenes of flat objects over a plane.
extension FlowSynthesis {
  /// The layers of a flat scene: the background, then objects, the larger ones mostly behind.
  /// - Parameter pace: factor of all shifts.
  func flatLayers(pace: Double, index: Int, seed: UInt64, _ random: inout Random) -> [SceneLayer] {
    let center = SIMD2(Double(width), Double(height)) / 2
    let ground = backgroundMotion(about: center, isStatic: random.chance(staticShare), pace: pace, &random)
    let darkness = random.chance(0.7) ? random.uniform(0, shadow) : 0
    let lightAngle = random.uniform(0, 2 * .pi)
    let light = SIMD2(cos(lightAngle), sin(lightAngle))
    var own = source(.synthesis, 1, index, seed)
    var layers = [background(motion: ground, pace: pace, &own)]
    let count = random.integer(in: fewestObjects..<mostObjects + 1)
    let radii = (0..<count).map { _ in exp(random.uniform(log(smallestRadius), log(largestRadius))) }
      .map { ($0, $0 * random.uniform(0.3, 1)) }.sorted { $0.1 > $1.1 }.map(\.0)
    for (number, radius) in radii.enumerated() {
      let position = SIMD2(random.uniform(-0.05, 1.05) * Double(width), random.uniform(-0.05, 1.05) * Double(height))
      let motion = objectMotion(on: ground, at: position, radius: radius, pace: pace, &random)
      var own = source(.synthesis, number + 2, index, seed)
      var object = SceneObject(outline: flatOutline(radius: radius, &own), family: objectFamily(&own), exponent: spectrum(&own))
      object.texel = texelSize(&own)
      object.darkness = darkness
      object.light = light
      if object.family == .foliage { object.palette = own.chance(0.7) ? .green : .any }
      let bend = own.chance(deformingShare) ? self.bend(over: radius * own.uniform(0.7, 2), pace: pace, &own) : nil
      let turn = isUpright(&own) ? own.uniform(-0.1, 0.1) : own.uniform(0, 2 * .pi)
      layers.append(object.layer(placement: .about(SIMD2(0, 0), rotation: turn, zoom: 1, shift: position), motion: motion,
                                 deformation: bend, &own))
    }
    return layers
  }

  private func isUpright(_ random: inout Random) -> Bool { random.chance(0.35) }

  /// An outline; some of the thin ones are poles and wires that cross the frame.
  private func flatOutline(radius: Double, _ random: inout Random) -> Outline {
    if random.chance(thinShare * 0.3) {
      return .pole(length: random.uniform(0.5, 1.3) * Double(max(height, width)), halfWidth: random.uniform(0.7, 4))
    }
    return .random(radius: radius, thinShare: thinShare, &random)
  }

  private func backgroundMotion(about center: SIMD2<Double>, isStatic: Bool, pace: Double, _ random: inout Random) -> Homography {
    var motion = drawMotion(about: center, median: medianBackgroundMotion, strength: 0.25, &random)
    if random.chance(tiltShare) {
      // Over half the frame the scale changes by a few hundredths: a plane that leans, before a camera that moves.
      let tilt = SIMD2(random.normal(), random.normal()) * (0.03 / Double(max(height, width)))
      motion = motion.after(.tilted(tilt, about: center))
    }
    // A near-static camera still trembles a little; half of those stand perfectly still.
    let limit = isStatic ? (random.chance(0.5) ? 0 : 0.5) : maximumMotion
    return limited(motion.scaled(by: pace), at: corners, to: limit)
  }

  /// The motion of an object: the background's, followed by one of its own unless the object is attached.
  private func objectMotion(
    on ground: Homography, at position: SIMD2<Double>, radius: Double, pace: Double, _ random: inout Random
  ) -> Homography {
    let own = drawMotion(about: position, median: medianObjectMotion, strength: 1, &random).scaled(by: pace)
    if random.chance(attachedShare) {
      let parallax = random.chance(0.5) ? 1 : random.uniform(1, 2.2)
      return limited(ground.scaled(by: parallax), at: corners, to: 2 * maximumMotion)
    }
    let around = [SIMD2(radius, 0), SIMD2(-radius, 0), SIMD2(0, radius), SIMD2(0, -radius)].map { position + $0 }
    return ground.after(limited(own, at: around, to: maximumMotion))
  }
}
