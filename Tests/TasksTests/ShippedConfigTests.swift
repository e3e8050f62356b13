import Data
import Foundation
import Tasks
import Testing
import Training

/// Every config that comes with the program decodes and validates, and out-of-range values are told under their key path.
@Suite struct ShippedConfigTests {
  static let checkout = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// The paths below `configs`.
  static let configs: [String] = {
    let root = checkout.appending(path: "configs").path(percentEncoded: false)
    let files = FileManager.default.enumerator(atPath: root)?.compactMap { $0 as? String } ?? []
    return files.filter { $0.hasSuffix(".yaml") }.sorted().map { (root as NSString).appendingPathComponent($0) }
  }()

  @Test func thereAreSome() {
    #expect(Set(Self.configs.map { ($0 as NSString).lastPathComponent }).isSuperset(of: ["small-chairs.yaml", "demo.yaml", "generated.yaml", "pairs.yaml"]))
  }

  @Test(arguments: configs) func eachLoadsAndLoadsAgain(path: String) throws {
    func text<Task: ConfiguredTask>(_ task: Task.Type) throws -> (first: String, again: String) {
      let loader = ConfigLoader(defaults: Task.Config())
      let first = try loader.load(file: path).resolvedYAML
      return (first, try loader.load(yaml: first, named: "resolved").resolvedYAML)
    }
    let texts = try text(TaskName.named(in: path, overrides: []).task)
    #expect(texts.first == texts.again)
  }

  /// A shipped config opens with what it reproduces, what to expect, and the command that runs it.
  @Test(arguments: configs) func eachSaysHowItIsRun(path: String) throws {
    let comment = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").prefix { $0.hasPrefix("#") }.joined(separator: "\n")
    let name = "configs/" + (path.components(separatedBy: "/configs/").last ?? "")
    #expect(comment.contains("\n#   apus train \(name)") || comment.contains("\n#   apus track run \(name)") || comment.contains("\n#   make "))
    #expect(comment.contains("Expected") || comment.contains("Published"))
  }

  // MARK: Values

  private func problem(_ yaml: String) -> String {
    do {
      _ = try ConfigLoader(defaults: OpticalFlowConfig()).load(yaml: yaml, named: "c.yaml")
      return "none"
    } catch {
      return "\(error)"
    }
  }

  @Test(arguments: [
    ("brightness: -1", "'augmentation.brightness' is -1.0; allowed: 0 to 10"),
    ("contrast: 11", "'augmentation.contrast' is 11.0; allowed: 0 to 10"),
    ("saturation: .nan", "'augmentation.saturation' is nan; allowed: 0 to 10"),
    ("hue: 0.6", "'augmentation.hue' is 0.6; allowed: 0 to 0.5"),
    ("asymmetric_probability: 1.5", "'augmentation.asymmetric_probability' is 1.5; allowed: 0 to 1"),
    ("eraser_probability: -0.1", "'augmentation.eraser_probability' is -0.1; allowed: 0 to 1"),
    ("eraser_maximum_count: 0", "'augmentation.eraser_maximum_count' is 0; allowed: 1 to 1000"),
    ("eraser_minimum_side: 0", "'augmentation.eraser_minimum_side' is 0; allowed: 1 to 65536"),
    ("eraser_maximum_side: 49", "'augmentation.eraser_maximum_side' is 49; allowed: eraser_minimum_side (50) to 65536"),
    ("resize_probability: 2", "'augmentation.resize_probability' is 2.0; allowed: 0 to 1"),
    ("minimum_scale: -6", "'augmentation.minimum_scale' is -6.0; allowed: -5 to 5 (a binary logarithm)"),
    ("maximum_scale: -0.2", "'augmentation.maximum_scale' is -0.2; allowed: minimum_scale (-0.1) to 5 (a binary logarithm)"),
    ("stretch_probability: 1.01", "'augmentation.stretch_probability' is 1.01; allowed: 0 to 1"),
    ("maximum_stretch: -1", "'augmentation.maximum_stretch' is -1.0; allowed: 0 to 5"),
    ("crop_margin: -1", "'augmentation.crop_margin' is -1; allowed: 0 to 1024"),
    ("horizontal_flip_probability: 7", "'augmentation.horizontal_flip_probability' is 7.0; allowed: 0 to 1"),
    ("vertical_flip_probability: -1", "'augmentation.vertical_flip_probability' is -1.0; allowed: 0 to 1"),
    ("maximum_displacement: 0", "'augmentation.maximum_displacement' is 0.0; allowed: above 0"),
  ]) func augmentationValuesAreJudged(line: String, message: String) throws {
    #expect(problem("augmentation:\n  \(line)\n") == "c.yaml:2:\(line.prefix { $0 != " " }.count + 4): \(message)")
  }

