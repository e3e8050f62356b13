import Base
import Foundation

/// The way of a person through a sequence: walking, stopping, turning, leaving and coming back.
struct Journey: Sendable {
  /// Where and how a person is at a moment.
  struct Moment: Sendable {
    /// Where it stands, px of a camera at rest.
    var foot: SIMD2<Double>
    var gait: Walker.Gait
  }

  /// The ground on which everybody walks.
  struct Ground: Sendable {
    /// Between these every place is seen at some time, px.
    let left: Double
    let right: Double
    /// Of feet, px: the farthest and the nearest.
    let far: Double
    let near: Double
    let horizon: Double
    /// Height of a person at the nearest place, px.
    let size: Double

    /// Height of a person of mean height who stands at `y`, px.
    func height(at y: Double) -> Double { size * (y - horizon) / (near - horizon) }
  }

  /// One for each frame.
  let moments: [Moment]
  /// Height of the person, beside the mean.
  let stature: Double

  /// The speed and the next decisions of a person.
  private struct Will {
    /// Heights a frame.
    var speed = 0.0
    /// Part of the speed that goes into the depth.
    var slope = 0.0
    /// Frames to stand still.
    var pause = 0
    var turnsAfterPause = false
    /// Frames to stay outside; nil: for ever.
    var absence: Int?
    var isAway = false
  }

  init(_ settings: TrackingSynthesis, _ ground: Ground, _ random: inout Random) {
    stature = exp(0.06 * random.normal().clamped(to: -2...2))
    let span = ground.right - ground.left
    let isInside = random.chance(0.65)
    let x = isInside ? random.uniform(ground.left, ground.right) : random.uniform(-0.35, 1.35) * span + ground.left
    var now = Moment(foot: SIMD2(x, random.uniform(ground.far, ground.near)), gait: Walker.Gait())
    now.gait.phase = random.uniform(0, 2 * .pi)
    now.gait.heading = random.chance(0.5) ? 1 : -1
    if x < ground.left { now.gait.heading = 1 }
    if x > ground.right { now.gait.heading = -1 }
    var will = Will()
    will.speed = settings.speed / settings.frameRate * exp(0.25 * random.normal().clamped(to: -2...2))
    will.slope = random.uniform(-0.25, 0.25)
    var moments: [Moment] = []
    for _ in 0..<settings.frames {
      moments.append(now)
      Self.decide(&will, &now, settings, ground, &random)
      Self.move(&now, &will, ground, stature)
    }
    self.moments = moments
  }

  /// A person who stands at one place.
  init(standingAt foot: SIMD2<Double>, frames: Int, stature: Double, heading: Double) {
    self.stature = stature
    moments = Array(repeating: Moment(foot: foot, gait: Walker.Gait(phase: 0, vigour: 0, heading: heading)), count: frames)
  }

  private static func decide(
    _ will: inout Will, _ now: inout Moment, _ settings: TrackingSynthesis, _ ground: Ground, _ random: inout Random
  ) {
    let rate = 60 * settings.frameRate
    let (stops, turns, drifts) = (random.chance(settings.stops / rate), random.chance(settings.turns / rate), random.chance(20 / rate))
    let (length, slope) = (random.uniform(0.4, 2.5), random.uniform(-0.3, 0.3))
    if will.isAway {
      guard let rest = will.absence else { return }
      will.absence = rest - 1
      guard rest <= 0 else { return }
      will.isAway = false
      return
    }
    if will.pause > 0 {
      will.pause -= 1
      if will.pause == 0, will.turnsAfterPause {
        now.gait.heading = -now.gait.heading
        will.turnsAfterPause = false
      }
      return
    }
    if drifts { will.slope = slope }
    if stops || turns {
      will.pause = max(3, Int(length * (turns ? 0.3 : 1) * settings.frameRate))
      will.turnsAfterPause = turns
    }
    let margin = 0.4 * ground.height(at: now.foot.y)
    let isOutside = now.gait.heading > 0 ? now.foot.x > ground.right + margin : now.foot.x < ground.left - margin
    guard isOutside else { return }
    now.gait.heading = -now.gait.heading
    will.isAway = true
    will.absence = random.chance(settings.returnShare) ? random.integer(in: settings.absence / 3..<settings.absence + 1) : nil
    now.foot.y = random.uniform(ground.far, ground.near)
  }

  private static func move(_ now: inout Moment, _ will: inout Will, _ ground: Ground, _ stature: Double) {
    let target = will.pause > 0 || will.isAway ? 0.0 : 1
    now.gait.vigour += (target - now.gait.vigour).clamped(to: -0.2...0.2)
    let step = will.speed * now.gait.vigour
    let height = ground.height(at: now.foot.y) * stature
    now.gait.phase += 2 * .pi * step / Walker.stride
    now.foot.x += now.gait.heading * step * height
    now.foot.y += will.slope * step * height
    if now.foot.y < ground.far || now.foot.y > ground.near { will.slope = -will.slope }
    now.foot.y = now.foot.y.clamped(to: ground.far...ground.near)
  }
}
