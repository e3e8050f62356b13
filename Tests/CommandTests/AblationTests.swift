import Base
import Experiments
import Foundation
import Testing

/// `apus ablate` on generated pairs: two variants of a few steps.
@Suite(.serialized) struct AblationTests {
  private static let out = "work_dirs/experiments/few"
  private static let jobs = ["one/seed-1", "two/seed-1", "one/seed-2", "two/seed-2"]

  /// A folder with data, config and `exp/few/spec.yaml`.
  /// - Parameter variants: further ones.
  private static func workplace(steps: Int = 3, variants: String = "", seeds: String = "2") throws -> Workplace {
    let place = try Workplace(plan: "log_every: 1, evaluate_every: 0, save_every: 2")
    try FileManager.default.copyItem(atPath: pairs.get().place.path("pairs"), toPath: place.path("pairs"))
    try place.write("exp/few/spec.yaml", """
      question: Do more updates help?
      base: ../../config.yaml
      baseline: one
      seeds: \(seeds)
      budget: {steps: \(steps)}
      metrics: [epe, 1px]
      variants:
      - {name: one, label: 1 update, paper: {clean: 3.2}}
      - {name: two, label: 2 updates, paper: {clean: 2.1}, set: {train: {iterations: 2}, inference: {iterations: 2}}}
      \(variants)
      """)
    return place
  }

  /// A folder with the data of all tests.
  private static let pairs = Result {
    let place = try Workplace()
    try place.generatePairs()
    return Kept(place)
  }

  private static let command = ["ablate", "exp/few/spec.yaml", "--threads-per-job", "1"]

  /// Runs the experiment to its end; on a machine at work elsewhere that takes minutes.
  private static func ablate(_ place: Workplace, _ options: [String] = []) throws -> Outcome {
    try place.start(command + options).wait(atMost: 600)
  }

  /// The table, the samples and what was kept of an experiment without any interruption.
  private static let reference = Result {
    let place = try workplace()
    let outcome = try ablate(place)
    expectSuccess(outcome)
    return try (table: Self.tables(place), output: outcome.output, place: Kept(place))
  }

  private final class Kept: @unchecked Sendable {
    // Safety: only read after it was made.
    let place: Workplace
    init(_ place: Workplace) { self.place = place }
  }

  private static func tables(_ place: Workplace) throws -> [String] {
    try ["table.md", "table.csv", "table.tex"].map { try place.text("\(out)/\($0)") }
  }

  private static func modified(_ place: Workplace, _ job: String) throws -> Date? {
    let path = place.path("\(out)/\(job)/job.json")
    guard (try? File.text(at: path).contains("\"finished\"")) == true else { return nil }
    return try FileManager.default.attributesOfItem(atPath: path)[.modificationDate] as? Date
  }

  @Test func theTableComesOut() throws {
    let (tables, output, kept) = try Self.reference.get()
    #expect(output.hasSuffix(tables[0]) && tables[0].hasPrefix("# Do more updates help?\n"))
    #expect(tables[0].contains("| 1 update | 3.2 | ") && tables[0].contains("| 2 updates | 2.1 | "))
    #expect(!tables.joined().contains(kept.place.folder), "no path of the machine")
    let result = try ExperimentResult(folder: kept.place.path(Self.out))
    #expect(result.variants.flatMap(\.seeds).allSatisfy { $0.status == .finished && $0.step == 3 && $0.metrics["epe"] != nil })
    #expect(result.variants[1].summaries[0].interval != nil && result.data?.count == 8)
    for job in Self.jobs {
      for name in ["config.yaml", "metrics.jsonl", "env.json", "overrides.txt", "samples.csv", "evaluation.json", "job.json"] {
        #expect(kept.place.exists("\(Self.out)/\(job)/\(name)"), "\(job)/\(name)")
      }
    }
    #expect(try kept.place.text("\(Self.out)/two/seed-2/overrides.txt").hasPrefix("--set train.iterations=2\n--set inference.iterations=2\n"))
  }

