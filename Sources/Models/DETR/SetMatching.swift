import Base
import Tensors
import Vision

/// The objects of one image, as the losses want them.
public struct DetectionTarget: Sendable, Equatable {
  /// Class indices.
  public var labels: [Int]
  /// Centre x, centre y, width and height of each object, as shares of the image.
  public var boxes: [[Double]]
  /// For masks: of each object the pixels of the image, row-major, in 0...1; else empty.
  public var masks: [[UInt8]]

  public init(labels: [Int], boxes: [[Double]], masks: [[UInt8]] = []) {
    require(labels.count == boxes.count && boxes.allSatisfy { $0.count == 4 },
      "DetectionTarget: \(labels.count) labels for \(boxes.count) boxes")
    require(masks.isEmpty || masks.count == labels.count, "DetectionTarget: \(masks.count) masks for \(labels.count) objects")
    self.labels = labels
    self.boxes = boxes
    self.masks = masks
  }

  public var count: Int { labels.count }
}

/// The slot that is responsible for each object: section 3.1, equation 1.
public struct SetMatching: Codable, Sendable, Equatable {
  /// Which slots are compared with which objects.
  public enum Method: String, ConfigChoice {
    /// The cheapest assignment.
    case hungarian
    /// The first slot with the first object, and so on, whatever they predict: to see what the matching is for.
    case fixedOrder
  }

  public var method = Method.hungarian
  /// Weights of the class probability, of the L1 distance of boxes and of their generalised IoU.
  public var costClass = 1.0
  public var costBbox = 5.0
  public var costGiou = 2.0

  public init() {}

  /// Object `target` belongs to slot `query`.
  public struct Pair: Sendable, Equatable {
    public let query, target: Int
  }

  /// The pairs of each image for each layer, by slot.
  /// - Returns: `[layers · n]`, layer by layer, as the output has them.
  /// - Throws: `.diverged` if a prediction is NaN.
  public func pairs(_ output: DETR.Output, _ targets: [DetectionTarget]) throws -> [[Pair]] {
    let (items, queries, classes) = output.logits.shape3
    let probabilities = output.logits.detached().softmax().doubles
    let boxes = output.boxes.detached().doubles
    guard probabilities.allSatisfy({ $0.isFinite }), boxes.allSatisfy({ $0.isFinite }) else {
      throw Failure(.diverged, at: "matching", "the network predicts NaN or infinite values",
                    remedy: "Choose a smaller learning rate, or go on from an earlier checkpoint.")
    }
    return try (0..<items).map { item in
      let target = targets[item % targets.count]
      guard method == .hungarian else { return (0..<min(queries, target.count)).map { Pair(query: $0, target: $0) } }
      let truths = target.boxes.map { BoundingBox(centered: $0) }
      var costs = [Double](repeating: 0, count: queries * target.count)
      for query in 0..<queries {
        let slot = item * queries + query
        let box = Array(boxes[4 * slot..<4 * slot + 4])
        let predicted = BoundingBox(centered: box)
        for object in 0..<target.count {
          let distance = zip(box, target.boxes[object]).reduce(0) { $0 + abs($1.0 - $1.1) }
          costs[query * target.count + object] = costBbox * distance - costClass * probabilities[slot * classes + target.labels[object]]
            - costGiou * predicted.generalizedIoU(with: truths[object])
        }
      }
      guard costs.allSatisfy({ $0.isFinite }), let columns = LinearAssignment.cheapest(costs, rows: queries, columns: target.count) else {
        throw Failure(.diverged, at: "matching", "costs of the assignment are NaN or infinite", remedy: "Check the boxes of the data.")
      }
      return columns.enumerated().compactMap { query, object in object.map { Pair(query: query, target: $0) } }
    }
  }
}

extension BoundingBox {
  /// - Parameter values: centre x, centre y, width and height.
  init(centered values: some Collection<Double>) {
    let box = Array(values)
    self.init(x: box[0] - box[2] / 2, y: box[1] - box[3] / 2, width: box[2], height: box[3])
  }
}
