import Base
import Data
import Drawing
import Models
import Tensors
import Training
import Vision

/// Judges flow over a data set: end-point errors, and in detail those of zero flow and the score of estimated occlusion.
struct FlowEvaluator: Evaluator {
  /// The network's result for one pair.
  struct Prediction {
    let estimate: FlowEstimator.Estimate
    /// The flow from image 2 to image 1, if occlusion is judged.
    let backward: FlowField?
  }

  private let check: ForwardBackwardCheck
  private let isDetailed: Bool
  private var errors = EndPointError()
  private var still = EndPointError()
  private var occlusion = OcclusionScore()
  private var count = 0

  /// - Parameter isDetailed: give all metrics, else those that training logs.
  init(_ config: OpticalFlowConfig, isDetailed: Bool) {
    check = config.prediction.check
    self.isDetailed = isDetailed
  }

  mutating func add(_ prediction: Prediction, _ truth: FlowSample) {
    let flow = prediction.estimate.flow
    count += 1
    errors.add(predicted: flow, truth: truth.flow, occlusion: truth.occlusion)
    guard isDetailed else { return }
    still.add(predicted: FlowField(zeroLike: truth.flow), truth: truth.flow)
    if let backward = prediction.backward, let occluded = truth.occlusion {
      occlusion.add(predicted: check.occlusion(forward: flow, backward: backward), truth: occluded)
    }
  }

  /// - Throws: `.badData` if no pixel has known flow.
  func result() throws -> Metrics {
    guard errors.pixelCount > 0 else {
      throw Failure(.badData, at: "validation", "the flow of all \(count) pairs is unknown everywhere: there is nothing to compare with",
                    remedy: "Check the flow files of 'validation.root'.")
    }
    var metrics: Metrics = [
      "epe": errors.mean, "1px": errors.fractionBelow1, "3px": errors.fractionBelow3, "5px": errors.fractionBelow5,
      "kitti_epe": errors.meanOfImages, "kitti_f1": 100 * errors.outlierShare,
    ]
    guard isDetailed else { return metrics }
    for range in MotionRange.allCases { metrics[range.name] = errors.mean(of: range) }
    metrics["epe_matched"] = errors.matched.mean
    metrics["epe_unmatched"] = errors.unmatched.mean
    metrics["occlusion_f1"] = occlusion.f1
    metrics["epe_of_zero_flow"] = still.mean
    metrics["pairs"] = Double(errors.imageCount)
    return metrics
  }

  /// The errors of the pair, weighted as the set pools them: by pixels, or pair by pair as KITTI does.
  func scores(of prediction: Prediction, _ truth: FlowSample) -> [SampleScore] {
    var pair = EndPointError()
    pair.add(predicted: prediction.estimate.flow, truth: truth.flow, occlusion: truth.occlusion)
    guard pair.pixelCount > 0 else { return [] }
    let pixels = Double(pair.pixelCount)
    let pooled = [("epe", pair.mean), ("1px", pair.fractionBelow1), ("3px", pair.fractionBelow3), ("5px", pair.fractionBelow5)]
    var scores = pooled.map { SampleScore($0, $1, weight: pixels) }
    scores.append(SampleScore("kitti_epe", pair.mean))
    scores.append(SampleScore("kitti_f1", 100 * pair.outlierShare, weight: pixels))
    var groups = MotionRange.allCases.map { ($0.name, pair.mean(of: $0), pair.pixelCount(of: $0)) }
    groups.append(("epe_matched", pair.matched.mean, pair.matched.pixelCount))
    groups.append(("epe_unmatched", pair.unmatched.mean, pair.unmatched.pixelCount))
    return scores + groups.compactMap { name, mean, count in mean.map { SampleScore(name, $0, weight: Double(count)) } }
  }

  /// Warnings about the data, such as pairs without known flow.
  var warnings: [String] {
    let unknown = count - errors.imageCount
    return unknown == 0 ? [] : ["validation: \(unknown) of \(count) pairs have no pixel with known flow; they are not judged"]
  }
}

extension OpticalFlow: EvaluationTask {
  /// The metrics of a training batch: the error and the shares below the limits of `FlowBatch.errors`.
  static let trainMetrics = [
    MetricKind("epe", unit: "px", "mean error of all known pixels", better: .lower),
    MetricKind("1px", "share of pixels with an error below 1 px", better: .higher),
    MetricKind("3px", "share of pixels with an error below 3 px", better: .higher),
    MetricKind("5px", "share of pixels with an error below 5 px", better: .higher),
  ]

