import Base
import Foundation

/// A person who walks or stands, seen from the side, with clothes of its own: layers whose places follow from the gait.
///
/// Lengths are shares of the person's height; x forward, y down, (0, 0) at the hip. Parts are painted once, at the size that is asked for;
/// a frame only moves them.
struct Walker: Sendable {
  /// How a person moves at a moment.
  struct Gait: Sendable {
    /// Of the step, radians; one turn is two steps.
    var phase = 0.0
    /// 0 stands, 1 walks.
    var vigour = 1.0
    /// 1 walks to the right, -1 to the left.
    var heading = 1.0
  }

  private enum Limb: Sendable { case trunk, thigh, shin, shoe, upperArm, forearm, hand }

  /// A part of the body before it is painted, in the coordinates of its joint: limbs hang down from there.
  private struct Piece {
    let limb: Limb
    var isFar = false
    let form: Outline.Form
    var place = SIMD2<Double>(0, 0)
    /// Half the width and height of the rectangle around the form's origin that holds it.
    let reach: SIMD2<Double>
    let cover: Figure.Cover
    /// A colour of its own; nil: that of the cover.
    var tone: SIMD3<Float>?
  }

  private struct Segment: Sendable {
    let limb: Limb
    let isFar: Bool
    /// Around the joint, px at the reference size.
    let layer: SceneLayer
  }

  private struct Build: Sendable {
    let torso, thigh, shin, upperArm, forearm, girth: Double

    init(_ random: inout Random) {
      func about(_ length: Double, _ spread: Double = 0.05) -> Double { length * exp(spread * random.normal().clamped(to: -2...2)) }
      (torso, thigh, shin) = (about(0.29), about(0.235), about(0.225))
      (upperArm, forearm, girth) = (about(0.165), about(0.145), about(1.15, 0.14))
    }
  }

  private let build: Build
  private let segments: [Segment]
  /// Height of the person at which the parts were painted, px.
  let size: Double

  /// Length of a stride, two steps, in heights.
  static let stride = 0.88
  /// Width of a person in heights, about.
  static let breadth = 0.36

  /// - Parameters:
  ///   - size: height of the person, px.
  ///   - wardrobe: its clothes.
  init(size: Double, _ wardrobe: Wardrobe, _ random: inout Random) {
    let build = Build(&random)
    let accessory = Wardrobe.cloth(&random)
    let (hasPack, hasHat, hasCoat) = (random.chance(0.35), random.chance(0.25), random.chance(0.3))
    var pieces = Self.arm(build, isFar: true) + Self.leg(build, isFar: true) + Self.leg(build, isFar: false)
    if hasPack { pieces.append(Self.disc(SIMD2(0.055, 0.1), at: SIMD2(-0.085 * build.girth, -0.2), .shirt, accessory)) }
    if hasCoat { pieces.append(Self.coat(build)) }
    pieces.append(Self.torso(build))
    pieces += Self.head(build)
    if hasHat { pieces.append(Self.disc(SIMD2(0.078, 0.035), at: SIMD2(0.012, -build.torso - 0.178), .hair, accessory)) }
    pieces += Self.arm(build, isFar: false)
    self.size = size
    self.build = build
    segments = pieces.map { Self.painted($0, size, wardrobe) }
  }

  private static func painted(_ piece: Piece, _ size: Double, _ wardrobe: Wardrobe) -> Segment {
    let part = Figure.Part(form: piece.form, place: piece.place, reach: piece.reach, cover: piece.cover, keypoints: [])
    var object = SceneObject(
      outline: part.outline(scale: size), family: piece.tone == nil ? wardrobe.family(piece.cover) : .smooth, exponent: wardrobe.exponent)
    // What is farther is darker, so that legs can be told apart.
    object.tone = (piece.tone ?? wardrobe.tone(piece.cover)) * (piece.isFar ? 0.75 : 1)
    object.shadeShare = 0
    // Parts of one cover begin with the same numbers, and so have the same texture.
    var source = wardrobe.source(piece.cover)
    let layer = object.layer(placement: .shift(piece.place * size), motion: .identity, &source)
    return Segment(limb: piece.limb, isFar: piece.isFar, layer: layer)
  }

  // MARK: Parts

  private static func limb(
    _ limb: Limb, _ isFar: Bool, to end: SIMD2<Double>, _ radii: (Double, Double), _ cover: Figure.Cover
  ) -> Piece {
    let reach = SIMD2(abs(end.x), abs(end.y)) / 2 + max(radii.0, radii.1)
    return Piece(limb: limb, isFar: isFar, form: .capsule(-end / 2, end / 2, radii: radii), place: end / 2, reach: reach, cover: cover)
  }

  private static func disc(_ axes: SIMD2<Double>, at place: SIMD2<Double>, _ cover: Figure.Cover, _ tone: SIMD3<Float>? = nil) -> Piece {
    Piece(limb: .trunk, form: .ellipse(axes), place: place, reach: SIMD2(repeating: axes.max()), cover: cover, tone: tone)
  }

  private static func arm(_ build: Build, isFar: Bool) -> [Piece] {
    let g = build.girth
    return [
      limb(.hand, isFar, to: SIMD2(0.004, 0.03), (0.021 * g, 0.018 * g), .skin),
      limb(.forearm, isFar, to: SIMD2(0, build.forearm), (0.028 * g, 0.021 * g), .sleeve),
      limb(.upperArm, isFar, to: SIMD2(0, build.upperArm), (0.038 * g, 0.029 * g), .shirt),
    ]
  }

