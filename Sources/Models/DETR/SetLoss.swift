import Base
import Networks
import Tensors

/// The losses of a set of predictions, every decoder layer after its own matching. - Source: DETR, sections 3.1 and A.2.
public struct SetLoss: Codable, Sendable, Equatable {
  public var matching = SetMatching()
  /// Weights of the losses; 0 leaves a loss out.
  public var ce = 1.0
  public var bbox = 5.0
  public var giou = 2.0
  public var mask = 1.0
  public var dice = 1.0
  /// The weight of slots without an object in the cross-entropy.
  public var eosCoef = 0.1
  /// Whether the decoder's earlier layers are judged, too.
  public var auxiliary = true

  public init() {}

  /// Losses and what is counted beside them.
  public struct Report {
    /// What is learned from: the weighted sum.
    public let total: Tensor
    /// Each loss of each layer, without its weight, by the authors' names: `loss_ce` of the last layer, `loss_ce_0` of the first one.
    public let terms: [(name: String, value: Tensor)]
    /// The share of objects whose slot is given another class, in percent; 100 if there are no objects.
    public let classError: Double
    /// The mean difference between the number of slots that claim an object and the number of objects.
    public let cardinalityError: Double
    /// The pairs of each image for each layer: `[layers · n]`.
    public let pairs: [[SetMatching.Pair]]
  }

  /// - Parameters:
  ///   - targets: one for each image; masks if the network makes them.
  ///   - segmentation: makes the masks of the matched slots.
  public func callAsFunction(
    _ output: DETR.Output, _ targets: [DetectionTarget], segmentation: DETRSegmentation? = nil
  ) throws -> Report {
    let matches = Matches(try matching.pairs(output, targets), targets, output)
    let ce = matches.crossEntropy(output, eosCoef: eosCoef)
    let boxes = matches.boxLosses(output)
    var total = ce.sum() * self.ce
    if bbox > 0 { total = total + boxes.l1.sum() * bbox }
    if giou > 0 { total = total + boxes.giou.sum() * giou }
    var terms: [(String, Tensor)] = []
    for layer in [output.layers - 1] + (0..<output.layers - 1) {
      let suffix = layer == output.layers - 1 ? "" : "_\(layer)"
      for (name, values) in [("loss_ce", ce), ("loss_bbox", boxes.l1), ("loss_giou", boxes.giou)] {
        terms.append((name + suffix, values.sliced(0, layer..<layer + 1).reshaped(to: [])))
      }
    }
    if let segmentation, mask > 0 || dice > 0 {
      let losses = matches.maskLosses(output, segmentation)
      total = total + losses.focal * mask + losses.dice * dice
      terms += [("loss_mask", losses.focal), ("loss_dice", losses.dice)]
    }
    return Report(
      total: total, terms: terms, classError: matches.classError(output), cardinalityError: matches.cardinalityError(output),
      pairs: matches.pairs)
  }
}

/// All matched pairs of an output, and what they are judged by.
private struct Matches {
  /// `[layers · n]`.
  let pairs: [[SetMatching.Pair]]
  let targets: [DetectionTarget]
  /// Rows of the output `[layers · n · queries]` that have an object, and those objects; as many in every layer.
  let rows: [Int]
  let objects: [(image: Int, index: Int)]
  /// The class of every row: that of its object, or the one that means none.
  let labels: [Int]
  let layers: Int
  /// At least 1.
  let boxCount: Double

  init(_ pairs: [[SetMatching.Pair]], _ targets: [DetectionTarget], _ output: DETR.Output) {
    let (_, queries, classes) = output.logits.shape3
    var rows: [Int] = []
    var objects: [(image: Int, index: Int)] = []
    var labels = [Int](repeating: classes - 1, count: pairs.count * queries)
    for (item, list) in pairs.enumerated() {
      for pair in list {
        rows.append(item * queries + pair.query)
        objects.append((item % targets.count, pair.target))
        labels[item * queries + pair.query] = targets[item % targets.count].labels[pair.target]
      }
    }
    self.pairs = pairs
    self.targets = targets
    self.rows = rows
    self.objects = objects
    self.labels = labels
    layers = output.layers
    boxCount = Double(max(1, targets.reduce(0) { $0 + $1.count }))
  }

