import Base
import Foundation

/// A simple face from the front: symmetrical, with hair, neck and shoulders.
struct Face {
  private let surfaces: FlowSynthesis
  /// Of the frame, px.
  private let size: SIMD2<Double>
  /// Half the height of the head, px.
  private let radius: Double
  /// The middle of the head.
  private let center: SIMD2<Double>
  /// Radians.
  private let lean: Double
  private let wardrobe: Wardrobe

  init(_ surfaces: FlowSynthesis, _ random: inout Random) {
    self.surfaces = surfaces
    size = SIMD2(Double(surfaces.width), Double(surfaces.height))
    radius = size.min() * random.uniform(0.26, 0.36)
    center = size * SIMD2(random.uniform(0.44, 0.56), random.uniform(0.42, 0.52))
    lean = 0.08 * random.normal()
    wardrobe = Wardrobe(&random)
  }

  /// Proportions, in radii of the head.
  private struct Features {
    let width, eyeWidth, eyeHeight, eyeDistance, eyeLevel, browLift, noseLength, mouthWidth, mouthLevel, smile: Double
    let hairForm: Int

    init(_ random: inout Random) {
      width = random.uniform(0.7, 0.82)
      (eyeWidth, eyeHeight) = (random.uniform(0.13, 0.17), random.uniform(0.07, 0.1))
      (eyeDistance, eyeLevel) = (random.uniform(0.27, 0.34), random.uniform(-0.18, -0.05))
      (browLift, noseLength) = (random.uniform(0.15, 0.22), random.uniform(0.28, 0.4))
      (mouthWidth, mouthLevel, smile) = (random.uniform(0.2, 0.32), random.uniform(0.48, 0.6), random.uniform(-0.04, 0.1))
      hairForm = random.integer(in: 0..<3)
    }
  }

  /// From back to front.
  func layers(_ random: inout Random) -> [SceneLayer] {
    let features = Features(&random)
    let families: [(TextureFamily, Double)] = [(.smooth, 0.6), (.noise, 0.15), (.stripes, 0.15), (.patches, 0.1)]
    let space = Space(surfaces, zoom: 1, center: SIMD2(0.5, 0.5), angle: 0)
    var layers = [space.backdrop(FlowSynthesis.draw(from: families, otherwise: .smooth, &random), .any, &random)]
    layers += body(features, &random) + head(features, &random) + eyes(features, &random)
    return layers + middle(features, &random)
  }

  /// A part of the face.
  /// - Parameters:
  ///   - outline: in radii of the head.
  ///   - offset: of its origin from the middle of the head.
  ///   - tone: nil: that of the cover.
  private func part(
    _ outline: Outline, at offset: SIMD2<Double>, _ cover: Figure.Cover, tone: SIMD3<Float>? = nil, light: Float = 1, _ random: inout Random
  ) -> SceneLayer {
    var object = SceneObject(outline: outline, family: wardrobe.family(cover), exponent: wardrobe.exponent)
    object.isRound = false
    object.shadeShare = 0
    object.tone = (tone ?? wardrobe.tone(cover)) * light
    let turn = SIMD2(cos(lean), sin(lean))
    let place = center + SIMD2(turn.x * offset.x - turn.y * offset.y, turn.y * offset.x + turn.x * offset.y) * radius
    return object.layer(placement: .about(SIMD2(0, 0), rotation: lean, zoom: 1, shift: place), motion: .identity, &random)
  }

  private func ellipse(_ x: Double, _ y: Double) -> Outline {
    let axes = SIMD2(x, y) * radius
    return Outline(form: .ellipse(axes), reach: axes)
  }

  private func capsule(_ a: SIMD2<Double>, _ b: SIMD2<Double>, _ first: Double, _ second: Double) -> Outline {
    let reach = SIMD2(max(abs(a.x), abs(b.x)), max(abs(a.y), abs(b.y))) + max(first, second)
    return Outline(form: .capsule(a * radius, b * radius, radii: (first * radius, second * radius)), reach: reach * radius)
  }

  private func body(_ features: Features, _ random: inout Random) -> [SceneLayer] {
    let hair = features.hairForm
    var layers: [SceneLayer] = []
    if hair == 1 { layers.append(part(ellipse(features.width * 1.35, 1.3), at: SIMD2(0, 0.2), .hair, &random)) }
    layers.append(part(.panel(width: 0.6 * radius, height: 0.9 * radius), at: SIMD2(0, 1.1), .skin, light: 0.8, &random))
    return layers + [part(ellipse(1.6, 1.2), at: SIMD2(0, 2.3), .shirt, &random)]
  }

  private func head(_ features: Features, _ random: inout Random) -> [SceneLayer] {
    var layers: [SceneLayer] = []
    for side in [-1.0, 1.0] { layers.append(part(ellipse(0.12, 0.2), at: SIMD2(side * features.width, 0.02), .skin, light: 0.85, &random)) }
    if features.hairForm != 2 {
      layers.append(part(ellipse(features.width * 1.12, 0.85), at: SIMD2(0, -0.3), .hair, &random))
      return layers + [part(ellipse(features.width, 0.9), at: SIMD2(0, 0.1), .skin, &random)]
    }
    return layers + [part(ellipse(features.width, 1), at: SIMD2(0, 0), .skin, &random)]
  }

  private func eyes(_ features: Features, _ random: inout Random) -> [SceneLayer] {
    let irises: [SIMD3<Float>] = [SIMD3(70, 100, 130), SIMD3(80, 55, 35), SIMD3(75, 95, 60)]
    let iris = irises[random.integer(in: 0..<irises.count)]
    let pupil = 0.45 * features.eyeHeight
    let gaze = random.uniform(-0.04, 0.04)
    return [-1.0, 1.0].flatMap { side -> [SceneLayer] in
      let place = SIMD2(side * features.eyeDistance, features.eyeLevel)
      let brow = capsule(SIMD2(side * -0.12, 0.01), SIMD2(side * 0.14, 0.03), 0.035, 0.02)
      return [
        part(ellipse(features.eyeWidth, features.eyeHeight), at: place, .eye, tone: SIMD3(repeating: 232), &random),
        part(ellipse(features.eyeHeight, features.eyeHeight), at: place + SIMD2(gaze, 0), .eye, tone: iris, &random),
        part(ellipse(pupil, pupil), at: place + SIMD2(gaze, 0), .eye, tone: SIMD3(repeating: 15), &random),
        part(brow, at: place - SIMD2(0, features.browLift), .hair, light: 0.8, &random),
      ]
    }
  }

  /// Nose and mouth.
  private func middle(_ features: Features, _ random: inout Random) -> [SceneLayer] {
    let bridge = capsule(SIMD2(0, -features.noseLength / 2), SIMD2(0, features.noseLength / 2), 0.035, 0.08)
    let (half, smile) = (features.mouthWidth, features.smile)
    let lips = [SIMD2(-half, -smile), SIMD2(0, smile), SIMD2(half, -smile)].map { $0 * radius }
    let mouth = Outline(form: .bars([(lips[0], lips[1]), (lips[1], lips[2])], halfWidth: 0.045 * radius),
                        reach: SIMD2(half + 0.1, abs(smile) + 0.1) * radius)
    return [
      part(bridge, at: SIMD2(0, features.eyeLevel + 0.12 + features.noseLength / 2), .skin, light: 0.82, &random),
      part(mouth, at: SIMD2(0, features.mouthLevel), .lip, &random),
    ]
  }
}