  /// The network's demand on the crop is stricter than the augmentation's own: one message, not two.
  @Test func theCropIsJudgedOnce() {
    #expect(problem("augmentation: {crop_height: -8}\n") == "c.yaml:1:29: 'augmentation.crop_height' is -8; allowed: a multiple of 8, at least 128")
  }

  /// What a crop must have depends on the levels of the pyramid.
  @Test func theCropFollowsTheLevels() {
    let crop = "augmentation: {crop_height: 64}\n"
    #expect(problem(crop + "model: {correlation_levels: 3}\n") == "none")
    #expect(problem(crop + "model: {correlation_levels: 5}\n").contains("'augmentation.crop_height' is 64; allowed: a multiple of 8, at least 256"))
  }

  /// Choices are told under their names in files.
  @Test func variantsAreChosenByName() throws {
    let yaml = "model: {variant: large, update_operator: sep_conv_gru, correlation: on_the_fly, upsampling: bilinear, correlation_radius: 0}\n"
    #expect(problem(yaml) == "none")
    #expect(problem("model: {correlation: on-the-fly}\n").contains("on_the_fly"))
  }

  /// A default that contradicts what the file says is told where the file says it.
  @Test func contradictedDefaultsAreToldAtTheirSection() {
    let text = problem("plan:\n  steps: 3\naugmentation:\n  minimum_scale: 3\n")
    #expect(text == "c.yaml:4:3: 'augmentation.maximum_scale' is 1.0; allowed: minimum_scale (3.0) to 5 (a binary logarithm)")
  }

  @Test(arguments: [
    ("model: {correlation_levels: 0}", "model.correlation_levels"), ("model: {dropout: 1}", "model.dropout"),
    ("model: {correlation_radius: -2}", "model.correlation_radius"), ("model: {correlation_range: 20}", "model.correlation_range"),
    ("model: {weight_tying: untied, untied_blocks: 6}", "model.untied_blocks"), ("model: {weight_tying: untied}", "model.weight_tying"),
    ("model: {refinement: warping, feature_scale: multi}", "model.feature_scale"),
    ("model: {refinement: warping, correlation_range: 64}", "model.correlation_range"),
    ("optimizer: {beta1: 1}", "optimizer.beta1"), ("optimizer: {epsilon: 0}", "optimizer.epsilon"),
    ("optimizer: {weight_decay: -1}", "optimizer.weight_decay"), ("schedule: {pct_start: 2}", "schedule.pct_start"),
    ("train: {batch_size: 0}", "train.batch_size"), ("train: {workers: 65}", "train.workers"),
    ("loss: {gamma: 0}", "loss.gamma"), ("optimizer: {learning_rate: 0}", "optimizer.learning_rate"),
    ("validation: {limit: -1}", "validation.limit"), ("data: {root: ''}", "data.root"), ("plan: {steps: 0}", "plan.steps"),
  ]) func everySectionIsJudged(yaml: String, key: String) {
    let text = problem(yaml + "\n")
    #expect(text.hasPrefix("c.yaml:1:") && text.contains(": '\(key)' is ") && text.contains("; allowed: "), "\(text)")
  }
}