  /// The mean over all slots, weighted: `[layers]`.
  func crossEntropy(_ output: DETR.Output, eosCoef: Double) -> Tensor {
    let classes = output.logits.shape[2]
    let weights = [Double](repeating: 1, count: classes - 1) + [eosCoef]
    let losses = Networks.crossEntropy(output.logits, labels, weights: weights, .none).reshaped(to: [layers, labels.count / layers])
    let sumOfWeights = labels.prefix(labels.count / layers).reduce(0) { $0 + weights[$1] }
    return losses.sum([1]) * (1 / sumOfWeights)
  }

  /// The L1 distances of boxes and what their generalised IoU lacks, each summed and divided by the number of objects: `[layers]`.
  func boxLosses(_ output: DETR.Output) -> (l1: Tensor, giou: Tensor) {
    let predicted = output.boxes.reshaped(to: [labels.count, 4]).gathered(0, rows)
    let values = objects.flatMap { targets[$0.image].boxes[$0.index] }
    let truth = Tensor(values, shape: [rows.count, 4], precision: predicted.precision)
    let l1 = (predicted - truth).abs().reshaped(to: [layers, rows.count / layers * 4]).sum([1])
    let giou = generalizedIoU(predicted, truth).reshaped(to: [layers, rows.count / layers])
    return (l1 * (1 / boxCount), (1 - giou).sum([1]) * (1 / boxCount))
  }

  /// Focal and Dice loss of the last layer's masks.
  func maskLosses(_ output: DETR.Output, _ segmentation: DETRSegmentation) -> (focal: Tensor, dice: Tensor) {
    let n = targets.count
    let canvas = output.features.canvas
    let last = (layers - 1) * n
    let slots = (0..<n).flatMap { image in pairs[last + image].map { (image: image, query: $0.query, target: $0.target) } }
    let zero = Tensor(0, precision: output.boxes.precision)
    guard !slots.isEmpty else { return (zero, zero) }
    let logits = segmentation.masks(of: slots.map { ($0.image, $0.query) }, output)
    let (k, h, w) = logits.shape3
    let x = logits.reshaped(to: [k, h, w, 1]).resized(to: canvas).reshaped(to: [k, canvas.height * canvas.width])
    let truth = maskTruth(slots.map { ($0.image, $0.target) }, output.features.sizes, canvas, x.precision)
    return (sigmoidFocalLoss(x, truth).mean([1]).sum() * (1 / boxCount), diceLoss(x, truth).sum() * (1 / boxCount))
  }

  /// The masks of objects on the batch's canvas, `[objects, height · width]`.
  private func maskTruth(_ objects: [(image: Int, index: Int)], _ sizes: [Extent], _ canvas: Extent, _ precision: Precision) -> Tensor {
    var values = [Float](repeating: 0, count: objects.count * canvas.height * canvas.width)
    for (k, object) in objects.enumerated() {
      let size = sizes[object.image]
      let mask = targets[object.image].masks[object.index]
      require(mask.count == size.height * size.width,
        "SetLoss: a mask of \(mask.count) pixels for an image of \(size.height)x\(size.width)")
      for y in 0..<size.height {
        let start = (k * canvas.height + y) * canvas.width
        for x in 0..<size.width { values[start + x] = Float(mask[y * size.width + x]) }
      }
    }
    return Tensor(values, shape: [objects.count, canvas.height * canvas.width]).converted(to: precision)
  }

  /// Of the last layer.
  func classError(_ output: DETR.Output) -> Double {
    let matched = rows.suffix(rows.count / layers)
    guard !matched.isEmpty else { return 100 }
    let predicted = output.logits.detached().reshaped(to: [labels.count, output.logits.shape[2]]).gathered(0, Array(matched)).argmax()
    let right = zip(matched, predicted).filter { labels[$0] == $1 }.count
    return 100 - 100 * Double(right) / Double(matched.count)
  }

  /// Of the last layer.
  func cardinalityError(_ output: DETR.Output) -> Double {
    let (n, queries, classes) = output.last.logits.shape3
    let predicted = output.last.logits.detached().argmax()
    let errors = (0..<n).map { image in
      let claimed = predicted[image * queries..<(image + 1) * queries].filter { $0 != classes - 1 }.count
      return Double(abs(claimed - targets[image].count))
    }
    return errors.reduce(0, +) / Double(n)
  }
}
