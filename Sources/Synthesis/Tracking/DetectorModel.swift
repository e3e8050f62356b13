import Base
import Foundation
import Vision

/// A detector that misses, errs and is not exact: noisy boxes of a sequence from its truth.
///
/// Misses of a person come in rows, and grow with the hidden share; false boxes come anywhere, or again and again at one place. What a
/// person is hidden by and who it is has no part in it.
struct DetectorModel {
  private let settings: TrackingSynthesis
  private var random: Random
  /// Frames for which a person goes on being missed, by id.
  private var isMissed: [Int: Bool] = [:]
  /// Places that are taken for a person again and again.
  private let ghosts: [BoundingBox]
  private let frame: BoundingBox

  init(_ settings: TrackingSynthesis, _ random: Random) {
    self.settings = settings
    var source = random
    frame = BoundingBox(x: 0, y: 0, width: Double(settings.width), height: Double(settings.height))
    ghosts = (0..<3).map { _ in Self.falseBox(settings, &source) }
    self.random = source
  }

  private static func falseBox(_ settings: TrackingSynthesis, _ random: inout Random) -> BoundingBox {
    let height = settings.size * Double(settings.height) * random.uniform(0.45, 1.1)
    let width = height * random.uniform(0.25, 0.5)
    return BoundingBox(
      x: random.uniform(0, Double(settings.width)) - width / 2, y: random.uniform(0.3, 0.95) * Double(settings.height) - height / 2,
      width: width, height: height)
  }

  /// The boxes of the next frame, pixels from 0, cut off at the frame.
  mutating func detections(_ truth: [TruthBox]) -> [DetectedBox] {
    var found: [DetectedBox] = []
    for person in truth where [.pedestrian, .staticPerson, .distractor].contains(person.category) {
      // Every person takes the same count of random numbers, whatever becomes of it.
      let (chance, luck) = (random.uniform(), random.uniform())
      let noise = (0..<5).map { _ in random.normal().clamped(to: -3...3) }
      let isMissed = isMissed(person.id, chance)
      let least = settings.leastVisibleShare
      let isSeen = luck * max(least, 0.05) < person.visibility - least
      guard !isMissed, isSeen, let box = seen(person.box, noise) else { continue }
      let score = 0.3 + 0.6 * person.visibility + 0.08 * noise[4]
      found.append(DetectedBox(box, score: score.clamped(to: 0.05...0.999)))
    }
    for _ in 0..<falseCount() {
      let isGhost = random.chance(0.5)
      let ghost = ghosts[random.integer(in: 0..<ghosts.count)]
      let other = Self.falseBox(settings, &random)
      let noise = (0..<5).map { _ in random.normal().clamped(to: -3...3) }
      guard let box = seen(isGhost ? ghost : other, noise) else { continue }
      found.append(DetectedBox(box, score: (0.4 + 0.13 * noise[4]).clamped(to: 0.05...0.95)))
    }
    return found
  }

  /// A chain of two states, whose share of misses is `missRate`, and whose misses last `missLength` frames on average.
  private mutating func isMissed(_ id: Int, _ chance: Double) -> Bool {
    let end = 1 / settings.missLength
    let begin = min(1, settings.missRate * end / (1 - settings.missRate))
    let next = switch isMissed[id] {
    case true?: chance >= end
    case false?: chance < begin
    case nil: chance < settings.missRate
    }
    isMissed[id] = next
    return next
  }

  /// A count with the mean `falseRate`, Poisson-distributed.
  private mutating func falseCount() -> Int {
    let limit = exp(-settings.falseRate)
    var count = 0
    var product = random.uniform()
    while product > limit, count < 1000 {
      product *= random.uniform()
      count += 1
    }
    return count
  }

  /// The part of a box in the frame, with errors of place and size; nil if nothing of it is left.
  private func seen(_ box: BoundingBox, _ noise: [Double]) -> BoundingBox? {
    let jitter = settings.jitter
    let size = SIMD2(box.width * exp(jitter * noise[2]), box.height * exp(jitter * noise[3]))
    let middle = SIMD2(box.x + box.width / 2 + jitter * noise[0] * box.width, box.y + box.height / 2 + jitter * noise[1] * box.height)
    let (low, high) = (middle - size / 2, middle + size / 2)
    let cut = BoundingBox(x0: max(0, low.x), y0: max(0, low.y), x1: min(frame.width, high.x), y1: min(frame.height, high.y))
    return cut.width >= 2 && cut.height >= 2 ? cut : nil
  }
}
