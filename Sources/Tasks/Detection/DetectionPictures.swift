import Data
import Drawing
import Models
import Tensors
import Training
import Vision

extension Detection {
  /// An image with the objects that the network finds and the true ones dashed; of a panoptic set also its map. With their file suffixes.
  static func pictures(
    of example: COCODetection.Example, _ prediction: DetectionEvaluator.Prediction, _ data: COCODetection, _ config: DetectionConfig
  ) -> [(suffix: String, figure: any Figure)] {
    let image = example.sample.image
    let truths = example.sample.objects.map { PicturedObject("", category: $0.label, box: $0.box) }
    var figures: [(String, any Figure)] = [("", AnnotatedPicture(image, objects: objects(prediction, config), truths: truths))]
    if let panoptic = prediction.panoptic {
      let segments = panoptic.segments.map { PanopticSegment(id: $0.id, category: config.categories.id(ofLabel: $0.label)) }
      let categories = data.instances.categories.map { PanopticPicture.Category(id: $0.id, name: $0.name) }
      figures.append(("_panoptic", PanopticPicture(image, map: panoptic.map, segments: segments, categories: categories)))
    }
    return figures
  }

  /// The objects above the config's threshold.
  static func objects(_ prediction: DetectionEvaluator.Prediction, _ config: DetectionConfig) -> [PicturedObject] {
    prediction.detections.enumerated().filter { $1.score >= config.inference.threshold }.map { index, detection in
      PicturedObject(detection, config, mask: prediction.mask(at: index))
    }
  }
}

extension PicturedObject {
  init(_ detection: Models.Detection, _ config: DetectionConfig, mask: RunLengthMask? = nil) {
    let name = config.categories.name(of: detection.label)
    self.init(name, category: detection.label, score: detection.score, box: detection.box, mask: mask)
  }
}

/// The metrics of a validation set, and what they are made of.
struct DetectionJudgement {
  let metrics: Metrics
  let boxes: AveragePrecisionResult
  let confusion: ConfusionMatrix
  /// Of the categories, by id.
  let names: [Int: String]

  /// Precision over recall, and what objects were found as; by name.
  var figures: [(name: String, figure: any Figure)] {
    [("precision_recall", PrecisionRecallFigure(boxes, names: names)),
     ("confusion", ConfusionFigure(confusion.counts, names: confusion.categories.map { names[$0] ?? "\($0)" }))]
  }
}

/// A closer look at one image: where the network looked, and which slot would be responsible for each object.
struct Inspection {
  private let image: Image
  private let detections: [Models.Detection]
  private let record = DETR.AttentionRecord()
  /// The slot of each object, in the order of the annotations; none if the predictions are not finite.
  let queries: [Int?]

  init(of example: COCODetection.Example, _ model: DETRModel, _ config: DetectionConfig) {
    image = example.sample.image
    let batch = DetectionBatch([DetectionElement(config.augmentation.evaluated(example.sample))])
    let output = noGradient { [record] in model.detr(batch.images, auxiliary: false, .evaluation, record: record) }
    detections = output.last.detections([Extent(height: image.height, width: image.width)])[0]
    var queries = [Int?](repeating: nil, count: batch.targets[0].count)
    let pairs = try? config.loss.matching.pairs(output, batch.targets)[0]
    for pair in pairs ?? [] { queries[pair.target] = pair.query }
    self.queries = queries
  }

  private static let mostQueries = 4

  /// Where the most certain slots looked, and above them what the cells at the middle of their objects have to do with the others; nil
  /// if there is no slot above the threshold.
  func attention(_ config: DetectionConfig) -> AttentionFigure? {
    let chosen = detections.filter { $0.score >= config.inference.threshold }.sorted { $0.score > $1.score }.prefix(Self.mostQueries)
    guard let decoder = record.decoder, !chosen.isEmpty else { return nil }
    let (h, w) = (record.cells.height, record.cells.width)
    func map(_ caption: String, _ weights: Tensor, row: Int, _ object: PicturedObject?, _ point: Point?) -> AttentionFigure.Map {
      let values = weights.sliced(1, row..<row + 1).floats
      return AttentionFigure.Map(caption, weights: values, height: h, width: w, object: object, point: point)
    }
    let encoder = record.encoder.map { weights in
      chosen.map { detection in
        let middle = Point((detection.box.x + detection.box.x1) / 2, (detection.box.y + detection.box.y1) / 2)
        let row = min(max(Int(middle.y / Double(image.height) * Double(h)), 0), h - 1)
        let column = min(max(Int(middle.x / Double(image.width) * Double(w)), 0), w - 1)
        return map("encoder, cell \(column), \(row)", weights, row: row * w + column, nil, middle)
      }
    }
    let slots = chosen.map { map("slot \($0.query)", decoder, row: $0.query, PicturedObject($0, config), nil) }
    return AttentionFigure(image, maps: (encoder ?? []) + slots, title: "Attention of the last layers", width: 190 * chosen.count + 20)
  }
}
