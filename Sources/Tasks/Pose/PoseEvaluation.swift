import Base
import Data
import Drawing
import Models
import Tensors
import Training
import Vision

/// A body of the validation set, ready for the network.
struct EvaluatedBody: Sendable {
  let body: PoseSet.Body
  let sample: PoseSample
  let pixels: [Float]

  /// The annotated keypoints in pixels of the crop; none of a detected box.
  var labeledKeypoints: [Keypoint] { sample.keypoints.contains(where: \.isLabeled) ? sample.keypoints : [] }
}

/// The validation set as the network sees it: crops are made on the loader's threads.
private struct EvaluationCrops: Dataset {
  let bodies: PoseSet
  let crop: PoseCrop

  var count: Int { bodies.count }
  func name(of index: Int) -> String { bodies.name(of: index) }

  func sample(at index: Int) throws -> EvaluatedBody {
    let example = try bodies.sample(at: index)
    let sample = crop.sample(example.image, example.body.crop, example.body.keypoints)
    return EvaluatedBody(body: example.body, sample: sample, pixels: PixelNormalization()(sample.image))
  }
}

/// Judges bodies over a data set: by COCO's average precision of keypoints, or by PCKh.
struct PoseEvaluator: Evaluator {
  /// What the network says about one body: its heatmaps, and its keypoints in pixels of the picture.
  struct Prediction {
    let heatmaps: Heatmaps
    let keypoints: [ScoredKeypoint]
  }

  private let skeleton: Skeleton
  private let settings: PoseInferenceSettings
  /// The annotations to judge by; nil: MPII, judged by heads.
  private let instances: COCOInstances?
  private let annotations: [Int: [COCOAnnotation]]
  /// The pictures that count.
  private let images: Set<Int>
  private var heads: HeadNormalizedPCK
  private var headless = 0
  private var bodies: [PosedBody] = []

  init(_ data: PoseSet, indices: [Int], limited: Bool, _ settings: PoseInferenceSettings) {
    skeleton = data.skeleton
    self.settings = settings
    instances = data.instances
    annotations = data.instances?.annotationsByImage() ?? [:]
    heads = HeadNormalizedPCK(data.skeleton)
    let chosen = Set(indices.map { data.bodies[$0].imageID })
    images = limited ? chosen : Set(data.instances?.images.map(\.id) ?? Array(chosen))
  }

  mutating func add(_ prediction: Prediction, _ truth: EvaluatedBody) {
    let body = truth.body
    bodies.append(PosedBody(
      imageID: body.imageID, category: body.category, keypoints: prediction.keypoints, boxScore: body.score, area: body.crop.area,
      countingAbove: settings.keypointThreshold))
    guard instances == nil else { return }
    if let head = body.headBox {
      heads.add(prediction.keypoints.map(\.position), truth: body.keypoints, headBox: head)
    } else {
      headless += 1
    }
  }

  /// The body's own OKS with the annotation whose box it was found in, or its keypoints within a share of its head; none of a detected
  /// box.
  func scores(of prediction: Prediction, _ truth: EvaluatedBody) -> [SampleScore] {
    let body = truth.body
    let points = prediction.keypoints.map(\.position)
    guard instances == nil else {
      let truths = (annotations[body.imageID] ?? []).map { $0.bodyTruth(skeleton) }
      guard body.keypoints.contains(where: \.isLabeled),
            let own = truths.first(where: { $0.keypoints == body.keypoints }) else { return [] }
      return [SampleScore("OKS", skeleton.similarity(of: points, to: own.keypoints, area: own.area, box: own.box))]
    }
    guard let head = body.headBox else { return [] }
    var score = HeadNormalizedPCK(skeleton)
    score.add(points, truth: body.keypoints, headBox: head)
    guard score.keypointCount > 0 else { return [] }
    return [("PCKh", 0.5), ("PCKh_0.1", 0.11)].map { name, threshold in
      SampleScore(name, 100 * score.share(threshold: threshold), weight: Double(score.keypointCount))
    }
  }

