import ArgumentParser
import Base
import Tasks
import Training

struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train a model from a config file, or continue.",
    discussion: Apus.discussion("""
      Without --work-dir every run gets a folder of its own, work_dirs/<config>/<time>-<hash>. With --resume auto the same command
      starts a run and, after an interruption, continues it to the same bits.
      """, \.train))

  @OptionGroup var options: ConfigOptions

  @Option(help: "The run folder itself, instead of a new one below work_dirs.")
  var workDir: String?

  @Option(help: ArgumentHelp("Continue the newest sound checkpoint ('auto'), or a run or checkpoint folder.", valueName: "auto|path"))
  var resume: String?

  @Option(help: "Start from these weights: a .safetensors or .pth file, a checkpoint or a run folder.")
  var loadFrom: String?

  @OptionGroup var names: WeightNameOptions

  @Option(parsing: .unconditional, help: "The seed of everything random.")
  var seed: Int?

  @Option(parsing: .unconditional, help: "Updates in the whole run.")
  var steps: Int?

  @Option(help: "How progress is shown: auto, bar, plain or none.")
  var progress = ProgressMode.auto

  @Option(parsing: .unconditional, help: ArgumentHelp(
    "Profile N steps after 3 that warm up: print time, speed and memory of every op, write trace.json (for ui.perfetto.dev) to the run "
      + "folder, and stop. Nothing is evaluated or saved.", valueName: "N"))
  var profile: Int?

  func validate() throws {
    if loadFrom == nil, names.key != nil || names.prefix != nil {
      throw ValidationError("--key and --prefix say how to read the weights of --load-from; give --load-from, too.")
    }
  }

  func run() throws {
    let own = [("plan.seed", seed, "--seed"), ("plan.steps", steps, "--steps")].compactMap { key, value, option in
      value.map { ConfigOverride(key: key, value: "\($0)", option: "\(option) \($0)") }
    } + (steps == nil ? [] : [ConfigOverride(key: "plan.epochs", value: "0", option: "--steps")])
    var request = TrainingRequest(config: try options.request(own))
    request.workDirectory = workDir
    request.resume = resume.map { $0 == "auto" ? .auto : .from($0) } ?? .never
    request.weights = loadFrom.map(names.source)
    request.profile = profile
    let task = try request.config.learningTask()
    switch try task.train(request, console: Console(progress)) {
    case .profile(let table): try StandardStreams.write(table)
    case .run(.completed): break
    case .run(let outcome): throw ExitCode(outcome.exitCode)
    }
  }
}

extension ProgressMode: ExpressibleByArgument {}
