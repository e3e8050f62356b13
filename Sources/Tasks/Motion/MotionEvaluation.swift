import Base
import Data
import Models
import Networks
import Tensors
import Training
import Vision

/// Judges predicted boxes some frames ahead, beside what needs no network: constant velocity, and the Kalman filter of DeepSORT.
struct MotionEvaluator: Evaluator {
  /// Frames ahead at which boxes are judged.
  static let horizons = [1, 5, 10]
  /// The predictors by the beginning of their metrics' names.
  static let predictors = [
    (name: "", title: "the network"), (name: "velocity_", title: "constant velocity"), (name: "kalman_", title: "the Kalman filter"),
  ]

  /// Boxes of the frames ahead, of each predictor.
  typealias Prediction = [[BoundingBox]]

  private var sums: Metrics = [:]
  private var count = 0

  mutating func add(_ prediction: Prediction, _ truth: MotionSample) {
    count += 1
    for score in scores(of: prediction, truth) { sums[score.metric] = (sums[score.metric] ?? 0) + score.value }
  }

  /// IoU in percent, and the distance of the centres in sizes of the true box.
  func scores(of prediction: Prediction, _ truth: MotionSample) -> [SampleScore] {
    let seen = truth.observed.count
    return zip(Self.predictors, prediction).flatMap { predictor, boxes in
      Self.horizons.flatMap { ahead -> [SampleScore] in
        let (found, own) = (boxes[ahead - 1], truth.truth[seen + ahead - 1])
        let error = BoxDisplacement(from: own, to: found).values
        let distance = (error.x * error.x + error.y * error.y).squareRoot()
        return [SampleScore("\(predictor.name)IoU_\(ahead)", 100 * found.iou(with: own)),
                SampleScore("\(predictor.name)error_\(ahead)", distance)]
      }
    }
  }

  func result() throws -> Metrics {
    guard count > 0 else { throw Failure(.badData, at: "validation.root", "there is no piece of a track to judge by") }
    var metrics: Metrics = [:]
    for sum in sums { metrics[sum.name] = sum.value / Double(count) }
    return metrics
  }

  // MARK: Without a network

  /// Frames from which constant velocity takes its speed.
  private static let velocityFrames = 5

  /// The last box moved on by the mean motion of the last frames; its size stays.
  static func constantVelocity(_ observed: [BoundingBox?], ahead: Int) -> [BoundingBox] {
    let seen = observed.enumerated().compactMap { frame, box in box.map { (frame: frame, box: $0) } }
    guard let last = seen.last else { return [] }
    let first = seen.first { $0.frame >= last.frame - velocityFrames } ?? last
    let velocity = first.frame == last.frame ? SIMD2(0, 0) : (last.box.center - first.box.center) / Double(last.frame - first.frame)
    let missed = observed.count - 1 - last.frame
    return (1...ahead).map { frame in
      let shift = velocity * Double(missed + frame)
      return BoundingBox(x: last.box.x + shift.x, y: last.box.y + shift.y, width: last.box.width, height: last.box.height)
    }
  }

  /// The Kalman filter of DeepSORT after all boxes.
  static func kalman(_ observed: [BoundingBox?], ahead: Int) -> [BoundingBox] {
    guard let first = observed.first, var last = first, var motion = DeepSORTMotion(following: observed) else { return [] }
    return (0..<ahead).map { _ in
      last = motion.predict() ?? last
      return last
    }
  }
}

/// The validation set with noise of its own, the same in every evaluation.
private struct NoisyWindows: Dataset {
  let windows: TrackWindows
  let noise: BoxNoise
  let history: Int
  let seed: UInt64

  var count: Int { windows.count }
  func name(of index: Int) -> String { windows.name(of: index) }

  func sample(at index: Int) -> MotionSample {
    var random = Random(seed: seed, stream: .noise, sample: index)
    return MotionSample(windows.sample(at: index).boxes, seen: history + 1, noise, &random)
  }
}

extension Motion: EvaluationTask {
  public static let metrics = MotionEvaluator.predictors.flatMap { predictor in
    MotionEvaluator.horizons.flatMap { ahead in
      [MetricKind("\(predictor.name)IoU_\(ahead)", unit: "%", "IoU \(ahead) frames ahead, by \(predictor.title)", better: .higher),
       MetricKind("\(predictor.name)error_\(ahead)", "distance of the centres in box sizes, \(ahead) frames ahead", better: .lower)]
    }
  }

  static func validationSet(_ config: MotionConfig) throws -> TrackWindows? {
    let ahead = MotionEvaluator.horizons.max() ?? 1
    let length = config.window.history + 1 + ahead
    return try config.validation.sequences().map { try TrackWindows($0, length: length, stride: config.window.stride) }
  }

  public static func evaluate(
    _ config: MotionConfig, _ model: MotionLSTM, visuals: String?, _ monitor: EvaluationMonitor
  ) throws -> EvaluationReport {
    if let visuals { throw Failure(.usage, at: "--save-visuals \(visuals)", "predicted boxes have no pictures", remedy: "Leave it out.") }
    guard let windows = try validationSet(config) else {
      throw Failure(.usage, at: "validation.root", "'' leaves nothing to evaluate on", remedy: "Name a folder of sequences in MOT layout.")
    }
    return try judge(model, config, on: windows, monitor)
  }

  static func judge(
    _ model: MotionLSTM, _ config: MotionConfig, on windows: TrackWindows, _ monitor: EvaluationMonitor
  ) throws -> EvaluationReport {
    let data = NoisyWindows(windows: windows, noise: config.noise, history: config.window.history, seed: UInt64(config.plan.seed))
    let indices = config.validation.indices(of: windows.count)
    let pass = EvaluationPass<MotionSample>(
      data, indices, batchSize: config.inference.batchSize, workers: config.train.workers, monitor: monitor)
    let forecaster = MotionForecaster(model, history: config.window.history)
    let ahead = MotionEvaluator.horizons.max() ?? 1
    var evaluator = MotionEvaluator()
    try pass.run(&evaluator) { _, samples in
      zip(samples, forecaster.boxes(after: samples.map(\.observed), frames: ahead)).map { sample, boxes in
        [boxes, MotionEvaluator.constantVelocity(sample.observed, ahead: ahead), MotionEvaluator.kalman(sample.observed, ahead: ahead)]
      }
    }
    let note = "\(indices.count) pieces of \(config.window.history + 1) frames with \(config.noise.words), and what follows them"
    return EvaluationReport(metrics: try evaluator.result(), notes: [note])
  }
}

extension BoxNoise {
  /// `8 % misses and a jitter of 3 %`.
  var words: String { "\(Int((100 * missRate).rounded())) % misses and a jitter of \(Int((100 * jitter).rounded())) %" }
}
