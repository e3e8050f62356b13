import ArgumentParser
import Base
import Experiments
import Foundation
import Training

struct Ablate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run an experiment: variants of a config with several seeds, and the table that compares them.",
    discussion: """
      Every variant is held against the config's schema before the first job. Jobs are trained and evaluated in processes of their own; what
      is finished is kept, what was cut goes on to the same bits, and a variant that fails does not keep the others from running (exit code
      1 at the end). The same command starts, continues and, when all is done, writes the tables again. Of the budgets only steps give the
      same bits everywhere: how many steps fit into minutes depends on the machine.

      Examples:
        apus ablate Experiments/QUESTION/spec.yaml --dry-run
        apus ablate Experiments/QUESTION/spec.yaml --threads-per-job 1
        apus ablate Experiments/QUESTION/spec.yaml --launcher slurm --threads-per-job 8
      """)

  enum Launcher: String, ExpressibleByArgument, CaseIterable { case local, slurm }

  @Argument(help: "The spec (YAML): question, base, baseline, variants, seeds, budget.")
  var spec: String

  @Flag(help: "Print the plan and run nothing.")
  var dryRun = false

  @Option(help: ArgumentHelp("The folder of all runs, instead of work_dirs/experiments/<name>.", valueName: "folder"))
  var out: String?

  @Flag(help: "Stop at the first job that fails; those at work save and end.")
  var failFast = false

  @Option(parsing: .unconditional, help: "Cores for all jobs together; left out: all of this machine.")
  var cores: Int?

  @Option(parsing: .unconditional, help: ArgumentHelp("Memory for all jobs together; left out: whatever they take.", valueName: "GiB"))
  var memory: Double?

  @Option(parsing: .unconditional, help: "Threads of each job; left out: all cores, one job at a time. No result depends on it.")
  var threadsPerJob: Int?

  @Option(help: "local runs the jobs here; slurm writes a batch script with one task for each job, and submits nothing.")
  var launcher = Launcher.local

  @Option(parsing: .unconditional, help: ArgumentHelp("Run only this job of the plan, as a task of a batch system does.", valueName: "N"))
  var job: Int?

  func run() throws {
    let limits = try limits()
    let ablation = try Ablation(spec: spec, out: out)
    if launcher == .slurm {
      let script = SlurmScript(ablation, limits)
      if dryRun { return try StandardStreams.write(script.text) }
      try script.write()
      return try StandardStreams.write("\(script.path): \(ablation.jobCount) tasks; submit it with sbatch\n")
    }
    let program = Bundle.main.executableURL?.path(percentEncoded: false) ?? CommandLine.arguments[0]
    let say: (String) -> Void = { StandardStreams.complain("\($0)\n") }
    let code: Int32
    if let job {
      code = try ablation.run(job: job, limits, program: program, say: say)
    } else {
      try StandardStreams.write(ablation.plan(limits) + "\n")
      if dryRun { return }
      code = try ablation.run(limits, program: program, say: say)
      try StandardStreams.write(try File.text(at: "\(ablation.out)/table.md"))
    }
    if code != 0 { throw ExitCode(code) }
  }

  private func limits() throws -> JobLimits {
    for (option, value) in [("--cores", cores), ("--threads-per-job", threadsPerJob)] {
      if let value, !(1...4096).contains(value) { throw Failure(.usage, at: option, "\(value) is out of range, expected 1 to 4096") }
    }
    if let memory, !(memory > 0 && memory <= 1e6) {
      throw Failure(.usage, at: "--memory", "\(memory) is out of range, expected above 0, in GiB")
    }
    let all = cores ?? ProcessInfo.processInfo.activeProcessorCount
    if let threadsPerJob, threadsPerJob > all, launcher == .local {
      throw Failure(.usage, at: "--threads-per-job", "\(threadsPerJob) threads for one job, but \(all) cores for all",
                    remedy: "Give more --cores.")
    }
    var limits = JobLimits(cores: all, threads: threadsPerJob)
    limits.memory = memory.map { Int($0 * 1024) << 20 }
    limits.failsFast = failFast
    return limits
  }
}
