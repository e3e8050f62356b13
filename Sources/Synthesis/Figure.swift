import Base
import Foundation
import Vision

/// An articulated figure seen from the front: COCO's 17 keypoints, and the parts of the body from back to front.
///
/// Lengths are shares of the height of a person who stands upright; x to the right, y down, (0, 0) between the hips. The figure's left
/// is on the right.
struct Figure: Sendable {
  /// What a part is covered with; parts of one cover share their colour and texture.
  enum Cover: Int, CaseIterable, Sendable {
    case skin, shirt, sleeve, trousers, leg, shoe, hair, eye, lip
  }

  /// A part of the body.
  struct Part: Sendable {
    let form: Outline.Form
    /// The place of the form's origin, and its turn in radians.
    let place: SIMD2<Double>
    var turn = 0.0
    /// Half the width and height of the rectangle around the origin that holds the form.
    let reach: SIMD2<Double>
    let cover: Cover
    /// The keypoints that are seen where this part is.
    let keypoints: [Int]
  }

  private(set) var keypoints = [SIMD2<Double>](repeating: SIMD2(0, 0), count: Skeleton.coco.count)
  private(set) var parts: [Part] = []

  /// Indices of COCO's keypoints, the left one of each pair.
  private enum Joint {
    static let nose = 0, eye = 1, ear = 3, shoulder = 5, elbow = 7, wrist = 9, hip = 11, knee = 13, ankle = 15
  }

  /// The two sides of a body: the offset of the keypoint's index, and the direction in the picture.
  private struct Side {
    let offset: Int
    let sign: Double
    static let both = [Side(offset: 0, sign: 1), Side(offset: 1, sign: -1)]
  }

  /// Random proportions of a person.
  private struct Build {
    let torso, shoulder, hip, upperArm, forearm, thigh, shin, neck, head, girth: Double

    init(_ random: inout Random) {
      func about(_ length: Double, _ spread: Double = 0.07) -> Double { length * exp(spread * random.normal().clamped(to: -2...2)) }
      (torso, shoulder, hip) = (about(0.29), about(0.115), about(0.075))
      (upperArm, forearm, thigh, shin) = (about(0.165), about(0.15), about(0.225), about(0.22))
      (neck, head, girth) = (about(0.045), about(0.078), about(1.05, 0.15))
    }
  }

  /// Draws a figure in a random pose.
  /// - Parameter liveliness: 0 stands upright with hanging arms, 1 moves freely.
  init(liveliness: Double, _ random: inout Random) {
    let build = Build(&random)
    // Turned about the vertical axis: widths shrink, the face moves.
    let yaw = 0.75 * random.uniform(-1, 1) * liveliness
    let lean = 0.22 * random.normal().clamped(to: -2...2) * liveliness
    let up = Figure.direction(lean, from: SIMD2(0, -1))
    let across = Figure.direction(lean, from: SIMD2(cos(yaw), 0))
    let neck = up * build.torso
    for side in Side.both {
      keypoints[Joint.shoulder + side.offset] = neck + across * (side.sign * build.shoulder)
      keypoints[Joint.hip + side.offset] = across * (side.sign * build.hip)
    }
    let arms = Side.both.map { arm($0, build, lean, liveliness, &random) }
    let isBehind = arms.map { _ in random.chance(0.35) }
    let legs = Side.both.map { leg($0, build, liveliness, &random) }
    for (arm, behind) in zip(arms, isBehind) where behind { parts += arm }
    parts += legs.flatMap { $0 }
    parts.append(torso(build))
    head(neck, up, build, yaw, lean, &random)
    for (arm, behind) in zip(arms, isBehind) where !behind { parts += arm }
  }

  /// A direction turned clockwise as seen.
  private static func direction(_ angle: Double, from start: SIMD2<Double>) -> SIMD2<Double> {
    SIMD2(cos(angle) * start.x - sin(angle) * start.y, sin(angle) * start.x + cos(angle) * start.y)
  }

