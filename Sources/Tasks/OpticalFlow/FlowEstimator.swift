import Base
import Data
import Models
import Networks
import Tensors
import Vision

/// A trained network as a function of two images of any size.
struct FlowEstimator {
  let model: RAFT
  let iterations: Int
  let padding: Padding.Mode

  init(_ model: RAFT, _ inference: FlowInferenceSettings) {
    self.model = model
    iterations = inference.iterations
    padding = inference.padding
  }

  /// The network's result for one pair.
  struct Estimate {
    /// The flow from image 1 to image 2 after each update, or after the last one only; pixels.
    let flows: [FlowField]
    /// The last field before it was upsampled, in cells of the padded picture.
    let coarseFlow: FlowField

    var flow: FlowField { flows[flows.count - 1] }
  }

  /// The flow from `image1` to `image2`. Images are padded to what the network needs by repeating their border.
  /// - Parameters:
  ///   - start: the coarse field to start from, for images of this size; `nil`: at rest.
  ///   - keepsUpdates: give the flow after every update.
  func callAsFunction(_ image1: Image, _ image2: Image, from start: FlowField? = nil, keepsUpdates: Bool = false) -> Estimate {
    let padding = Padding(height: image1.height, width: image1.width, multiple: RAFT.stride, minimum: model.minimumSize, mode: padding)
    let initialFlow = start.map { Tensor($0.vectors, shape: [1, $0.height, $0.width, 2]) }
    let estimate = noGradient {
      model(Self.tensor(padding.pad(image1)), Self.tensor(padding.pad(image2)), iterations: iterations, initialFlow: initialFlow,
            upsamplesAll: keepsUpdates, .evaluation)
    }
    return Estimate(flows: estimate.flows.map { padding.crop(Self.field($0)) }, coarseFlow: Self.field(estimate.coarseFlow))
  }

  private static func tensor(_ image: Image) -> Tensor {
    Tensor(image.pixels.map(Float.init), shape: [1, image.height, image.width, image.channels])
  }

  /// - Shape: `[1, h, w, 2]`.
  private static func field(_ flow: Tensor) -> FlowField {
    let (_, h, w, _) = flow.shape4
    return FlowField(height: h, width: w, vectors: flow.floats)
  }
}
