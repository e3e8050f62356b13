import Base
import Data
import Tensors
import Vision

/// A piece of a track as a detector would see it.
struct MotionSample: Sendable {
  /// The true boxes, frame by frame.
  let truth: [BoundingBox]
  /// What is seen of them; nil: missed. The first two are there.
  let observed: [BoundingBox?]

  /// - Parameter count: frames that are seen, the first ones; those behind them are to be predicted.
  init(_ truth: [BoundingBox], seen count: Int, _ noise: BoxNoise, _ random: inout Random) {
    self.truth = truth
    let isSeen = [true, true] + noise.seen(max(0, count - 2), &random)
    observed = truth.prefix(count).enumerated().map { frame, box in
      let box = noise.jittered(box, &random)
      return isSeen[frame] ? box : nil
    }
  }

  /// The displacement into the frame behind `frame`: from where the box was seen, or else from where it was.
  func target(after frame: Int) -> BoxDisplacement { BoxDisplacement(from: observed[frame] ?? truth[frame], to: truth[frame + 1]) }
}

extension [MotionSample] {
  /// What the network is to predict after each frame but the first, `[n, t - 1, 4]`, times the scale.
  func targets(scale: Double) -> Tensor {
    let length = (first?.observed.count ?? 1) - 1
    let values = flatMap { sample in
      (1...length).flatMap { frame in
        let target = sample.target(after: frame).values * scale
        return (0..<4).map { Float(target[$0]) }
      }
    }
    return Tensor(values, shape: [count, length, 4])
  }
}