  private static func limb(
    _ from: SIMD2<Double>, _ to: SIMD2<Double>, _ radii: (Double, Double), _ cover: Cover, _ keypoints: [Int]
  ) -> Part {
    let middle = (from + to) / 2
    let half = (to - from) / 2
    let reach = SIMD2(abs(half.x), abs(half.y)) + max(radii.0, radii.1)
    return Part(form: .capsule(-half, half, radii: radii), place: middle, reach: reach, cover: cover, keypoints: keypoints)
  }

  private static func disc(_ at: SIMD2<Double>, _ axes: SIMD2<Double>, turn: Double = 0, _ cover: Cover, _ keypoints: [Int]) -> Part {
    Part(form: .ellipse(axes), place: at, turn: turn, reach: SIMD2(repeating: axes.max()), cover: cover, keypoints: keypoints)
  }

  /// Upper arm, forearm and hand.
  private mutating func arm(_ side: Side, _ build: Build, _ lean: Double, _ liveliness: Double, _ random: inout Random) -> [Part] {
    let k = side.offset
    // From hanging down to raised; a foreshortened limb points to the viewer.
    let raise = 0.15 + liveliness * (random.chance(0.3) ? random.uniform(0.9, 2.7) : random.uniform(-0.25, 0.9))
    let bend = liveliness * random.uniform(-0.3, 1.9)
    let down = Figure.direction(lean - side.sign * raise, from: SIMD2(0, 1))
    let elbow = keypoints[Joint.shoulder + k] + down * (build.upperArm * foreshortening(liveliness, &random))
    let outward = random.chance(0.5) ? 1.0 : -1.0
    let forward = Figure.direction(outward * side.sign * bend, from: down)
    let wrist = elbow + forward * (build.forearm * foreshortening(liveliness, &random))
    keypoints[Joint.elbow + k] = elbow
    keypoints[Joint.wrist + k] = wrist
    let g = build.girth
    return [
      Figure.limb(wrist + forward * 0.012, wrist + forward * 0.038, (0.021 * g, 0.019 * g), .skin, [Joint.wrist + k]),
      Figure.limb(elbow, wrist, (0.027 * g, 0.02 * g), .sleeve, [Joint.elbow + k, Joint.wrist + k]),
      Figure.limb(keypoints[Joint.shoulder + k], elbow, (0.036 * g, 0.028 * g), .shirt, [Joint.shoulder + k, Joint.elbow + k]),
    ]
  }

  /// Thigh, shin and shoe.
  private mutating func leg(_ side: Side, _ build: Build, _ liveliness: Double, _ random: inout Random) -> [Part] {
    let k = side.offset
    let spread = 0.06 + liveliness * random.uniform(-0.15, random.chance(0.25) ? 1.2 : 0.45)
    let bend = liveliness * random.uniform(-0.15, 1) * (random.chance(0.3) ? 1.3 : 0.4)
    let down = Figure.direction(-side.sign * spread, from: SIMD2(0, 1))
    let knee = keypoints[Joint.hip + k] + down * (build.thigh * foreshortening(liveliness, &random))
    let lower = Figure.direction(side.sign * bend, from: down)
    let ankle = knee + lower * (build.shin * foreshortening(liveliness, &random))
    keypoints[Joint.knee + k] = knee
    keypoints[Joint.ankle + k] = ankle
    let g = build.girth
    let toe = ankle + lower * 0.02 + SIMD2(side.sign * 0.03, 0.012)
    return [
      Figure.limb(ankle + lower * 0.012, toe, (0.023 * g, 0.018 * g), .shoe, [Joint.ankle + k]),
      Figure.limb(knee, ankle, (0.038 * g, 0.025 * g), .leg, [Joint.knee + k, Joint.ankle + k]),
      Figure.limb(keypoints[Joint.hip + k], knee, (0.055 * g, 0.04 * g), .trousers, [Joint.hip + k, Joint.knee + k]),
    ]
  }