  /// The runner is killed three times, and its trainings go with it.
  @Test func killedThreeTimes() throws {
    let place = try Self.workplace()
    for count in 1...3 {
      let pause = UInt32.random(in: 0...3_000_000)
      print("kill \(count): \(pause) microseconds after a job began")
      let command = try place.start(Self.command)
      let deadline = Date(timeIntervalSinceNow: 60)
      while command.isRunning, try !place.text("logs/\(count).err").contains("] "), Date() < deadline { usleep(2000) }
      usleep(pause)
      let finished = try Self.jobs.map { try Self.modified(place, $0) }
      command.send(SIGKILL)
      _ = try command.wait()
      let again = try Self.jobs.map { try Self.modified(place, $0) }
      for (before, after) in zip(finished, again) where before != nil { #expect(before == after) }
    }
    let finished = try Self.jobs.map { try Self.modified(place, $0) }
    let outcome = try Self.ablate(place)
    #expect(outcome.exit == 0, "\(outcome.errors)")
    for (job, before) in zip(Self.jobs, finished) where before != nil { #expect(try Self.modified(place, job) == before, "\(job)") }
    let reference = try Self.reference.get()
    #expect(try Self.tables(place) == reference.table)
    for job in Self.jobs {
      #expect(try place.text("\(Self.out)/\(job)/samples.csv") == reference.place.place.text("\(Self.out)/\(job)/samples.csv"), "\(job)")
    }
    let before = try Self.jobs.map { try Self.modified(place, $0) }
    expectSuccess(try Self.ablate(place))
    #expect(try Self.jobs.map { try Self.modified(place, $0) } == before, "what is finished is left alone")
  }

  @Test(arguments: [(15, 143), (2, 130), (10, 75)] as [(Int32, Int32)])  // SIGTERM, SIGINT, SIGUSR1
  func aSignalIsPassedOn(signal: Int32, code: Int32) throws {
    let place = try Self.workplace(steps: 40, seeds: "1")
    let command = try place.start(Self.command)
    let deadline = Date(timeIntervalSinceNow: 60)
    while !place.exists("\(Self.out)/one/seed-1/last_checkpoint"), Date() < deadline { usleep(2000) }
    command.send(signal)
    let outcome = try command.wait()
    #expect(outcome.exit == code && outcome.errors.contains("the same command goes on where it was"), "\(outcome.errors)")
    #expect(try place.text("\(Self.out)/one/seed-1/run.json").contains("\"stopped\""))
    #expect(try place.text("\(Self.out)/one/seed-1/job.json").contains("\"started\""))
  }

  /// Of variants that differ only in how weights are used, the first is trained; the others are judged as a run of their own would be.
  @Test func variantsOfOneTrainingAreTrainedOnce() throws {
    let place = try Self.workplace(variants: "- {name: five, label: 5 updates, set: {inference: {iterations: 5}}}", seeds: "1")
    let outcome = try Self.ablate(place)
    expectSuccess(outcome)
    #expect(outcome.errors.contains("five, seed 1: evaluating the weights of one, seed 1"), "\(outcome.errors)")
    #expect(outcome.output.contains("- 5 updates: trained once for it and 1 update, which differ in 'inference' only"), "\(outcome.output)")
    #expect(!place.exists("\(Self.out)/five/seed-1/metrics.jsonl"))
    let seeds = try ExperimentResult(folder: place.path(Self.out)).variants.map { $0.seeds[0] }
    #expect(seeds.map(\.weights) == [nil, nil, "one/seed-1"] && seeds.map(\.step) == [3, 3, 3])
    let words = "evaluate config.yaml --weights \(Self.out)/one/seed-1 --set inference.iterations=5 --json"
    let alone = try place.apus(words.split(separator: " ").map(String.init))
    expectSuccess(alone)
    #expect(try place.text("\(Self.out)/five/seed-1/evaluation.json") == alone.output)
    expectSuccess(try place.apus("report", Self.out, "--out", "page"))
  }

  @Test func whatStandsAboveTheVariantsHoldsForAll() throws {
    let place = try Self.workplace(seeds: "1")
    let spec = try place.text("exp/few/spec.yaml")
    try place.write("exp/few/spec.yaml", spec + "\nset: {optimizer: {weight_decay: 0.125}, train: {iterations: 3}}\n")
    expectSuccess(try Self.ablate(place))
    let configs = try ["one", "two"].map { try place.text("\(Self.out)/\($0)/seed-1/config.yaml") }
    #expect(configs.allSatisfy { $0.contains("weight_decay: 0.125") }, "\(configs[0])")
    #expect(configs[0].contains("iterations: 3") && !configs[1].contains("iterations: 3"), "a variant's own values count more")
    let result = try ExperimentResult(folder: place.path(Self.out))
    #expect(result.variants.map(\.overrides) == [[], ["train.iterations=2", "inference.iterations=2"]])
  }

  /// A task that is not trained: jobs are evaluations, and neither budget nor seeds are allowed.
  @Test func trackersAreComparedWithoutTraining() throws {
    let place = try Workplace()
    for name in ["walks/a", "walks/b"] { try place.writeSequence(name, frames: 30) }
    let spec = """
      base: \(Workplace.checkout)/configs/tracking/sort.yaml
      metrics: [MOTA, IDsw]
      set: {validation: {root: walks, benchmark: mot16}}
      variants: [{name: sort}, {name: patient, set: {sort: {max_age: 5}}}]
      """
    try place.write("exp/walks/spec.yaml", spec)
    let outcome = try place.apus("ablate", "exp/walks/spec.yaml", "--threads-per-job", "1")
    expectSuccess(outcome)
    #expect(!outcome.output.contains("steps a job") && outcome.errors.contains("patient, seed 1: evaluating"), "\(outcome.errors)")
    let result = try ExperimentResult(folder: place.path("work_dirs/experiments/walks"))
    #expect(result.budget.isEmpty && result.variants.allSatisfy { $0.seeds[0].status == .finished && $0.seeds[0].step == nil })
    #expect(result.variants[1].summaries[0].interval != nil, "the samples are the sequences")
    try place.write("exp/walks/spec.yaml", spec + "\nbudget: {steps: 3}\nseeds: 2\n")
    expectFailure(try place.apus("ablate", "exp/walks/spec.yaml"), 64, "'budget': the task 'tracking' is not trained; leave it out",
                  "'seeds': the task 'tracking' is not trained")
  }

  @Test func aFailingVariantDoesNotKeepTheOthers() throws {
    let place = try Self.workplace(variants: "- {name: broken, set: {initialize: {from: none.safetensors}}}", seeds: "1")
    let outcome = try Self.ablate(place)
    #expect(outcome.exit == 1, "\(outcome.errors)")
    #expect(outcome.errors.contains("broken, seed 1: failed: training: none.safetensors: there is no such weight file"), "\(outcome.errors)")
    #expect(outcome.errors.contains("1 of 3 jobs failed: broken, seed 1; the same command tries them again"))
    #expect(outcome.output.contains("- broken: 0 of 1 seeds; seed 1 failed"))
    let result = try ExperimentResult(folder: place.path(Self.out))
    #expect(result.variants.map { $0.seeds[0].status } == [.finished, .finished, .failed])
    try place.write("none.safetensors", place.bytes("\(Self.out)/one/seed-1/checkpoints/step_00000003/model.safetensors"))
    expectSuccess(try Self.ablate(place))
    #expect(try place.text("\(Self.out)/table.md").contains("| broken |  | "))
  }

  @Test func theFirstFailureEndsItIfAsked() throws {
    let place = try Self.workplace(variants: "- {name: late, set: {train: {iterations: 3}}}", seeds: "1")
    let spec = try place.text("exp/few/spec.yaml").replacing("{name: one, ", with: "{name: one, set: {initialize: {from: none.pth}}, ")
    try place.write("exp/few/spec.yaml", spec)
    let outcome = try place.apus("ablate", "exp/few/spec.yaml", "--fail-fast", "--cores", "1")
    #expect(outcome.exit == 1 && !outcome.errors.contains("late, seed 1: training"), "\(outcome.errors)")
  }

  @Test func aChangedSpecAndChangedDataAreRefused() throws {
    let place = try Self.workplace(seeds: "1")
    expectSuccess(try Self.ablate(place))
    let spec = try place.text("exp/few/spec.yaml")
    try place.write("exp/few/spec.yaml", spec.replacing("train: {iterations: 2}", with: "train: {iterations: 3}"))
    expectFailure(try Self.ablate(place), 64, "two, seed 1: train.iterations: 2 -> 3", "choose another --out")
    try place.write("exp/few/spec.yaml", spec.replacing("steps: 3", with: "steps: 4"))
    expectFailure(try Self.ablate(place), 64, "one, seed 1: plan.steps: 3 -> 4")
    // Another label or one more seed changes no job that is done.
    try place.write("exp/few/spec.yaml", spec.replacing("2 updates", with: "two updates").replacing("seeds: 1", with: "seeds: 2"))
    let plan = try Self.ablate(place, ["--dry-run"])
    expectSuccess(plan)
    #expect(plan.output.contains("jobs       4, 2 finished"), "\(plan.output)")
    try place.flipByte(of: "pairs/data/00001_flow.flo", at: 2000)
    expectFailure(try Self.ablate(place), 65, "one, seed 1: the data are others: checksum ", "two, seed 1: the data")
    try place.flipByte(of: "pairs/data/00001_flow.flo", at: 2000)
    try place.write("exp/few/spec.yaml", spec)
    expectSuccess(try Self.ablate(place))
  }

  @Test func aMissingSeedStandsInTheTable() throws {
    let place = try Self.workplace(seeds: "1")
    expectSuccess(try Self.ablate(place))
    try place.write("exp/few/spec.yaml", place.text("exp/few/spec.yaml").replacing("seeds: 1", with: "seeds: 2"))
    let command = try place.start(Self.command)
    usleep(200_000)
    command.send(SIGTERM)
    _ = try command.wait()
    let table = try place.text("\(Self.out)/table.md")
    #expect(table.contains("| 1 of 2 |") && table.contains("- 1 update: 1 of 2 seeds; seed 2 is missing"), "\(table)")
  }

  /// Two specs of one name would share a folder: the second is refused before it touches anything.
  @Test func theFolderOfAnotherExperimentIsRefused() throws {
    let place = try Self.workplace(seeds: "1")
    expectSuccess(try Self.ablate(place))
    let tables = try Self.tables(place)
    let spec = try place.text("exp/few/spec.yaml").replacing("../../config", with: "../../../config")
    try place.write("exp/more/few/spec.yaml", spec.replacing("one", with: "uno").replacing("two", with: "due"))
    expectFailure(try place.apus("ablate", "exp/more/few/spec.yaml", "--dry-run"), 64, "results of another experiment", "one, two")
    #expect(try Self.tables(place) == tables)
    expectFailure(try Self.ablate(place, ["--out", "pairs/data/out"]), 64, "--out pairs/data/out", "among the data of 'data.root'")
  }

  @Test func ofTwoStartsTheSecondIsRefused() throws {
    let place = try Self.workplace(steps: 30, seeds: "1")
    let first = try place.start(Self.command)
    let deadline = Date(timeIntervalSinceNow: 60)
    while (try? place.text("\(Self.out)/ablate.lock"))?.isEmpty != false, Date() < deadline { usleep(2000) }
    expectFailure(try Self.ablate(place), 73, "another process (pid ", "is writing to this experiment", "another --out")
    first.send(SIGTERM)
    #expect(try first.wait().exit == 143)
  }

  @Test func aBatchSystemRunsOneJobATime() throws {
    let place = try Self.workplace(seeds: "1")
    let outcome = try Self.ablate(place, ["--launcher", "slurm"])
    expectSuccess(outcome)
    let script = try place.text("\(Self.out)/ablate.sbatch")
    for line in ["#SBATCH --array=1-2\n", "#SBATCH --signal=USR1@90\n", "#SBATCH --requeue\n", "--job \"$SLURM_ARRAY_TASK_ID\""] {
      #expect(script.contains(line), "\(script)")
    }
    #expect(try place.shell("bash -n \(Self.out)/ablate.sbatch").exit == 0)
    expectFailure(try Self.ablate(place, ["--job", "3"]), 64, "the experiment has the jobs 1 to 2")
    for job in ["1", "2", "2"] { expectSuccess(try Self.ablate(place, ["--job", job])) }
    let all = try Self.ablate(place)
    expectSuccess(all)
    #expect(all.output.contains("2, 2 finished") && !all.errors.contains("training"))
  }

  /// A budget in minutes ends between two steps, which the record tells.
  @Test func minutesEndAtAStep() throws {
    let place = try Self.workplace(steps: 3, seeds: "1")
    try place.write("exp/few/spec.yaml", place.text("exp/few/spec.yaml").replacing("steps: 3", with: "minutes: 0.02"))
    expectSuccess(try Self.ablate(place))
    let result = try ExperimentResult(folder: place.path(Self.out))
    #expect(result.budget.minutes == 0.02 && result.variants.allSatisfy { ($0.seeds[0].step ?? 0) > 0 && ($0.seeds[0].step ?? 0) < 1000 })
  }
}
