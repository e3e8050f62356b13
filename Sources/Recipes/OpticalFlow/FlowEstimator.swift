import Data
import Models
import Networks
import Tensors
import Vision

/// A trained network as a function of two images of any size.
struct FlowEstimator {
  let model: RAFT
  let iterations: Int

  /// The flow from `image1` to `image2`, in pixels. Images are padded to what the network needs by repeating their border.
  func callAsFunction(_ image1: Image, _ image2: Image) -> FlowField {
    let padding = Padding(height: image1.height, width: image1.width, multiple: RAFT.stride, minimum: model.minimumSize)
    let flows = withoutRecording {
      model(Self.tensor(padding.pad(image1)), Self.tensor(padding.pad(image2)), iterations: iterations, upsamplesAll: false, .evaluation).flows
    }
    return padding.crop(FlowField(height: padding.paddedHeight, width: padding.paddedWidth, vectors: flows[0].floats))
  }

  private static func tensor(_ image: Image) -> Tensor {
    Tensor(image.pixels.map(Float.init), shape: [1, image.height, image.width, image.channels])
  }

  /// End-point errors over a data set.
  /// - Throws: what reading throws; `.badData` if no pixel of it has known flow.
  /// - Parameter visit: told every sample, for progress and pictures.
  func errors(
    on data: any FlowDataset, _ indices: [Int], visit: (_ index: Int, _ sample: FlowSample, _ flow: FlowField) throws -> Void = { _, _, _ in }
  ) throws -> EndPointError {
    var total = EndPointError()
    for index in indices {
      let sample = try data.sample(at: index)
      let flow = self(sample.image1, sample.image2)
      total.add(predicted: flow, truth: sample.flow)
      try visit(index, sample, flow)
    }
    guard total.pixelCount > 0 else {
      throw Failure(.badData, at: "validation", "the flow of all \(indices.count) pairs is unknown everywhere: there is nothing to compare with",
                    remedy: "Check the flow files of 'validation.root'.")
    }
    return total
  }
}