  /// The metrics of an evaluation that training logs.
  static let loggedMetrics = trainMetrics + [
    MetricKind("kitti_epe", unit: "px", "mean of the images' mean errors", better: .lower),
    MetricKind("kitti_f1", unit: "%", "pixels with an error above 3 px and above 5 %", better: .lower),
  ]

  /// All metrics of an evaluation: what training logs, and besides the error by true speed as far as such pixels exist, by occlusion where
  /// the data set knows it, the score of estimated occlusion if the config asks for it too, and the error of zero flow.
  public static let metrics = loggedMetrics + [
    MetricKind(MotionRange.below10.name, unit: "px", "mean error of pixels that move less than 10 px", better: .lower),
    MetricKind(MotionRange.from10To40.name, unit: "px", "of those that move 10 px or more, less than 40", better: .lower),
    MetricKind(MotionRange.from40.name, unit: "px", "of those that move 40 px or more", better: .lower),
    MetricKind("epe_matched", unit: "px", "mean error of pixels that image 2 shows", better: .lower),
    MetricKind("epe_unmatched", unit: "px", "of occluded pixels", better: .lower),
    MetricKind("occlusion_f1", "F1 of occlusion from flow and flow back", better: .higher),
    MetricKind("epe_of_zero_flow", unit: "px", "epe if nothing is said to move"),
    MetricKind("pairs", "evaluated"),
  ]

  /// Estimates and judges the flow of a validation set.
  /// - Parameters:
  ///   - showsUpdates: whether the estimate of a sample shall hold the flow after every update.
  ///   - visit: told every sample, for pictures.
  static func judge(
    _ model: RAFT, _ config: OpticalFlowConfig, on data: any FlowDataset, isDetailed: Bool, showsUpdates: (_ index: Int) -> Bool,
    _ monitor: EvaluationMonitor, visit: (_ index: Int, _ sample: FlowSample, _ estimate: FlowEstimator.Estimate) throws -> Void
  ) throws -> FlowEvaluator {
    let estimator = FlowEstimator(model, config.inference)
    let pass = EvaluationPass<FlowSample>(data, config.validation.indices(of: data.count), workers: config.train.workers, monitor: monitor)
    let memory = MemoryGuard(OpticalFlow.self, config, model, .inference)
    var evaluator = FlowEvaluator(config, isDetailed: isDetailed)
    try pass.run(&evaluator) { indices, samples in
      try zip(indices, samples).map { index, sample in
        try memory.require(InputShape(samples: 1, height: sample.image1.height, width: sample.image1.width))
        let judgesOcclusion = isDetailed && config.prediction.occlusion && sample.occlusion != nil
        return FlowEvaluator.Prediction(
          estimate: estimator(sample.image1, sample.image2, keepsUpdates: showsUpdates(index)),
          backward: judgesOcclusion ? estimator(sample.image2, sample.image1).flow : nil)
      }
    } visit: { index, sample, prediction in
      try visit(index, sample, prediction.estimate)
    }
    return evaluator
  }

  public static func evaluate(
    _ config: OpticalFlowConfig, _ model: RAFT, visuals: String?, _ monitor: EvaluationMonitor
  ) throws -> EvaluationReport {
    guard let data = try config.validation.open("validation") else {
      throw Failure(.usage, at: "validation.format", "'none' leaves nothing to evaluate on",
                    remedy: "Choose a format with data, such as flying_chairs.")
    }
    if let visuals { try File.createFolder(visuals) }
    let evaluator = try judge(
      model, config, on: data, isDetailed: true, showsUpdates: { _ in visuals != nil }, monitor
    ) { index, sample, estimate in
      guard let visuals else { return }
      let name = data.name(of: index)
      for (suffix, figure) in pictures(of: sample, estimate, title: name) { try figure.write(to: "\(visuals)/\(name)\(suffix).png") }
    }
    return EvaluationReport(metrics: try evaluator.result(), warnings: evaluator.warnings)
  }

  /// The sheet of one sample, and how its flow came about if the estimate holds all updates; each with the end of its file's name.
  static func pictures(of sample: FlowSample, _ estimate: FlowEstimator.Estimate, title: String) -> [(suffix: String, figure: any Figure)] {
    let sheet = ValidationFigure(image1: sample.image1, image2: sample.image2, truth: sample.flow, predicted: estimate.flow, title: title)
    guard estimate.flows.count > 1 else { return [("", sheet)] }
    return [("", sheet), ("_updates", IterationFigure(truth: sample.flow, updates: estimate.flows, title: title))]
  }
}

extension FlowField {
  /// A field of the same size where nothing moves.
  fileprivate init(zeroLike flow: FlowField) {
    self.init(height: flow.height, width: flow.width, vectors: [Float](repeating: 0, count: flow.vectors.count))
  }
}