  /// The bodies of each picture that are not too much alike.
  private func kept() -> [PosedBody] {
    Dictionary(grouping: bodies, by: \.imageID).sorted { $0.key < $1.key }.flatMap {
      PosedBody.suppressed($0.value, skeleton, threshold: settings.oksThreshold)
    }
  }

  func result() throws -> Metrics { try judgement().metrics }

  /// The metrics, and the bodies that are kept.
  func judgement() throws -> (metrics: Metrics, bodies: [PosedBody]) {
    var metrics = Metrics()
    let kept = kept()
    if let instances {
      let score = averagePrecision(kept, instances)
      for (kind, value) in zip(Pose.precisionMetrics, score.keypointSummary) { metrics[kind.name] = value }
      metrics["truths"] = Double(score.categories.reduce(0) { $0 + score.truthCount(category: $1) })
    } else {
      guard heads.bodyCount > 0 else {
        throw Failure(.badData, at: "validation.head_boxes", "none of the \(headless) bodies has the box of its head, which PCKh needs",
                      remedy: "Name the authors' gt_valid.mat, or give each annotation a 'head_box'.")
      }
      metrics["PCKh"] = 100 * heads.share(threshold: 0.5)
      metrics["PCKh_0.1"] = 100 * heads.share(threshold: 0.11)
      for row in HeadNormalizedPCK.rows { metrics["PCKh_\(row)"] = 100 * heads.share(row: row, threshold: 0.5) }
    }
    metrics["images"] = Double(images.count)
    metrics["bodies"] = Double(instances == nil ? heads.bodyCount : kept.count)
    return (metrics, kept)
  }

  private func averagePrecision(_ kept: [PosedBody], _ instances: COCOInstances) -> AveragePrecisionResult {
    let categories = Set(instances.keypointCategories.map(\.id))
    var score = AveragePrecision(categories: categories, settings: .keypoints)
    let found = Dictionary(grouping: kept, by: \.imageID)
    for image in images {
      let truths = (annotations[image] ?? []).filter { categories.contains($0.categoryID) }.map { $0.bodyTruth(skeleton) }
      let bodies = (found[image] ?? []).map { AveragePrecision.FoundBody(category: $0.category, points: $0.points, score: $0.score) }
      score.add(image: image, bodies: truths, found: bodies, skeleton)
    }
    return score.result()
  }
}

extension Pose: EvaluationTask, ResultsTask {
  private static let meanings = [
    "mean average precision, OKS 0.50 to 0.95", "average precision at OKS 0.50", "average precision at OKS 0.75",
    "of bodies of 32² to 96² px", "of bodies above 96² px", "mean highest recall with 20 bodies an image", "at OKS 0.50", "at OKS 0.75",
    "of bodies of 32² to 96² px", "of bodies above 96² px",
  ]

  /// COCO's ten numbers for keypoints; -1 where there are no such bodies.
  static let precisionMetrics = zip(AveragePrecisionResult.keypointNames, meanings).map { MetricKind($0, $1, better: .higher) }

  /// MPII's.
  static let headMetrics = [
    MetricKind("PCKh", unit: "%", "keypoints within half a head of the truth, without pelvis and thorax", better: .higher),
    MetricKind("PCKh_0.1", unit: "%", "within 0.11 heads, the table's Mean@0.1", better: .higher),
  ] + HeadNormalizedPCK.rows.map { MetricKind("PCKh_\($0)", unit: "%", "left and right averaged", better: .higher) }

  public static let metrics = precisionMetrics + headMetrics
    + [MetricKind("truths", "annotated bodies to be found"), MetricKind("images", "evaluated"), MetricKind("bodies", "found and kept")]

  public static let sampleMetrics = [
    MetricKind("OKS", "mean over annotated bodies of each one's own OKS, in its own box", better: .higher),
  ]

