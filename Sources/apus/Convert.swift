import ArgumentParser
import Base
import Tasks
import Training

struct Convert: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Read, check, rename and write weights: PyTorch's .pth, .safetensors and checkpoints.",
    discussion: Apus.discussion("""
      Nothing in a .pth file is executed, nor in a snapshot of whole networks (.pkl), whose G_ema is taken unless --key names another.
      Without OUT the arrays are listed. With a model, every array must have the name and shape that it has there, under the authors'
      names or those of --names; what does not fit is named. What comes after the last dot of OUT tells the format to write:
      .safetensors, or .pth, which torch.load(OUT, weights_only=True) reads.
      16-bit floats are written as float32, whole numbers of fewer than 64 bits too.
      """, \.convert))

  @Argument(help: "A .pth, .pkl or .safetensors file, a checkpoint folder, or a run folder (its best checkpoint).")
  var input: String

  @Argument(help: "The file to write, .safetensors or .pth; left out: the arrays are listed.")
  var output: String?

  @Option(help: ArgumentHelp("Check against a published model: \(WeightModel.names.joined(separator: ", ")).", valueName: "name"))
  var model: String?

  @Option(help: ArgumentHelp("Check against the model of this config.", valueName: "file"))
  var config: String?

  @Option(parsing: .singleValue, help: ArgumentHelp("Override a value of the config; repeatable.", valueName: "key=value"))
  var set: [String] = []

  @Option(help: ArgumentHelp(
    "Names to write: \(WeightConversion.knownNames.joined(separator: ", ")). Left out: official for a known model, else as they are.",
    valueName: "names"))
  var names: String?

  @OptionGroup var arrays: WeightNameOptions

  @Flag(help: "Write what there is, and warn of what is missing, unexpected or of another shape.")
  var nonStrict = false

  @Flag(help: "List the arrays also when they are written.")
  var list = false

  func validate() throws {
    if model != nil, config != nil { throw ValidationError("--model and --config both name a model; give one of them.") }
    if config == nil, !set.isEmpty { throw ValidationError("--set overrides a value of a config; give --config, too.") }
    if nonStrict, model == nil, config == nil {
      throw ValidationError("--non-strict needs a model to compare with; give --model or --config.")
    }
    let known = WeightConversion.knownNames
    if let names, !known.contains(names) {
      throw ValidationError("There are no names '\(names)' for '--names <names>'; known are \(known.joined(separator: ", ")).")
    }
  }

  func run() throws {
    var conversion = WeightConversion(input: arrays.source(input))
    conversion.output = output
    conversion.names = names
    conversion.isStrict = !nonStrict
    conversion.lists = list
    if let model { conversion.model = try WeightModel(named: model) }
    if let config {
      let request = ConfigRequest(config, overrides: try set.map(ConfigOverride.init(setting:)))
      conversion.model = try request.learningTask().weightModel(request)
    }
    try StandardStreams.write(conversion.run { StandardStreams.complain("warning: \($0)\n") })
  }
}
