import Base
import Foundation
import Synchronization
import Testing
import TestSupport
import Training

/// What a run does when its folder or its checkpoints are not as it left them.
@Suite struct PersistenceTests {
  let files = [CheckpointFile(name: "model.safetensors", bytes: Array(0..<100))]

  // MARK: Unreadable is not absent

  /// In a child process that has lost its rights: files of mode 0 can be read by root alone.
  @Test(arguments: ["checkpoints/step_00000010/model.txt", "checkpoints/step_00000010/MANIFEST.json", "last_checkpoint", "best_checkpoint",
                    "checkpoints", "metrics.jsonl", "config.yaml"])
  func aFileWithoutPermissionStopsTheRun(name: String) async throws {
    let run = try ToyRun()
    var asked = 0
    try run.train(stop: { asked += 1; return asked == 10 ? SIGTERM : nil })
    let steps = try run.store.steps
    try openToAll(run.folder.path)
    chmod("\(run.path)/\(name)", 0)
    // Which is the best stands in the checkpoint, too: its pointer is written anew without being read.
    let result = await #expect(processExitsWith: .exitCode(name == "best_checkpoint" ? 0 : 74), observing: [\.standardErrorContent]) {
      [path = run.path as String] in
      if geteuid() == 0 { _ = seteuid(65534) }
      do {
        var request = RunRequest(configPath: "configs/toy.yaml", resolvedYAML: "plan:\n  steps: 13\n")
        request.workDirectory = path
        request.resume = .auto
        var plan = Plan()
        (plan.steps, plan.logEvery, plan.evaluateEvery, plan.saveEvery, plan.keepLast) = (13, 3, 4, 5, 2)
        var trainer = try Trainer(ToyRecipe(), plan: plan, opened: RunFolder.open(request, environment: ToyRun.facts), console: ToyRun.quiet)
        exit(try trainer.run().exitCode)
      } catch let failure as Failure {
        FileHandle.standardError.write(Data("\(failure)".utf8))
        exit(failure.kind.exitCode)
      }
    }
    #expect(result != nil, "\(String(decoding: result?.standardErrorContent ?? [], as: UTF8.self))")
    chmod("\(run.path)/\(name)", 0o777)
    if name != "best_checkpoint" { #expect(try run.store.steps == steps) }
    for step in try run.store.steps { _ = try Checkpoint(folder: run.store.path(step: step)) }
    let whole = try ToyRun()
    try whole.train()
    try run.train()
    #expect(try run.text("metrics.csv") == whole.text("metrics.csv"))
  }

  private func openToAll(_ folder: String) throws {
    chmod(folder, 0o777)
    for name in try FileManager.default.subpathsOfDirectory(atPath: folder) {
      var status = stat()
      stat("\(folder)/\(name)", &status)
      chmod("\(folder)/\(name)", status.st_mode | 0o666 | (status.st_mode & S_IFMT == S_IFDIR ? 0o111 : 0))
    }
  }

  @Test func unusableCheckpointsAreNotStartedOver() throws {
    let run = try ToyRun()
    try run.train()
    for step in try run.store.steps { try AtomicFile.write("x", to: "\(run.store.path(step: step))/model.txt") }
    let before = try FileManager.default.subpathsOfDirectory(atPath: "\(run.path)/checkpoints").sorted()
    expectFailure(.badData, "has checkpoints, but none that can be used", "model.txt", "another --work-dir") { try run.train() }
    #expect(try FileManager.default.subpathsOfDirectory(atPath: "\(run.path)/checkpoints").sorted() == before)
    // A pointer alone says that there was one: perhaps a disk is not mounted.
    try FileManager.default.removeItem(atPath: "\(run.path)/checkpoints")
    expectFailure(.badData, "none that can be used") { try run.train() }
  }

  @Test func pruningSparesWhatItDoesNotKnow() throws {
    let folder = try TemporaryFolder()
    let store = CheckpointStore(runFolder: folder.path)
    for step in 1...5 { try store.save(step: step, files: files) }
    _ = try folder.write("mine", to: "checkpoints/step_00000001/notes.txt")
    try FileManager.default.removeItem(atPath: "\(store.path(step: 2))/MANIFEST.json")
    try store.prune(keepLast: 1, current: 5)
    #expect(try store.steps == [1, 2, 5])
    try store.save(step: 9, files: files)
    try AtomicFile.write("x", to: "\(store.path(step: 9))/model.safetensors")
    try store.point(.last, at: 5)
    try store.prune(keepLast: 1, current: 5)
    #expect(try store.steps == [1, 2, 5, 9])  // damaged, and of another future: something may still be saved of it
    _ = try folder.write("what is this?", to: "best_checkpoint")
    try store.save(step: 6, files: files)
    try store.prune(keepLast: 1, current: 6)
    #expect(try store.steps == [1, 2, 5, 6, 9])
  }

