import Base
import Models
import Networks
import Tensors
import Training

extension Detection: ParityTask {
  /// The images and objects of a parity file.
  public struct Inputs {
    let images: PaddedImages
    let targets: [DetectionTarget]
    let originalSizes: [Extent]
  }

  /// Reads `image.<i>` `[3, h, w]`, `boxes.<i>` `[n, 4]`, `labels.<i>` `[n]`, and `masks.<i>` `[n, h, w]` and `original_size.<i>` `[2]` if
  /// they are there, for i = 0, 1, …
  public static func inputs(_ file: ParityInputs, _ model: DETRModel) throws -> Inputs {
    var images: [Tensor] = []
    var targets: [DetectionTarget] = []
    var originalSizes: [Extent] = []
    while images.isEmpty || file.contains("image.\(images.count)") {
      let i = images.count
      let image = try file.tensor("image.\(i)", "[3, h, w]") { $0.count == 3 && $0[0] == 3 }
      let size = Extent(height: image.shape[1], width: image.shape[2])
      let target = try target(file, i, size, classes: model.detr.config.classes)
      images.append(image.transposed([1, 2, 0]))
      targets.append(target)
      let original = file.contains("original_size.\(i)") ? try file.tensor("original_size.\(i)", shape: [2]).doubles : []
      originalSizes.append(original.isEmpty ? size : Extent(height: Int(original[0]), width: Int(original[1])))
    }
    return Inputs(images: padded(images, file.precision), targets: targets, originalSizes: originalSizes)
  }

  private static func target(_ file: ParityInputs, _ i: Int, _ size: Extent, classes: Int) throws -> DetectionTarget {
    let labels = try file.numbers("labels.\(i)", "[n]") { $0.count == 1 }
    let count = labels.shape[0]
    let boxes = try file.numbers("boxes.\(i)", "[\(count), 4]") { $0 == [count, 4] }.values
    var masks: [[UInt8]] = []
    if file.contains("masks.\(i)") {
      let shape = [count, size.height, size.width]
      let values = try file.numbers("masks.\(i)", "\(shape)") { $0 == shape }.values
      let area = size.height * size.width
      masks = (0..<count).map { object in values[object * area..<(object + 1) * area].map { $0 > 0 ? 1 : 0 } }
    }
    let classOf = labels.values.map { Int($0) }
    guard classOf.allSatisfy({ (0..<classes).contains($0) }) else {
      throw Failure(.badData, at: file.path, "labels.\(i) are \(classOf), but the network has the classes 0 to \(classes - 1)")
    }
    return DetectionTarget(labels: classOf, boxes: (0..<count).map { Array(boxes[4 * $0..<4 * $0 + 4]) }, masks: masks)
  }

  private static func padded(_ images: [Tensor], _ precision: Precision) -> PaddedImages {
    let height = images.map { $0.shape[0] }.max() ?? 1
    let width = images.map { $0.shape[1] }.max() ?? 1
    let canvases = images.map { image in
      image.padded(0, before: 0, after: height - image.shape[0]).padded(1, before: 0, after: width - image.shape[1])
        .reshaped(to: [1, height, width, 3])
    }
    return PaddedImages(pixels: concatenate(canvases, axis: 0), sizes: images.map { Extent(height: $0.shape[0], width: $0.shape[1]) })
  }

  /// Writes `output.*`, `match.*`, `loss.*` and `post.*`, with dropout left out.
  public static func phases(_ model: DETRModel, _ config: DetectionConfig, _ inputs: Inputs) throws -> [ParityPhase] {
    let learner = try Learner(DetectionTraining.learners(config, model)[0], steps: config.plan.steps)
    return [ParityPhase(learner: learner) {
      let output = model.detr(inputs.images, auxiliary: config.loss.auxiliary, .evaluation)
      let report = try config.loss(output, inputs.targets, segmentation: model.segmentation)
      return ParityPass(
        outputs: outputs(of: model, output, inputs.targets.count),
        losses: [("total", report.total)] + report.terms.map { ($0.name, $0.value) },
        extras: counts(report) + matches(report, layers: output.layers, images: inputs.targets.count)
          + results(output.last, inputs.originalSizes))
    }]
  }

  private static func outputs(of model: DETRModel, _ output: DETR.Output, _ n: Int) -> [(name: String, value: Tensor)] {
    var named = [("pred_logits", output.last.logits), ("pred_boxes", output.last.boxes)]
    for layer in 0..<output.layers - 1 {
      named += [("aux.\(layer).pred_logits", output[layer].logits), ("aux.\(layer).pred_boxes", output[layer].boxes)]
    }
    if let segmentation = model.segmentation {
      let queries = output.logits.shape[1]
      let slots = (0..<n).flatMap { image in (0..<queries).map { (image: image, query: $0) } }
      let masks = noGradient { segmentation.masks(of: slots, output) }
      named.append(("pred_masks", masks.reshaped(to: [n, queries, masks.shape[1], masks.shape[2]])))
    }
    return named
  }

  private static func counts(_ report: SetLoss.Report) -> [(name: String, value: Tensor)] {
    [("loss.class_error", Tensor(report.classError, precision: .float64)),
     ("loss.cardinality_error", Tensor(report.cardinalityError, precision: .float64))]
  }

  private static func matches(_ report: SetLoss.Report, layers: Int, images: Int) -> [(name: String, value: Tensor)] {
    (0..<layers).flatMap { layer in
      (0..<images).flatMap { image -> [(name: String, value: Tensor)] in
        let pairs = report.pairs[layer * images + image]
        let place = "match.\(layer == layers - 1 ? "last" : "\(layer)").\(image)"
        return [("\(place).query", Tensor(pairs.map { Double($0.query) }, shape: [pairs.count])),
                ("\(place).target", Tensor(pairs.map { Double($0.target) }, shape: [pairs.count]))]
      }
    }
  }

  private static func results(_ prediction: DETR.Prediction, _ sizes: [Extent]) -> [(name: String, value: Tensor)] {
    prediction.detections(sizes).enumerated().flatMap { image, list -> [(name: String, value: Tensor)] in
      let precision = prediction.boxes.precision
      let corners = list.flatMap { [$0.box.x, $0.box.y, $0.box.x1, $0.box.y1] }
      return [("post.\(image).scores", Tensor(list.map(\.score), shape: [list.count], precision: precision)),
              ("post.\(image).labels", Tensor(list.map { Double($0.label) }, shape: [list.count])),
              ("post.\(image).boxes", Tensor(corners, shape: [list.count, 4], precision: precision))]
    }
  }
}
