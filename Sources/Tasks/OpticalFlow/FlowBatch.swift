import Data
import Models
import Tensors
import Vision

/// One image pair with its flow as the network takes them, made by the loader's threads.
struct FlowElement: Sendable {
  let height: Int
  let width: Int
  /// Row-major, RGB, 0...255.
  let image1: [Float]
  let image2: [Float]
  /// Pixels; 0 where unknown: there files may hold anything.
  let flow: [Float]
  /// 1 where the flow is known, else 0.
  let valid: [Float]

  init(_ sample: FlowSample) {
    height = sample.flow.height
    width = sample.flow.width
    image1 = sample.image1.pixels.map(Float.init)
    image2 = sample.image2.pixels.map(Float.init)
    let field = sample.flow
    valid = field.isValid.map { $0 ? 1 : 0 }
    flow = field.isValid.contains(false) ? field.vectors.indices.map { field.isValid[$0 / 2] ? field.vectors[$0] : 0 } : field.vectors
  }
}

/// Image pairs with flow as tensors.
struct FlowBatch {
  /// `[n, h, w, 3]`, 0...255.
  let image1: Tensor
  let image2: Tensor
  /// `[n, h, w, 2]`, pixels; 0 where unknown.
  let flow: Tensor
  /// `[n, h, w, 1]`: 1 where the flow is known, else 0.
  let valid: Tensor

  /// - Precondition: all elements are of one size.
  init(_ elements: [FlowElement]) {
    let (n, h, w) = (elements.count, elements[0].height, elements[0].width)
    image1 = Tensor(elements.flatMap(\.image1), shape: [n, h, w, 3])
    image2 = Tensor(elements.flatMap(\.image2), shape: [n, h, w, 3])
    flow = Tensor(elements.flatMap(\.flow), shape: [n, h, w, 2])
    valid = Tensor(elements.flatMap(\.valid), shape: [n, h, w, 1])
  }

  /// The mean end-point error in pixels and the share of pixels below 1, 3 and 5 pixels, over the pixels that the loss counts; empty if
  /// there are none.
  func errors(of prediction: Tensor, maxFlow: Double) -> [Double] {
    let mask = RAFT.validPixels(flow, valid, maxFlow: maxFlow)
    let count = mask.sum().item
    guard count > 0 else { return [] }
    let error = (prediction.detached() - flow).squared().sum([-1], keepingAxes: true).sqrt()
    let below = [1.0, 3, 5].map { limit in
      (mask * Tensor(limit, precision: error.precision).isGreater(than: error)).sum().item / count
    }
    return [(mask * error).sum().item / count] + below
  }
}
