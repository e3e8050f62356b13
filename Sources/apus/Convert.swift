import ArgumentParser
import Foundation
import Tasks
import Training

struct Convert: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Read, check, rename and write weights: PyTorch's .pth, .safetensors and checkpoints.",
    discussion: """
      Nothing in a .pth file is executed. Without OUT the arrays are listed. With a model, every array must have the name and shape
      that it has there, under the authors' names or torchvision's; all that do not are named at once. What comes after the last dot
      of OUT tells the format to write: .safetensors, or .pth, which torch.load(OUT, weights_only=True) reads.
      16-bit floats are written as float32, whole numbers of fewer than 64 bits too.

      Examples:
        apus convert raft-things.pth
        apus convert raft-small.pth raft-small.safetensors --model raft-small
        apus convert work_dirs/demo/RUN for-torchvision.pth --model raft-small --names torchvision
        apus convert checkpoint.pth weights.safetensors --key state_dict --config configs/raft/small-chairs.yaml
      """)

  @Argument(help: "A .pth or .safetensors file, a checkpoint folder, or a run folder (its best checkpoint).")
  var input: String

  @Argument(help: "The file to write, .safetensors or .pth; left out: the arrays are listed.")
  var output: String?

  @Option(help: ArgumentHelp("Check against a published model: \(WeightModel.names.joined(separator: ", ")).", valueName: "name"))
  var model: String?

  @Option(help: ArgumentHelp("Check against the model of this config.", valueName: "file"))
  var config: String?

  @Option(parsing: .singleValue, help: ArgumentHelp("Override a value of the config; repeatable.", valueName: "key=value"))
  var set: [String] = []

  @Option(help: ArgumentHelp("Names to write: official or torchvision. Left out: official for a known model, else as they are.", valueName: "names"))
  var names: WeightNames?

  @Option(help: ArgumentHelp("The dictionary of tensors in a .pth file, such as state_dict or model.ema.", valueName: "path"))
  var key: String?

  @Option(help: ArgumentHelp("What the names shall lose at their beginning. Left out: module.", valueName: "text"))
  var prefix: String?

  @Flag(help: "Write what there is, and warn of what is missing, unexpected or of another shape.")
  var nonStrict = false

  @Flag(help: "List the arrays also when they are written.")
  var list = false

  func validate() throws {
    if model != nil, config != nil { throw ValidationError("--model and --config both name a model; give one of them.") }
    if config == nil, !set.isEmpty { throw ValidationError("--set overrides a value of a config; give --config, too.") }
    if nonStrict, model == nil, config == nil { throw ValidationError("--non-strict needs a model to compare with; give --model or --config.") }
  }

  func run() throws {
    var conversion = WeightConversion(input: input)
    (conversion.output, conversion.key, conversion.prefix, conversion.names) = (output, key, prefix, names)
    (conversion.isStrict, conversion.lists) = (!nonStrict, list)
    if let model { conversion.model = try WeightModel(named: model) }
    if let config {
      let overrides = try set.map(ConfigOverride.init(setting:))
      conversion.model = try weightModel(RecipeName.named(in: config, overrides: overrides).task, config, overrides)
    }
    print(try conversion.run { FileHandle.standardError.write(Data("warning: \($0)\n".utf8)) }, terminator: "")
  }

  private func weightModel<Task: LearningTask>(_ task: Task.Type, _ config: String, _ overrides: [ConfigOverride]) throws -> WeightModel {
    task.weightModel(try ConfigLoader(defaults: Task.Config()).load(file: config, overrides: overrides).value)
  }
}

extension WeightNames: ExpressibleByArgument {}
