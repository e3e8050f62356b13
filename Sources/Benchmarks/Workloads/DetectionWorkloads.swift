import Base
import Models
import Networks
import Tensors
import Vision

/// One training step of DETR-R50: forward, matching, set loss, backward, clipping, AdamW; stem and first stage frozen, dropout on.
struct DetectionStepWorkload: Workload {
  static let kind = "detr_step"

  let batch, height, width: Int
  /// Of each image.
  let objects: Int

  func prepared() throws -> PreparedWorkload {
    var random = Random(seed: 1, stream: .test)
    let model = DETR(DETR.Config(.resnet50), &random)
    let images = PaddedImages(batch: batch, height: height, width: width, &random)
    let targets = (0..<batch).map { _ in
      DetectionTarget(
        labels: (0..<objects).map { _ in random.integer(in: 0..<91) },
        boxes: (0..<objects).map { _ in
          [random.uniform(0.3, 0.7), random.uniform(0.3, 0.7), random.uniform(0.1, 0.5), random.uniform(0.1, 0.5)]
        })
    }
    var optimizer = OptimizerConfig(.adamw, learningRate: 1e-4, weightDecay: 1e-4, clipNorm: 0.1)
    optimizer.groups = [ParameterGroup("backbone.*", lrMult: 0.1)]
    optimizer.freeze = ["backbone.0.body.conv1.*", "backbone.0.body.layer1.*"]
    let loss = SetLoss()
    var step = 0
    return try PreparedWorkload.trainingStep(of: model, optimizer) {
      step += 1
      return try loss(model(images, Pass(.training, random: Random(seed: 1, stream: .dropout, sample: step))), targets).total
    }
  }
}

/// One inference of DETR-R50 without gradients: the last layer's classes and boxes.
struct DetectionInferenceWorkload: Workload {
  static let kind = "detr_inference"

  let batch, height, width: Int

  func prepared() -> PreparedWorkload {
    var random = Random(seed: 1, stream: .test)
    let model = DETR(DETR.Config(.resnet50), &random)
    let images = PaddedImages(batch: batch, height: height, width: width, &random)
    return .inference { _ = model(images, auxiliary: false, .evaluation) }
  }
}

/// The decoder's attention of object queries to the cells of an image, with its projections, forward and backward.
struct CrossAttentionWorkload: DifferentiatedWorkload {
  static let kind = "cross_attention"

  let batch, queries, tokens, width, heads: Int

  /// Queries and results are projected once, keys and values for every cell; every query meets every cell twice.
  var operations: Double {
    let products = 2 * queries * width * width + 2 * tokens * width * width + 2 * queries * tokens * width
    return 3 * 2 * Double(batch * products)
  }

  func forward() -> () -> Tensor {
    var random = Random(seed: 1, stream: .test)
    let attention = MultiHeadAttention(width: width, heads: heads, &random)
    let slots = Tensor.normal([batch, queries, width], &random).asLeaf()
    let memory = Tensor.normal([batch, tokens, width], &random).asLeaf()
    return { attention(queries: slots, keys: memory, values: memory, Pass(.training)) }
  }
}

/// The Hungarian assignment of objects to slots for costs as a matcher has them, on one thread; the other side is scipy.
struct AssignmentWorkload: Workload {
  static let kind = "assignment"

  let rows, columns: Int

  func prepared() -> PreparedWorkload {
    var random = Random(seed: 1, stream: .test)
    let costs = (0..<rows * columns).map { _ in random.uniform(-3, 8) }
    return PreparedWorkload(operations: Double(rows * columns * columns)) { [rows, columns] in
      _ = LinearAssignment.cheapest(costs, rows: rows, columns: columns)
    }
  }
}

extension PaddedImages {
  /// Images of one size with random pixels.
  fileprivate init(batch: Int, height: Int, width: Int, _ random: inout Random) {
    let size = Extent(height: height, width: width)
    self.init(pixels: .normal([batch, height, width, 3], &random), sizes: Array(repeating: size, count: batch))
  }
}
