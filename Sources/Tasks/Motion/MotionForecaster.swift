import Base
import Models
import Networks
import Tensors
import Vision

/// The boxes of tracks as a motion network sees them: observed ones, and its own predictions where there is none.
struct BoxRollout {
  /// The latest box of each track: seen or predicted.
  private(set) var boxes: [BoundingBox]
  private let scale: Double

  /// - Parameter boxes: the first ones.
  init(_ boxes: [BoundingBox], _ config: MotionLSTM.Config) {
    self.boxes = boxes
    scale = config.scale
  }

  /// Moves on by a frame.
  /// - Parameters:
  ///   - observed: the boxes of this frame; nil where there is none.
  ///   - predicted: the network's output for it, `[n, 4]`; nil: nothing was predicted, and what is not seen stays where it is.
  /// - Returns: the displacements into this frame as the network takes them, `[n, 4]`.
  mutating func advance(_ observed: [BoundingBox?], predicted: Tensor?) -> Tensor {
    let moves = predicted.map(displacements)
    var values: [Float] = []
    for track in boxes.indices {
      var move = moves?[track] ?? BoxDisplacement(SIMD4(repeating: 0))
      if let box = observed[track] { move = BoxDisplacement(from: boxes[track], to: box) }
      boxes[track] = observed[track] ?? boxes[track].moved(by: move)
      for k in 0..<4 { values.append(Float(move.values[k] * scale)) }
    }
    return Tensor(values, shape: [boxes.count, 4])
  }

  /// Outputs of the network, `[n, 4]`, as displacements.
  func displacements(_ outputs: Tensor) -> [BoxDisplacement] {
    let values = outputs.floats
    return (0..<outputs.shape[0]).map { row in
      BoxDisplacement(SIMD4((0..<4).map { Double(values[4 * row + $0]) }) / scale)
    }
  }
}

/// Where the boxes of tracks go next, by a trained network.
public struct MotionForecaster {
  private let network: MotionLSTM
  /// Frames of a track that count, the latest ones.
  public let history: Int

  public init(_ network: MotionLSTM, history: Int) {
    require(history >= 1, "MotionForecaster: a history of \(history) frames")
    self.network = network
    self.history = history
  }

  /// The boxes of the next frames.
  /// - Parameters:
  ///   - histories: of each track the boxes frame by frame, the latest last; nil where it was not seen. The first one that counts is there.
  ///   - count: frames to look ahead, at least 1.
  /// - Returns: `count` boxes for each track. A track of a single box stays where it is.
  public func boxes(after histories: [[BoundingBox?]], frames count: Int = 1) -> [[BoundingBox]] {
    var result = [[BoundingBox]](repeating: [], count: histories.count)
    let cut = histories.map { history -> [BoundingBox?] in
      let latest = Array(history.suffix(self.history + 1).drop { $0 == nil })
      require(!latest.isEmpty, "MotionForecaster: a track without a box in its last \(self.history + 1) frames")
      return latest
    }
    // Tracks of one length go through the network together.
    for (length, tracks) in Dictionary(grouping: cut.indices, by: { cut[$0].count }).sorted(by: { $0.key < $1.key }) {
      for (track, boxes) in zip(tracks, forecast(tracks.map { cut[$0] }, length: length, count: count)) { result[track] = boxes }
    }
    return result
  }

  private func forecast(_ tracks: [[BoundingBox?]], length: Int, count: Int) -> [[BoundingBox]] {
    guard length > 1 else { return tracks.map { Array(repeating: $0[0] ?? BoundingBox(x: 0, y: 0, width: 1, height: 1), count: count) } }
    var rollout = BoxRollout(tracks.compactMap { $0[0] }, network.config)
    var found = [[BoundingBox]](repeating: [], count: tracks.count)
    noGradient {
      _ = network(frames: length - 1 + count, Pass(.evaluation)) { frame, predicted in
        let isAhead = frame >= length - 1
        let step = rollout.advance(tracks.map { isAhead ? nil : $0[frame + 1] }, predicted: predicted)
        if isAhead { for track in tracks.indices { found[track].append(rollout.boxes[track]) } }
        return step
      }
    }
    return found
  }
}