  private func foreshortening(_ liveliness: Double, _ random: inout Random) -> Double {
    random.chance(0.25) ? 1 - liveliness * random.uniform(0, 0.5) : 1 - liveliness * random.uniform(0, 0.12)
  }

  private func torso(_ build: Build) -> Part {
    let corners = [5, 11, 12, 6].map { keypoints[$0] }
    let center = corners.reduce(SIMD2(0, 0), +) / 4
    let rounding = 0.034 * build.girth
    let local = corners.map { $0 - center }
    let reach = local.reduce(SIMD2(0, 0)) { SIMD2(max($0.x, abs($1.x)), max($0.y, abs($1.y))) } + rounding
    return Part(form: .polygon(local, rounding: rounding), place: center, reach: reach, cover: .shirt, keypoints: [5, 6, 11, 12])
  }

  /// Neck, ears, head, hair, eyes, nose and mouth; the head is a cylinder on whose front the face turns.
  private mutating func head(
    _ neck: SIMD2<Double>, _ up: SIMD2<Double>, _ build: Build, _ yaw: Double, _ lean: Double, _ random: inout Random
  ) {
    let size = build.head
    let roll = lean + 0.18 * random.normal().clamped(to: -2...2)
    let turn = yaw + 0.25 * random.normal().clamped(to: -2...2)
    let upward = Figure.direction(roll, from: SIMD2(0, -1))
    let sideward = Figure.direction(roll, from: SIMD2(1, 0))
    let center = neck + up * build.neck + upward * size
    let half = size * 0.76
    /// A point of the face: its angle on the cylinder, and its height in half heads.
    func point(_ angle: Double, _ height: Double, _ protrusion: Double = 1) -> SIMD2<Double> {
      center + sideward * (half * protrusion * sin(angle + turn)) + upward * (height * size)
    }
    keypoints[Joint.nose] = point(0, -0.12, 1.12)
    for side in Side.both {
      keypoints[Joint.eye + side.offset] = point(side.sign * 0.5, 0.16)
      keypoints[Joint.ear + side.offset] = point(side.sign * 1.5, 0.02, 1.02)
    }
    let ears = Side.both.map { side in
      (depth: cos(side.sign * 1.5 + turn),
       part: Figure.disc(keypoints[Joint.ear + side.offset], SIMD2(size * 0.17, size * 0.27), turn: roll, .skin, [Joint.ear + side.offset]))
    }
    parts.append(Figure.limb(neck, center, (0.03 * build.girth, 0.03 * build.girth), .skin, []))
    parts += ears.filter { $0.depth <= 0.1 }.map(\.part)
    // Hair: a larger disc behind the face.
    parts.append(Figure.disc(center + upward * (size * 0.16), SIMD2(half * 1.1, size * 0.98), turn: roll, .hair, []))
    let face = [Joint.nose, Joint.eye, Joint.eye + 1]
    parts.append(Figure.disc(center - upward * (size * 0.08), SIMD2(half, size * 0.9), turn: roll, .skin, face))
    parts += ears.filter { $0.depth > 0.1 }.map(\.part)
    for side in Side.both where cos(side.sign * 0.5 + turn) > 0 {
      let eye = Joint.eye + side.offset
      parts.append(Figure.disc(keypoints[eye], SIMD2(size * 0.17, size * 0.12), turn: roll, .eye, [eye]))
    }
    parts.append(Figure.disc(keypoints[Joint.nose], SIMD2(size * 0.11, size * 0.2), turn: roll, .lip, [Joint.nose]))
    parts.append(Figure.disc(point(0, -0.5), SIMD2(size * 0.24 * max(0.4, cos(turn)), size * 0.07), turn: roll, .lip, []))
  }

  /// The box around all parts.
  var bounds: (low: SIMD2<Double>, high: SIMD2<Double>) {
    parts.reduce((SIMD2(repeating: .infinity), SIMD2(repeating: -.infinity))) { box, part in
      (pointwiseMin(box.0, part.place - part.reach), pointwiseMax(box.1, part.place + part.reach))
    }
  }
}
