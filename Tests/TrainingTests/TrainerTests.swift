import Base
import Foundation
import Testing
import Training

@Suite struct TrainerTests {
  @Test func aWholeRun() throws {
    let run = try ToyRun()
    let (_, outcome) = try run.train()
    #expect(outcome == .completed)
    #expect(outcome.exitCode == 0)
    #expect(try run.store.steps == [8, 10, 13])  // the best, and the last two
    #expect(try run.store.step(of: .best) == 8)
    #expect(try run.store.step(of: .last) == 13)
    let columns = try run.text("metrics.csv").split(separator: "\n").map { $0.split(separator: ",", omittingEmptySubsequences: false) }
    #expect(columns[0].joined(separator: ",") == "split,step,epoch,lr,loss,grad_norm,epe")
    #expect(columns.allSatisfy { $0.count == columns[0].count })
    #expect(columns.dropFirst().map { "\($0[0])\($0[1])" }
            == ["train3", "val4", "train6", "val8", "train9", "train12", "val12", "train13", "val13"])
    let record = try RunRecord(folder: run.path)
    #expect(record.state == .completed && record.exit == 0 && record.step == 13 && record.steps == 13)
    for name in ["config.yaml", "overrides.txt", "env.json", "train.log", "checkpoints/step_00000013/state.json",
                 "checkpoints/step_00000013/config.yaml", "vis/step_00000008/flow.png"] {
      #expect(run.folder.exists("run/\(name)"), "\(name)")
    }
    let again = try run.train()  // nothing left to do
    #expect(again.outcome == .completed)
    #expect(try run.store.steps == [8, 10, 13])
  }

  @Test func aRefusedCheckpointLeavesTheFolderAsItWas() throws {
    let run = try ToyRun()
    try run.train()
    try AtomicFile.write("as the run before had it", to: "\(run.path)/config.yaml")
    var other = ToyRecipe()
    other.stages = Stages([.init(name: "only", steps: 13)])
    #expect { try run.train(other) } throws: { ($0 as? Failure)?.kind == .badData }
    #expect(try run.text("config.yaml") == "as the run before had it")
  }

  @Test func equalRunsHaveEqualTables() throws {
    let (a, b) = (try ToyRun(), try ToyRun())
    try a.train()
    try b.train()
    #expect(try a.text("metrics.csv") == b.text("metrics.csv"))
    #expect(try a.rows() == b.rows())
    #expect(Set(try a.rows()).count == 9)
  }

  /// Dies at each moment of the run (a step, an evaluation, each file of each save), leaves half lines behind, and continues.
  @Test func aKilledRunContinuesAsIfNothingHadHappened() throws {
    let whole = try ToyRun()
    let counted = ToyRecipe()
    let end = try whole.train(counted).recipe
    let (table, rows) = (try whole.text("metrics.csv"), try whole.rows())
    let state = try whole.text("checkpoints/step_00000013/state.json")
    #expect(counted.fate.moments > 40)
    for moment in 0..<counted.fate.moments {
      let run = try ToyRun()
      var recipe = ToyRecipe()
      recipe.fate = Fate(dyingAt: moment)
      #expect(throws: Fate.Killed.self) { try run.train(recipe) }
      try run.append("{\"split\":\"train\",\"st", to: "metrics.jsonl")
      try run.append("train,1", to: "metrics.csv")
      let resumed = try run.train().recipe
      #expect(resumed.x == end.x && resumed.momentum == end.momentum, "killed at moment \(moment)")
      #expect(try run.text("metrics.csv") == table, "killed at moment \(moment)")
      #expect(try run.rows() == rows, "killed at moment \(moment)")
      #expect(try run.text("checkpoints/step_00000013/state.json") == state, "killed at moment \(moment)")
      #expect(try run.store.step(of: .best) == 8)
    }
  }

  /// The same with the process really killed, in the middle of a step.
  @Test func aProcessKilledBySIGKILLContinues() async throws {
    let whole = try ToyRun()
    try whole.train()
    let run = try ToyRun()
    await #expect(processExitsWith: .signal(SIGKILL)) { [path = run.path as String] in
      try ToyRun.train(at: path) { question in
        if question == 7 { kill(getpid(), SIGKILL) }
        return nil
      }
    }
    #expect(try RunRecord(folder: run.path).state == .running)
    let resumed = try run.train()
    #expect(resumed.outcome == .completed)
    #expect(try run.text("metrics.csv") == whole.text("metrics.csv"))
    #expect(try RunRecord(folder: run.path).resumedFrom == 5)
    #expect(try run.text("metrics.dropped.jsonl").split(separator: "\n").count == 1)  // the row of step 6
  }

  @Test func aSignalSavesAndStops() throws {
    let (whole, run) = (try ToyRun(), try ToyRun())
    let end = try whole.train().recipe
    var asked = 0
    let first = try run.train { asked += 1; return asked == 7 ? SIGTERM : nil }
    #expect(first.outcome == .stopped(signal: SIGTERM))
    #expect(first.outcome.exitCode == 143)
    #expect(try run.store.step(of: .last) == 7)
    #expect(try RunRecord(folder: run.path).state == .stopped)
    let second = try run.train().recipe
    #expect(second.x == end.x)
    #expect(try run.text("metrics.csv") == whole.text("metrics.csv"))
    #expect(!run.folder.exists("run/metrics.dropped.jsonl"))
  }

  /// What was found so far is dropped, the steps are saved, and the resumed run has the rows of one that was never stopped.
  @Test(arguments: [1, 2, 3]) func aSignalDuringAnEvaluationDropsIt(asked last: Int) throws {
    let (whole, run) = (try ToyRun(), try ToyRun())
    let end = try whole.train().recipe
    // The evaluation of step 4 begins after the save and asks three times.
    var asked = 0
    let store = run.store
    var recipe = ToyRecipe()
    recipe.asksDuringEvaluation = true
    let stopped = try run.train(recipe) {
      guard (try? store.step(of: .last)) == 4 else { return nil }
      asked += 1
      return asked >= last ? SIGTERM : nil
    }
    #expect(stopped.outcome == .stopped(signal: SIGTERM))
    #expect(try run.store.step(of: .last) == 4)
    #expect(try run.store.step(of: .best) == nil)
    #expect(try run.rows().last?.contains("\"split\":\"train\",\"step\":3") == true)
    #expect(try run.train().recipe.x == end.x)
    #expect(try run.text("metrics.csv") == whole.text("metrics.csv"))
    #expect(try run.store.step(of: .best) == 8)
  }

  /// An evaluation that takes long says how far it came, in a file as on a terminal.
  @Test(arguments: [ProgressMode.plain, .bar, .none]) func aLongEvaluationShowsItsProgress(mode: ProgressMode) throws {
    let run = try ToyRun()
    let screen = Lines()
    let clock = Lines.Clock()
    let terminal = Console.Terminal(isTerminal: mode == .bar, hasColour: false, isUnicode: false, width: { 80 }, write: { screen.write($0) })
    let console = Console(mode, terminal: terminal, time: TimeSource(wall: { 0 }, steady: { clock.now }))
    var recipe = ToyRecipe()
    recipe.asksDuringEvaluation = true
    // Each question whether to stop comes 12 s after the one before.
    try run.train(recipe, stop: { clock.now += 12; return nil }, console: console)
    let text = screen.take()
    let line = "evaluating at step 8: 2/3 66% eta 0:00:12"
    switch mode {
    case .plain: #expect(text.split(separator: "\n").contains { $0 == line }, "\(text)")
    case .bar: #expect(text.contains("\r\u{1B}[Kevaluating at step 8: 2/3 #"), "\(text)")
    case .auto, .none: #expect(text.isEmpty, "\(text)")
    }
    #expect(try run.text("train.log").contains(line))
  }

  @Test func realSignalsSetTheExitCode() async throws {
    for (signal, code) in [(SIGTERM, Int32(143)), (SIGINT, 130), (SIGUSR1, 75)] {
      let result = await #expect(processExitsWith: .failure, observing: [\.exitStatus]) { [signal = Int(signal) as Int] in
        StopSignal.install()
        kill(getpid(), Int32(signal))
        kill(getpid(), Int32(signal))  // sent twice at once: still one request
        exit(try ToyRun().train(stop: { StopSignal.requested }).outcome.exitCode)
      }
      #expect(result?.exitStatus == .exitCode(code))
    }
  }

  @Test func aSecondSignalEndsAtOnce() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.exitStatus]) {
      StopSignal.install()
      kill(getpid(), SIGINT)
      usleep(1_200_000)
      kill(getpid(), SIGINT)
      usleep(100_000)
      exit(1)
    }
    #expect(result?.exitStatus == .exitCode(130))
  }

  @Test func divergenceThatTheRecipeFindsIsNamedWithItsStep() throws {
    let run = try ToyRun()
    var recipe = ToyRecipe()
    recipe.failing = 6
    #expect { try run.train(recipe) } throws: {
      let text = "\($0)"
      return ($0 as? Failure)?.kind == .diverged && text.contains("at step 7: toy.x: the gradient") && text.contains("step 5 is sound")
    }
  }

  @Test func divergenceNamesStepAndParameterAndKeepsTheCheckpoint() throws {
    let run = try ToyRun()
    var recipe = ToyRecipe()
    recipe.diverging = 6
    #expect { try run.train(recipe) } throws: {
      let text = "\($0)"
      return ($0 as? Failure)?.kind == .diverged && text.contains("at step 7") && text.contains("'toy.x'") && text.contains("step 5 is sound")
    }
    #expect(try run.store.newestSound { _ in }?.step == 5)
    let record = try RunRecord(folder: run.path)
    #expect(record.state == .diverged && record.exit == 70)
    #expect(try run.rows().last?.contains("\"loss\":null") == true)
    #expect(try run.text("metrics.csv").contains("nan"))
  }

  /// The mean of a metric is taken over the steps that had it, also across an interruption.
  @Test func metricsThatSomeStepsLackAreAveraged() throws {
    let (whole, cut) = (try ToyRun(), try ToyRun())
    var recipe = ToyRecipe()
    recipe.penalty = { Double($0 * 10) }
    try whole.train(recipe)
    let rows = try whole.text("metrics.csv").split(separator: "\n").map { $0.split(separator: ",", omittingEmptySubsequences: false) }
    #expect(rows[0].joined(separator: ",") == "split,step,epoch,lr,loss,grad_norm,penalty,epe")
    let penalties = rows.dropFirst().filter { $0[0] == "train" }.map { "\($0[1]):\($0[6])" }
    #expect(penalties == ["3:0.0", "6:30.0", "9:60.0", "12:90.0", "13:120.0"])
    var asked = 0
    try cut.train(recipe) { asked += 1; return asked == 7 ? SIGTERM : nil }
    try cut.train(recipe)
    #expect(try cut.text("metrics.csv") == whole.text("metrics.csv"))
  }

  /// Whatever its name, a loss that is no number ends the run.
  @Test func everyLossIsChecked() throws {
    let run = try ToyRun()
    var recipe = ToyRecipe()
    recipe.penalty = { $0 == 6 ? .nan : 1 }
    #expect { try run.train(recipe) } throws: {
      ($0 as? Failure)?.kind == .diverged && "\($0)".contains("at step 7: penalty is nan")
    }
  }

  @Test func theTimeLimitSavesAndStops() throws {
    var run = try ToyRun()
    run.plan.maxHours = 1e-12
    let outcome = try run.train().outcome
    #expect(outcome == .outOfTime)
    #expect(outcome.exitCode == 75)
    #expect(try run.store.step(of: .last) == 1)
  }

  @Test func aRecipeWithoutValidationHasNoBest() throws {
    var run = try ToyRun()
    run.plan.evaluateFirst = true
    var recipe = ToyRecipe()
    recipe.hasValidation = false
    try run.train(recipe)
    #expect(try run.store.step(of: .best) == nil)
    #expect(try run.store.steps == [10, 13])
  }

  @Test func resumingFromAnOlderCheckpointGivesUpTheFuture() throws {
    var run = try ToyRun()
    run.plan.keepLast = 9
    try run.train()
    let table = try run.text("metrics.csv")
    #expect(try run.store.steps == [4, 5, 8, 10, 13])
    var recipe = ToyRecipe()
    recipe.fate = Fate(dyingAt: 2)  // after the two pointers, before the first step
    #expect(throws: Fate.Killed.self) { try run.train(recipe, resume: .from("\(run.path)/checkpoints/step_00000005/")) }
    // It is step 5 that counts now, and the best until then.
    #expect(try run.store.step(of: .last) == 5)
    #expect(try run.store.step(of: .best) == 4)
    try run.train()
    #expect(try RunRecord(folder: run.path).resumedFrom == 5)
    #expect(try run.text("metrics.csv") == table)
  }

  @Test(.enabled(if: getuid() == 0)) func aReallyFullDisk() throws {
    let mount = try TemporaryFolder()
    guard shell("mount -t tmpfs -o size=256k none \(mount.path)") == 0 else { return }  // no right to mount in this container
    defer { _ = shell("umount \(mount.path)") }
    var request = RunRequest(configPath: "toy.yaml", resolvedYAML: "plan: {}\n")
    request.workDirectory = "\(mount.path)/run"
    let opened = try RunFolder.open(request, environment: ToyRun.facts)
    let store = opened.folder.store
    try store.save(step: 1, files: [CheckpointFile(name: "model", bytes: Array(repeating: 7, count: 100_000))])
    #expect {
      try store.save(step: 2, files: [CheckpointFile(name: "model", bytes: Array(repeating: 8, count: 300_000))])
    } throws: { ($0 as? Failure)?.kind == .inputOutput && "\($0)".contains("step 1 is untouched") }
    #expect(try store.steps == [1])
    #expect(try store.newestSound { _ in }?.step == 1)
  }

  private func shell(_ command: String) -> Int32 {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", command + " 2>/dev/null"]
    do { try process.run() } catch { return -1 }
    process.waitUntilExit()
    return process.terminationStatus
  }
}
