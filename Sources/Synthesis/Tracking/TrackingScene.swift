import Base
import Foundation
import Vision

/// A generated sequence: who walks where, and its frames with their truth, each rendered when it is asked for.
public struct TrackingScene: Sendable {
  /// A frame with its truth.
  public struct Frame: Sendable {
    /// RGB.
    public let image: Image
    /// All that is at least partly in the frame, by id. Boxes count pixels from 0, and reach beyond the frame.
    public let truth: [TruthBox]
  }

  /// Somebody or something before the background.
  private struct Actor: Sendable {
    let id: Int
    let category: TrackingClass
    let journey: Journey
    let body: Body

    enum Body: Sendable {
      case walker(Walker)
      case thing(SceneLayer)
    }

    /// The layers at a moment, px of a camera at rest.
    func layers(_ frame: Int, _ ground: Journey.Ground) -> [SceneLayer] {
      let moment = journey.moments[frame]
      switch body {
      case .walker(let walker):
        return walker.layers(foot: moment.foot, height: ground.height(at: moment.foot.y) * journey.stature, moment.gait)
      case .thing(let layer): return [layer]
      }
    }
  }

  private let settings: TrackingSynthesis
  private let index: Int
  private let seed: UInt64
  private let ground: Journey.Ground
  private let behind: [SceneLayer]
  private let actors: [Actor]
  /// Shift of the picture, px, frame by frame.
  private let shifts: [SIMD2<Double>]
  private let photographs: [CameraModel]

  init(_ settings: TrackingSynthesis, index: Int, seed: UInt64) {
    self.settings = settings
    self.index = index
    self.seed = seed
    var random = Random(seed: seed, stream: .synthesis, sample: index)
    var surfaces = settings.surfaces
    surfaces.illumination = 0.004
    behind = settings.backdrop.background(surfaces, &random).layers
    shifts = Self.shifts(settings, &random)
    let reach = shifts.map { abs($0.x) }.max() ?? 0
    let (height, width) = (Double(settings.height), Double(settings.width))
    ground = Journey.Ground(
      left: -reach, right: width + reach, far: 0.56 * height, near: 0.98 * height, horizon: height * random.uniform(0.05, 0.22),
      size: settings.size * height)
    let cast = Cast(settings: settings, surfaces: surfaces, ground: ground, index: index, seed: seed)
    actors = cast.people(&random) + cast.distractors(&random) + cast.occluders(&random)
    photographs = surfaces.cameras(index: index, seed: seed, frames: settings.frames)
  }

  public var frameCount: Int { settings.frames }

  /// The camera's turn as a slow swing, and its shaking.
  private static func shifts(_ settings: TrackingSynthesis, _ random: inout Random) -> [SIMD2<Double>] {
    let period = max(40, Double(settings.frames)) * random.uniform(0.5, 1)
    let phase = random.uniform(0, 2 * .pi)
    let most = min(settings.cameraMotion * period / (2 * .pi), 0.18 * Double(settings.width))
    let amplitude = most * random.uniform(0.4, 1)
    var shaking = SIMD2<Double>(0, 0)
    return (0..<settings.frames).map { frame in
      shaking = shaking * 0.7 + SIMD2(random.normal(), random.normal()) * (settings.shake * 0.714)
      return SIMD2(amplitude * sin(2 * .pi * Double(frame) / period + phase), 0) + shaking
    }
  }

  // MARK: Frames

  /// A frame, from 0.
  public func frame(_ number: Int) -> Frame {
    let camera = Homography.shift(shifts[number])
    func moved(_ layers: [SceneLayer]) -> [SceneLayer] {
      layers.map { layer in
        var layer = layer
        layer.placement = camera.after(layer.placement)
        return layer
      }
    }
    // Who stands nearer is drawn later.
    let order = actors.indices.sorted {
      let (a, b) = (actors[$0].journey.moments[number].foot.y, actors[$1].journey.moments[number].foot.y)
      return a == b ? $0 < $1 : a < b
    }
    var layers = moved(behind)
    var places: [(actor: Int, range: Range<Int>)] = []
    for actor in order {
      let own = moved(actors[actor].layers(number, ground))
      guard own.contains(where: isNear) else { continue }
      places.append((actor, layers.count..<layers.count + own.count))
      layers += own
    }
    let frame = FlowScene(height: settings.height, width: settings.width, layers: layers).render(second: false)
    var seen = [Int](repeating: 0, count: layers.count)
    for owner in frame.owners { seen[Int(owner)] += 1 }
    let truth = places.compactMap { place -> TruthBox? in
      guard let silhouette = Silhouette(Array(layers[place.range]), height: settings.height, width: settings.width) else { return nil }
      let actor = actors[place.actor]
      let visible = seen[place.range].reduce(0, +)
      guard silhouette.shareInside >= Self.leastShareInside else { return nil }
      return TruthBox(
        id: actor.id, box: silhouette.box, isEvaluated: actor.category == .pedestrian, category: actor.category,
        visibility: min(1, Double(visible) / Double(silhouette.area)))
    }
    let image = photographs[number].develop(
      frame.colors, height: settings.height, width: settings.width, surfaces.source(.noise, number + 1, index, seed))
    return Frame(image: image, truth: truth.sorted { $0.id < $1.id })
  }