  /// What stands on the disk after writing is read before anything goes for it.
  @Test func aCheckpointThatIsNotAsItWasWrittenReplacesNothing() throws {
    let folder = try TemporaryFolder()
    try CheckpointStore(runFolder: folder.path).save(step: 5, files: files)
    let lying = CheckpointStore(runFolder: folder.path) { bytes, path in
      try AtomicFile.write(path.hasSuffix("model.safetensors") ? Array(bytes.dropLast()) : bytes, to: path)
    }
    #expect(throws: Failure.self) { try lying.save(step: 5, files: files) }
    #expect(throws: Failure.self) { try lying.save(step: 6, files: files) }
    #expect(try lying.steps == [5])
    #expect(try Checkpoint(folder: lying.path(step: 5)).files["model.safetensors"] == Array(0..<100))
  }

  // MARK: The run folder

  @Test func twoStartsInOneSecondGetTwoFolders() async throws {
    let root = try TemporaryFolder()
    let paths = try await withThrowingTaskGroup(of: String.self) { group in
      for _ in 0..<12 {
        group.addTask { [place = root.path] in
          var request = RunRequest(configPath: "chairs.yaml", resolvedYAML: "plan: {}\n")
          request.root = place
          return try RunFolder.open(request, environment: ToyRun.facts, time: TimeSource(wall: { 1_700_000_000 }, steady: { 0 })).folder.path
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(Set(paths).count == 12)
  }

  @Test(arguments: [false, true]) func aRunNoticesThatItsFolderWasMoved(isReplaced: Bool) throws {
    let run = try ToyRun()
    let moved = "\(run.folder.path)/moved"
    var asked = 0
    expectFailure(.inputOutput, "was moved, replaced or deleted", isReplaced ? "moved" : "it is now ", "--resume") {
      try run.train(stop: {
        asked += 1
        if asked == 7 {
          rename(run.path, moved)
          if isReplaced { mkdir(run.path, 0o777) }
        }
        return nil
      })
    }
    #expect(run.folder.exists("run") == isReplaced)
    if isReplaced { #expect(try FileManager.default.contentsOfDirectory(atPath: run.path).isEmpty) }
    #expect(try RunRecord(folder: moved).state == .failed)
    #expect(try CheckpointStore(runFolder: moved).steps == [4, 5])
    // Where it is now, it goes on to the same end.
    if isReplaced { rmdir(run.path) }
    rename(moved, run.path)
    try run.train()
    let whole = try ToyRun()
    try whole.train()
    #expect(try run.text("metrics.csv") == whole.text("metrics.csv"))
  }

  @Test func aDeletedFolderIsNotMadeAgain() throws {
    let run = try ToyRun()
    var asked = 0
    expectFailure(.inputOutput, "was moved, replaced or deleted") {
      try run.train(stop: {
        asked += 1
        if asked == 3 { try? FileManager.default.removeItem(atPath: run.path) }
        return nil
      })
    }
    #expect(!run.folder.exists("run"))
  }

  @Test func aFailedStartDoesNotOccupyTheFolder() throws {
    let run = try ToyRun()
    let opened = try RunFolder.open(run.request, environment: ToyRun.facts)
    var trainer = try Trainer(ToyRecipe(), plan: run.plan, opened: opened, console: ToyRun.quiet)
    expectFailure(.usage, "--profile") { try trainer.profile(steps: 20) }
    #expect(try RunRecord(folder: run.path).state == .failed)
    expectFailure(.usage, "--profile") { try trainer.profile(steps: .max) }
  }

  @Test func anEmptyStartCanBeRepeatedAndARealOneNot() throws {
    let run = try ToyRun()
    var recipe = ToyRecipe()
    recipe.failing = 0
    #expect(throws: Failure.self) { try run.train(recipe, resume: .never) }
    #expect(try RunRecord(folder: run.path).state == .diverged)
    try run.train(resume: .never)
    expectFailure(.cannotCreate, "already holds a run") { try run.train(resume: .never) }
  }

  @Test func aForkIntoAnotherRunIsRefused() throws {
    let (run, other) = (try ToyRun(), try ToyRun())
    try run.train()
    try other.train()
    let steps = try other.store.steps
    var request = RunRequest(configPath: "toy.yaml", resolvedYAML: "plan: {}\n")
    (request.resume, request.workDirectory) = (.from(run.path), other.path)
    expectFailure(.cannotCreate, "already holds a run") { try RunFolder.open(request, environment: ToyRun.facts) }
    #expect(try other.store.steps == steps)
  }

  @Test func leftoversOfKilledWritesAreSwept() throws {
    let run = try ToyRun()
    try run.train()
    let left = [".partial-999999-1", "vis/.partial-999999-2", "vis/step_00000008/.partial-999999-3", "checkpoints/.partial-999999-4"]
    for name in left { _ = try run.folder.write("half", to: "run/\(name)") }
    _ = try run.folder.write("mine", to: "run/.partial-notes")
    _ = try run.folder.write("live", to: "run/.partial-999999-5")
    let live = open("\(run.path)/.partial-999999-5", O_RDWR)
    flock(live, LOCK_EX)  // as another process does while it writes
    try run.train()
    for name in left { #expect(!run.folder.exists("run/\(name)"), "\(name)") }
    #expect(run.folder.exists("run/.partial-notes") && run.folder.exists("run/.partial-999999-5"))
    close(live)
    try run.train()
    #expect(!run.folder.exists("run/.partial-999999-5"))
  }

  // MARK: Resume

  @Test func changesAreToldByKey() throws {
    let before = try ConfigFile.tree(of: "data: {root: a, size: [1, 2]}\nvalidation: {root: b}\nplan: {steps: 10}\nold: 1\n", named: "a")
    let after = try ConfigFile.tree(of: "data: {root: b, size: [1, 3]}\nvalidation: {root: a}\nplan: {steps: 20}\nnew: ''\n", named: "b")
    #expect(ConfigChange.between(before, after).map(\.description) == [
      "data.root: a -> b", "data.size.1: 2 -> 3", "validation.root: b -> a", "plan.steps: 10 -> 20", "new: (none) -> \"\"", "old: 1 -> (none)"])
    #expect(ConfigChange.between(before, before).isEmpty)
  }

  @Test(arguments: [
    #"{"version":2,"step":5,"epoch":0,"seed":1,"interval":{"names":["loss"],"sums":[],"counts":[1],"count":1}}"#,
    #"{"version":2,"step":5,"epoch":0,"seed":1,"interval":{"names":["loss","loss"],"sums":[1,1],"counts":[1,1],"count":1}}"#,
    #"{"version":2,"step":5,"epoch":0,"seed":1,"interval":{"names":["loss"],"sums":[1],"counts":[1],"count":9223372036854775807}}"#,
    #"{"version":2,"step":5,"epoch":0,"seed":1,"interval":{"names":["unknown"],"sums":[1],"counts":[1],"count":1}}"#,
    #"{"version":2,"step":5,"epoch":9223372036854775807,"seed":1,"interval":{"names":[],"sums":[],"counts":[],"count":0}}"#,
    #"{"version":2,"step":5,"epoch":0,"seed":1,"best":{"metric":"epe","value":1,"step":-9223372036854775808},"interval":{"names":[],"sums":[],"counts":[],"count":0}}"#,
    "[]", ""])
  func aStateThatDoesNotFitIsAnError(state: String) throws {
    let run = try ToyRun()
    try run.store.save(step: 5, files: [
      CheckpointFile(name: "state.json", bytes: Array(state.utf8)), CheckpointFile(name: "model.txt", bytes: Array("1".utf8)),
      CheckpointFile(name: "optimizer.txt", bytes: Array("1".utf8))])
    expectFailure(.badData, "state.json") { try run.train() }
  }

  @Test func aStepBeyondAllCountsIsAnError() throws {
    let run = try ToyRun()
    let step = Int.max
    try run.store.save(step: step, files: [
      CheckpointFile(name: "state.json", bytes: Array(
        "{\"version\":2,\"step\":\(step),\"epoch\":0,\"seed\":1,\"interval\":{\"names\":[],\"sums\":[],\"counts\":[],\"count\":0}}".utf8)),
      CheckpointFile(name: "model.txt", bytes: Array("1".utf8)), CheckpointFile(name: "optimizer.txt", bytes: Array("1".utf8))])
    expectFailure(.badData, "state.json") { try run.train() }
  }

  @Test func theTimeOfGraceFollowsWhatWouldBeLost() {
    #expect(Watchdog.Grace.seconds(.step, isSaved: true, usual: 100) == 5)
    #expect(Watchdog.Grace.seconds(.step, isSaved: false, usual: 2) == 8)
    #expect(Watchdog.Grace.seconds(.step, isSaved: false, usual: 1000) == 60)
    #expect(Watchdog.Grace.seconds(.saving, isSaved: false, usual: 0) == 60)
  }
}
