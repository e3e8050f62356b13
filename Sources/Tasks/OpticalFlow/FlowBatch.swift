import Data
import Models
import Tensors
import Vision

/// Image pairs with flow as tensors.
struct FlowBatch {
  /// `[n, h, w, 3]`, 0...255.
  let image1, image2: Tensor
  /// `[n, h, w, 2]`, pixels; 0 where unknown.
  let flow: Tensor
  /// `[n, h, w, 1]`: 1 where the flow is known, else 0.
  let valid: Tensor

  /// - Precondition: all samples are of one size.
  init(_ samples: [FlowSample]) {
    let (n, h, w) = (samples.count, samples[0].flow.height, samples[0].flow.width)
    image1 = Tensor(samples.flatMap { $0.image1.pixels.map(Float.init) }, shape: [n, h, w, 3])
    image2 = Tensor(samples.flatMap { $0.image2.pixels.map(Float.init) }, shape: [n, h, w, 3])
    valid = Tensor(samples.flatMap { $0.flow.isValid.map { $0 ? Float(1) : 0 } }, shape: [n, h, w, 1])
    flow = Tensor(samples.flatMap(\.flow.finiteVectors), shape: [n, h, w, 2])
  }

  /// The mean end-point error in pixels and the share of pixels below 1, 3 and 5 pixels, over the pixels that the loss counts.
  func errors(of prediction: Tensor, maxFlow: Double) -> (epe: Double, below: [Double]) {
    let mask = RAFT.validPixels(flow, valid, maxFlow: maxFlow)
    let count = max(mask.sum().item, 1)
    let error = (prediction.detached() - flow).squared().sum([-1], keepingAxes: true).sqrt()
    let below = [1.0, 3, 5].map { limit in
      (mask * Tensor(limit, precision: error.precision).isGreater(than: error)).sum().item / count
    }
    return ((mask * error).sum().item / count, below)
  }
}

extension FlowField {
  /// The vectors, 0 where unknown: unknown ones may be huge or not a number.
  fileprivate var finiteVectors: [Float] {
    guard isValid.contains(false) else { return vectors }
    return vectors.indices.map { isValid[$0 / 2] ? vectors[$0] : 0 }
  }
}
