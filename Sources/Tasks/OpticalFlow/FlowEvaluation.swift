import Base
import Data
import Drawing
import Tensors
import Training
import Vision

extension OpticalFlow {
  /// The numbers of `metricNames`.
  static func metrics(_ errors: EndPointError) -> Metrics {
    ["epe": errors.mean, "1px": errors.fractionBelow1, "3px": errors.fractionBelow3, "5px": errors.fractionBelow5,
     "kitti_epe": errors.meanOfImages, "kitti_f1": 100 * errors.outlierShare]
  }

  public static func meaning(of metric: String) -> String {
    switch metric {
    case "epe": "px, mean error of all known pixels"
    case "1px", "3px", "5px": "share of pixels with an error below \(metric.prefix(1)) px"
    case "kitti_epe": "px, mean of the images' mean errors"
    case "kitti_f1": "%, pixels with an error above 3 px and above 5 %"
    case MotionRange.below10.name: "px, mean error of pixels that move less than 10 px"
    case MotionRange.from10To40.name: "px, of those that move 10 px or more, less than 40"
    case MotionRange.from40.name: "px, of those that move 40 px or more"
    case "epe_matched": "px, mean error of pixels that image 2 shows"
    case "epe_unmatched": "px, of occluded pixels"
    case "occlusion_f1": "F1 of occlusion from flow and flow back"
    case "epe_of_zero_flow": "px, epe if nothing is said to move"
    case "pairs": "evaluated"
    default: ""
    }
  }

  /// What training logs, and besides: the error by true speed as far as such pixels exist, by occlusion where the data set knows it, the
  /// score of estimated occlusion if the config asks for it too, and the error of zero flow.
  public static func evaluate(
    _ config: OpticalFlowConfig, weights: String, visuals: String?, progress: (Int, Int) -> Void
  ) throws -> Metrics {
    guard let data = try config.validation.open("validation") else {
      throw Failure(.usage, at: "validation.format", "'none' leaves nothing to evaluate on", remedy: "Choose a format with data, such as flying_chairs.")
    }
    let estimator = try estimator(config, weights)
    let indices = config.validation.indices(of: data.count)
    var done = 0, still = EndPointError(), occlusion = OcclusionScore()
    if let visuals { try File.createFolder(visuals) }
    let errors = try estimator.errors(on: data, indices, showsUpdates: { _ in visuals != nil }) { index, sample, estimate in
      still.add(predicted: FlowField(zeroLike: sample.flow), truth: sample.flow)
      if config.prediction.occlusion, let truth = sample.occlusion {
        let back = estimator(sample.image2, sample.image1).flow
        occlusion.add(predicted: config.prediction.check.occlusion(forward: estimate.flow, backward: back), truth: truth)
      }
      if let visuals {
        let name = data.name(of: index)
        for (suffix, figure) in pictures(of: sample, estimate, title: name) { try figure.write(to: "\(visuals)/\(name)\(suffix).png") }
      }
      done += 1
      progress(done, indices.count)
    }
    var metrics = metrics(errors)
    for range in MotionRange.allCases { metrics[range.name] = errors.mean(of: range) }
    metrics["epe_matched"] = errors.matched.mean
    metrics["epe_unmatched"] = errors.unmatched.mean
    metrics["occlusion_f1"] = occlusion.f1
    metrics["epe_of_zero_flow"] = still.mean
    metrics["pairs"] = Double(indices.count)
    return metrics
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