  private var surfaces: FlowSynthesis { settings.surfaces }

  /// Share of the pixels of a person in the frame from which on it is annotated.
  private static let leastShareInside = 0.15

  private func isNear(_ layer: SceneLayer) -> Bool {
    let box = Silhouette.bounds(layer)
    return box.high.x > 0 && box.low.x < Double(settings.width) && box.high.y > 0 && box.low.y < Double(settings.height)
  }
}

extension TrackingScene {
  /// Makes the actors of a sequence; each draws from a source of its own.
  private struct Cast {
    let settings: TrackingSynthesis
    let surfaces: FlowSynthesis
    let ground: Journey.Ground
    let index: Int
    let seed: UInt64

    private func source(_ number: Int) -> Random { surfaces.source(.synthesis, number + 2, index, seed) }

    func people(_ random: inout Random) -> [Actor] {
      let count = random.integer(in: settings.fewestFigures..<settings.mostFigures + 1)
      let fashion = Wardrobe(&random)
      return (0..<count).map { number in
        var own = source(number)
        let journey = Journey(settings, ground, &own)
        let middle = ground.height(at: (ground.far + ground.near) / 2) * journey.stature
        let wardrobe = Wardrobe(&own).closer(to: fashion, by: settings.similarity, &own)
        return Actor(id: number + 1, category: .pedestrian, journey: journey, body: .walker(Walker(size: middle, wardrobe, &own)))
      }
    }

    /// Ids of things are above those of persons.
    private static let thingIDs = 1000

    func distractors(_ random: inout Random) -> [Actor] {
      (0..<settings.distractors).map { number in
        var own = source(Self.thingIDs + number)
        let foot = SIMD2(random.uniform(0.05, 0.95) * Double(settings.width), random.uniform(ground.far, ground.near))
        let height = ground.height(at: foot.y)
        let journey = Journey(
          standingAt: foot, frames: settings.frames, stature: own.uniform(0.9, 1.1), heading: own.chance(0.5) ? 1 : -1)
        let id = Self.thingIDs + number
        if number % 2 == 0 {
          return Actor(id: id, category: .staticPerson, journey: journey, body: .walker(Walker(size: height, Wardrobe(&own), &own)))
        }
        let outline = Outline(form: .ellipse(SIMD2(0.16, 0.48) * height), hole: nil, reach: SIMD2(0.16, 0.48) * height)
        let layer = thing(outline, at: foot - SIMD2(0, 0.48 * height), &own)
        return Actor(id: id, category: .distractor, journey: journey, body: .thing(layer))
      }
    }

    func occluders(_ random: inout Random) -> [Actor] {
      (0..<settings.occluders).map { number in
        let id = Self.thingIDs + 500 + number
        var own = source(id)
        let depth = ground.near + (ground.far - ground.near) * random.uniform(0, 0.4)
        let foot = SIMD2(random.uniform(0.08, 0.92) * Double(settings.width), depth)
        let height = ground.height(at: foot.y)
        // A person of mean speed at this depth is hidden for so many frames.
        let hidden = settings.occlusionLength * settings.speed / settings.frameRate * own.uniform(0.7, 1.3)
        let half = SIMD2(Walker.breadth + hidden, own.uniform(1.15, 1.6)) * (height / 2)
        let outline = Outline.panel(width: 2 * half.x, height: 2 * half.y)
        let journey = Journey(standingAt: foot, frames: settings.frames, stature: 1, heading: 1)
        let layer = thing(outline, at: foot - SIMD2(0, half.y), &own)
        return Actor(id: id, category: .occluder, journey: journey, body: .thing(layer))
      }
    }

    private func thing(_ outline: Outline, at middle: SIMD2<Double>, _ random: inout Random) -> SceneLayer {
      let object = SceneObject(outline: outline, family: surfaces.objectFamily(&random), exponent: surfaces.spectrum(&random))
      return object.layer(placement: .shift(middle), motion: .identity, &random)
    }
  }
}
