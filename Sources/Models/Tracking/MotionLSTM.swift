import Base
import Networks
import Tensors

/// Recurrent prediction of a box's next displacement from those before it.
///
/// - Shape: `[n, 4]`, displacements times a constant, and the state → the next `[n, 4]`, and the state.
/// - Names: those of PyTorch's LSTM under `lstm`, and `head.weight` `[4, hidden]`, `head.bias`.
/// - Source: Ciaparrone et al. 2020, "Deep learning in video multi-object tracking: a survey", section on motion prediction.
public struct MotionLSTM: PublishedModel {
  public static let title = "the motion network"

  public struct Config: Codable, Sendable, Equatable, ValidatedConfig {
    /// Units of a layer, and layers.
    public var hidden = 64
    public var layers = 1
    /// Displacements are multiplied by this for the network, so that usual ones are about 1.
    public var scale = 10.0

    public init() {}

    public func problems() -> [ConfigProblem] {
      var problems: [ConfigProblem] = []
      problems.require((1...4096).contains(hidden), "hidden", hidden, "1 to 4096")
      problems.require((1...8).contains(layers), "layers", layers, "1 to 8")
      problems.require(scale > 0 && scale <= 10_000, "scale", scale, "above 0, at most 10000")
      return problems
    }
  }

  public let lstm: LSTM
  public let head: Linear
  public let config: Config

  public init(_ config: Config, _ random: inout Random) {
    lstm = LSTM(4, hidden: config.hidden, layers: config.layers, &random)
    head = Linear(config.hidden, 4, &random)
    self.config = config
  }

  /// One frame.
  /// - Parameters:
  ///   - step: the displacement into this frame, `[n, 4]`, times the scale.
  ///   - state: after the frame before; nil: this is the first one.
  /// - Returns: the displacement into the next frame, and the state.
  public func callAsFunction(_ step: Tensor, from state: LSTM.State?, _ pass: Pass) -> (next: Tensor, state: LSTM.State) {
    let (output, state) = lstm(step.reshaped(to: [step.shape[0], 1, 4]), from: state, pass)
    return (head(output.reshaped(to: [step.shape[0], lstm.hidden])), state)
  }

  /// Frames in a row.
  /// - Parameters:
  ///   - count: frames.
  ///   - step: the displacement into a frame, `[n, 4]`, given what was predicted for it, through which no gradient goes; nil before the
  ///     first frame.
  /// - Returns: `[n, count, 4]`, the displacement predicted after each frame.
  public func callAsFunction(frames count: Int, _ pass: Pass, _ step: (_ frame: Int, _ predicted: Tensor?) -> Tensor) -> Tensor {
    var state: LSTM.State?
    var predicted: Tensor?
    var outputs: [Tensor] = []
    for frame in 0..<count {
      let (next, later) = self(step(frame, predicted), from: state, pass)
      outputs.append(next.reshaped(to: [next.shape[0], 1, 4]))
      predicted = next.detached()
      state = later
    }
    return concatenate(outputs, axis: 1)
  }

  /// Frames in a row, of which some displacements are not known: there the network's own prediction takes its place.
  /// - Parameters:
  ///   - steps: `[n, t, 4]`.
  ///   - isKnown: `[n, t]`, 1 or 0.
  /// - Returns: `[n, t, 4]`.
  public func callAsFunction(_ steps: Tensor, isKnown: Tensor, _ pass: Pass) -> Tensor {
    let (n, length, _) = steps.shape3
    return self(frames: length, pass) { frame, predicted in
      let known = isKnown.sliced(1, frame..<frame + 1)  // [n, 1]
      let given = known * steps.sliced(1, frame..<frame + 1).reshaped(to: [n, 4])
      return predicted.map { given + (1 - known) * $0 } ?? given
    }
  }
}