  public static func evaluate(
    _ config: PoseConfig, _ model: HRNetPose, visuals: String?, _ monitor: EvaluationMonitor
  ) throws -> EvaluationReport {
    try evaluate(config, model, visuals: visuals, results: nil, monitor)
  }

  /// Writes the bodies that are kept as COCO's result file: their ids, pixels of the original pictures.
  public static func evaluate(
    _ config: PoseConfig, _ model: HRNetPose, visuals: String?, results file: String, _ monitor: EvaluationMonitor
  ) throws -> EvaluationReport {
    try evaluate(config, model, visuals: visuals, results: Optional(file), monitor)
  }

  private static func evaluate(
    _ config: PoseConfig, _ model: HRNetPose, visuals: String?, results file: String?, _ monitor: EvaluationMonitor
  ) throws -> EvaluationReport {
    guard let data = try config.validation.open(config) else {
      throw Failure(.usage, at: "validation.annotations", "'' leaves nothing to evaluate on", remedy: "Name a file of COCO keypoints.")
    }
    let judgement = try judge(model, config, on: data, monitor)
    if let file { try COCOResults.write(judgement.bodies.map(\.result), to: file) }
    if let visuals { try draw(judgement.bodies, data, config, in: visuals) }
    return EvaluationReport(metrics: judgement.metrics, notes: data.notes)
  }

  /// Finds the keypoints of the bodies of a validation set, and judges them.
  /// - Parameter visit: told what the network says about each body.
  static func judge(
    _ model: HRNetPose, _ config: PoseConfig, on data: PoseSet, _ monitor: EvaluationMonitor,
    visit: (_ index: Int, _ body: EvaluatedBody, _ prediction: PoseEvaluator.Prediction) throws -> Void = { _, _, _ in }
  ) throws -> (metrics: Metrics, bodies: [PosedBody]) {
    let crops = EvaluationCrops(bodies: data, crop: config.crop)
    let indices = data.indices(imageLimit: config.validation.limit)
    let pass = EvaluationPass<EvaluatedBody>(
      crops, indices, batchSize: config.inference.batchSize, workers: config.train.workers, monitor: monitor)
    let memory = MemoryGuard(Pose.self, config, model, .inference)
    let estimator = PoseEstimator(model, config)
    var evaluator = PoseEvaluator(data, indices: indices, limited: config.validation.limit > 0, config.inference)
    try pass.run(&evaluator) { _, samples in
      try memory.require(InputShape(samples: samples.count, height: config.crop.height, width: config.crop.width))
      let images = Tensor(samples.flatMap(\.pixels), shape: [samples.count, config.crop.height, config.crop.width, 3])
      return zip(samples, estimator(images)).map { sample, maps in
        PoseEvaluator.Prediction(heatmaps: maps, keypoints: config.crop.keypoints(maps, sample.body.crop))
      }
    } visit: { index, sample, prediction in
      try visit(index, sample, prediction)
    }
    return try evaluator.judgement()
  }

  /// A picture of each image with the bodies that were found over the true ones.
  private static func draw(_ bodies: [PosedBody], _ data: PoseSet, _ config: PoseConfig, in folder: String) throws {
    try File.createFolder(folder)
    let found = Dictionary(grouping: bodies, by: \.imageID)
    var done: Set<Int> = []
    for index in data.indices(imageLimit: config.validation.limit) where done.insert(data.bodies[index].imageID).inserted {
      let body = data.bodies[index]
      let truths = data.bodies.filter { $0.imageID == body.imageID }.map { PicturedBody($0.keypoints) }
      let picture = AnnotatedPicture(
        try data.image(body), bodies: (found[body.imageID] ?? []).map { drawn($0, config) }, truths: truths, data.skeleton)
      try picture.write(to: Path.join(folder, "\(Path.stem(body.fileName)).png"))
    }
  }

  static func drawn(_ body: PosedBody, _ config: PoseConfig) -> PicturedBody {
    PicturedBody(body.keypoints, atLeast: config.inference.drawThreshold, score: body.score)
  }
}
