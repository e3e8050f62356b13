import Base
import Models
import Training

extension RAFT.Config {
  /// Values that are out of range or contradict each other; keys are relative to the model's section.
  /// - Parameters:
  ///   - iterations: in training.
  ///   - inferenceIterations: in validation and prediction.
  func problems(iterations: Int, inferenceIterations: Int) -> [ConfigProblem] {
    var problems: [ConfigProblem] = []
    problems.require((1...6).contains(correlationLevels), "correlation_levels", correlationLevels, "1 to 6")
    problems.require((-1...16).contains(correlationRadius), "correlation_radius", correlationRadius, "0 to 16, or -1: the preset's")
    let isRange = (0...1_000_000).contains(correlationRange) && correlationRange % RAFT.stride == 0
    problems.require(isRange, "correlation_range", correlationRange, "a multiple of \(RAFT.stride) pixels, or 0: all pairs")
    problems.require((0..<1).contains(dropout), "dropout", dropout, "0 or more, below 1")
    problems.require((1...1000).contains(untiedBlocks), "untied_blocks", untiedBlocks, "1 to 1000")
    if weightTying == .untied {
      problems.require(untiedBlocks == iterations, "untied_blocks", untiedBlocks, "train.iterations (\(iterations)), one block for each")
      problems.require(inferenceIterations <= untiedBlocks, "weight_tying", weightTying.configName,
        "tied, or inference.iterations (\(inferenceIterations)) of at most untied_blocks (\(untiedBlocks))")
    }
    if refinement == .warping {  // warped features know neither pyramid nor range
      problems.require(featureScale == .single, "feature_scale", featureScale.configName, "single, with refinement: warping")
      problems.require(correlationRange == 0, "correlation_range", correlationRange, "0, with refinement: warping")
    }
    return problems
  }
}