  private static func leg(_ build: Build, isFar: Bool) -> [Piece] {
    let g = build.girth
    return [
      limb(.shoe, isFar, to: SIMD2(0.055, 0.008), (0.026 * g, 0.02 * g), .shoe),
      limb(.shin, isFar, to: SIMD2(0, build.shin), (0.041 * g, 0.027 * g), .leg),
      limb(.thigh, isFar, to: SIMD2(0, build.thigh), (0.058 * g, 0.043 * g), .trousers),
    ]
  }

  private static func torso(_ build: Build) -> Piece {
    let half = 0.05 * build.girth
    let corners = [SIMD2(-half, -build.torso + 0.02), SIMD2(half, -build.torso + 0.03), SIMD2(half * 1.1, 0), SIMD2(-half * 0.9, 0.01)]
    let middle = SIMD2(0, -build.torso / 2)
    let rounding = 0.035 * build.girth
    return Piece(
      limb: .trunk, form: .polygon(corners.map { $0 - middle }, rounding: rounding), place: middle,
      reach: SIMD2(half * 1.1, build.torso / 2 + 0.01) + rounding, cover: .shirt)
  }

  private static func coat(_ build: Build) -> Piece {
    let half = 0.075 * build.girth
    let corners = [SIMD2(-half, -0.1), SIMD2(half, -0.1), SIMD2(half * 1.2, 0.1), SIMD2(-half * 1.2, 0.1)]
    return Piece(
      limb: .trunk, form: .polygon(corners, rounding: 0.02), place: SIMD2(0, 0.06), reach: SIMD2(half * 1.2, 0.1) + 0.02, cover: .shirt)
  }

  /// Neck, hair, face and nose in profile.
  private static func head(_ build: Build) -> [Piece] {
    let top = -build.torso
    let neck = SIMD2(0.008, 0.05)
    return [
      Piece(limb: .trunk, form: .capsule(-neck / 2, neck / 2, radii: (0.03, 0.03)), place: SIMD2(0.005, top - 0.02),
            reach: neck / 2 + 0.03, cover: .skin),
      disc(SIMD2(0.062, 0.076), at: SIMD2(-0.006, top - 0.125), .hair),
      disc(SIMD2(0.05, 0.068), at: SIMD2(0.018, top - 0.112), .skin),
      disc(SIMD2(0.014, 0.012), at: SIMD2(0.07, top - 0.105), .skin),
    ]
  }

  // MARK: Gait

  private struct Angles {
    let thigh, shin, upperArm, forearm: Double
  }

  /// Directions of a side's limbs from straight down, radians, forward above 0.
  private static func angles(_ gait: Gait, isFar: Bool) -> Angles {
    let swing = gait.phase + (isFar ? .pi : 0)
    let thigh = 0.04 + 0.5 * gait.vigour * sin(swing)
    // The knee bends while the leg swings forward.
    let knee = 0.05 + 0.9 * gait.vigour * max(0, cos(swing + 0.25))
    let upperArm = -0.5 * gait.vigour * sin(swing)
    return Angles(thigh: thigh, shin: thigh - knee, upperArm: upperArm, forearm: upperArm + 0.12 + 0.4 * gait.vigour)
  }

  /// The vector of a length in a direction from straight down.
  private static func vector(_ angle: Double, _ length: Double) -> SIMD2<Double> { SIMD2(sin(angle), cos(angle)) * length }

  /// The layers at a moment, from back to front.
  /// - Parameters:
  ///   - foot: where the person stands, px.
  ///   - height: of the person, px.
  func layers(foot: SIMD2<Double>, height: Double, _ gait: Gait) -> [SceneLayer] {
    let sides = [Self.angles(gait, isFar: false), Self.angles(gait, isFar: true)]
    // The lower foot touches the ground.
    let leg = sides.map { (Self.vector($0.thigh, build.thigh) + Self.vector($0.shin, build.shin)).y }.max() ?? 0
    let hip = foot - SIMD2(0, (leg + 0.028) * height)
    let zoom = height / size
    let body = Homography(a: SIMD2(zoom * gait.heading, 0), b: SIMD2(0, zoom), t: hip)
    let lean = 0.05 * gait.vigour
    return segments.map { segment in
      let joint = joint(segment.limb, sides[segment.isFar ? 1 : 0], isFar: segment.isFar, lean: lean)
      var layer = segment.layer
      let turned = Homography.about(SIMD2(0, 0), rotation: -joint.angle, zoom: 1, shift: joint.place * size)
      layer.placement = body.after(turned).after(layer.placement)
      return layer
    }
  }

  /// The place of a limb's upper end, and its direction from straight down.
  private func joint(_ limb: Limb, _ angles: Angles, isFar: Bool, lean: Double) -> (place: SIMD2<Double>, angle: Double) {
    let hip = SIMD2(isFar ? 0.012 : -0.008, 0)
    let shoulder = SIMD2(isFar ? 0.02 : -0.012, 0) + Self.vector(-lean, -(build.torso - 0.035))
    let knee = hip + Self.vector(angles.thigh, build.thigh)
    let elbow = shoulder + Self.vector(angles.upperArm, build.upperArm)
    return switch limb {
    case .trunk: (SIMD2(0, 0), -lean)
    case .thigh: (hip, angles.thigh)
    case .shin: (knee, angles.shin)
    case .shoe: (knee + Self.vector(angles.shin, build.shin), angles.shin * 0.6)
    case .upperArm: (shoulder, angles.upperArm)
    case .forearm: (elbow, angles.forearm)
    case .hand: (elbow + Self.vector(angles.forearm, build.forearm), angles.forearm)
    }
  }
}
