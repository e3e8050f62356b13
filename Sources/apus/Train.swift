import ArgumentParser
import Foundation
import Tasks
import Tensors
import Training

struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train a model from a config file, or continue.",
    discussion: """
      Without --work-dir every run gets a folder of its own, work_dirs/<config>/<time>-<hash>. With --resume auto the same command
      starts a run and, after an interruption, continues it to the same bits.

      Examples:
        apus train configs/raft/demo.yaml
        apus train configs/raft/demo.yaml --resume auto
        apus train configs/raft/pairs.yaml --set data.root=my_pairs --steps 500 --work-dir work_dirs/mine
      """)

  @OptionGroup var options: ConfigOptions

  @Option(help: "The run folder itself, instead of a new one below work_dirs.")
  var workDir: String?

  @Option(help: ArgumentHelp("Continue the newest sound checkpoint ('auto'), or a run or checkpoint folder.", valueName: "auto|path"))
  var resume: String?

  @Option(help: "Start from these weights: a .safetensors or .pth file, a checkpoint or a run folder.")
  var loadFrom: String?

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

  func run() throws {
    let overrides = try options.overrides([("plan.seed", seed, "--seed"), ("plan.steps", steps, "--steps")])
    try train(options.task(overrides), overrides)
  }

  private func train<Task: LearningTask>(_ task: Task.Type, _ overrides: [ConfigOverride]) throws {
    let loaded = try options.load(task, overrides)
    let recipe = try task.recipe(loaded.value, weights: loadFrom)
    var request = RunRequest(configPath: options.config, resolvedYAML: loaded.resolvedYAML)
    request.overrides = overrides
    request.workDirectory = workDir
    request.resume = resume.map { $0 == "auto" ? .auto : .from($0) } ?? .never
    let facts = EnvironmentFacts.gathered(isa: MatmulPrecision.description, threads: ThreadPool.shared.threadCount)
    let opened = try RunFolder.open(request, environment: facts)
    var trainer = try Trainer(recipe, plan: loaded.value.plan, opened: opened, console: Console(progress))
    if let profile { return print(try trainer.profile(steps: profile).table, terminator: "") }
    let outcome = try trainer.run()
    try TrainingCurves.draw(runFolder: opened.folder.path)
    if outcome != .completed { throw ExitCode(outcome.exitCode) }
  }
}

extension ProgressMode: ExpressibleByArgument {}
