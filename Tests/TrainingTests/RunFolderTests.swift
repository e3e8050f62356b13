import Base
import Foundation
import Testing
import Training

@Suite struct RunFolderTests {
  let root: TemporaryFolder
  let facts = EnvironmentInfo.gathered(isa: "avx2", threads: 3)
  let time = TimeSource(wall: { 1_700_000_000 }, steady: { 0 })
  let files = [CheckpointFile(name: "model", bytes: [1, 2, 3])]

  init() throws { root = try TemporaryFolder() }

  func request(_ resume: RunRequest.Resume = .never, workDirectory: String? = nil) -> RunRequest {
    var request = RunRequest(configPath: "configs/raft/chairs.yaml", resolvedYAML: "plan:\n  steps: 5\n")
    request.root = "\(root.path)/work_dirs"
    (request.resume, request.workDirectory) = (resume, workDirectory)
    return request
  }

  /// As the trainer does it, if the checkpoint fits.
  func open(_ request: RunRequest) throws -> RunFolder.Opened {
    let opened = try RunFolder.open(request, environment: facts, time: time)
    try opened.folder.writeSettings()
    return opened
  }

  @Test func aFreshRunGetsAFolderOfItsOwn() throws {
    var request = request()
    request.overrides = [try ConfigOverride(setting: "plan.steps=5"), ConfigOverride(key: "plan.seed", value: "3", option: "--seed 3")]
    let first = try open(request), second = try open(request)
    let prefix = "\(root.path)/work_dirs/chairs/20231114T221320Z-"
    #expect(first.folder.path.hasPrefix(prefix) && first.folder.path.count == prefix.count + 6)
    #expect(second.folder.path == first.folder.path + "-2")
    #expect(first.checkpoint == nil)
    #expect(try String(contentsOfFile: "\(first.folder.path)/overrides.txt", encoding: .utf8) == "--set plan.steps=5\n--seed 3\n")
    #expect(try String(contentsOfFile: "\(first.folder.path)/config.yaml", encoding: .utf8) == request.resolvedYAML)
    let facts = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: "\(first.folder.path)/env.json"))) as? [String: Any]
    #expect(Set(facts?.keys.map { $0 } ?? []) == ["version", "swift_compiler", "build", "host", "system", "kernel", "cpu", "cores", "threads", "isa", "memory_mebibytes", "blas"])
  }

  @Test func autoTakesTheNewestRunWithASoundCheckpoint() throws {
    let notes = try open(request(.auto)).notes  // nothing there yet: said plainly
    #expect(notes[0].hasPrefix("no checkpoint to resume from in "))
    #expect(notes[1].hasPrefix("starting a new run in "))
    let older = try open(request()).folder.path, newer = try open(request()).folder.path
    try CheckpointStore(runFolder: older).save(step: 3, files: files)
    do {
      let resumed = try open(request(.auto))
      #expect(resumed.folder.path == older && resumed.checkpoint?.step == 3)
      #expect(resumed.notes == ["resuming \(older) after step 3"])
    }
    try CheckpointStore(runFolder: newer).save(step: 2, files: files)
    #expect(try open(request(.auto)).checkpoint?.step == 2)
    try Data([9]).write(to: URL(fileURLWithPath: "\(CheckpointStore(runFolder: newer).path(step: 2))/model"))
    let fallen = try open(request(.auto))  // the newer run's only checkpoint is damaged
    #expect(fallen.folder.path == older)
    #expect(fallen.notes[0].hasPrefix("warning: ") && fallen.notes[0].contains(newer))
  }

  /// Configs of two tasks may have one name, as `configs/raft/demo.yaml` and `configs/detr/demo.yaml`.
  @Test func autoLeavesRunsOfAnotherTaskAlone() throws {
    func request(_ task: String) -> RunRequest {
      var request = RunRequest(configPath: "configs/demo.yaml", resolvedYAML: "task: \(task)\nplan:\n  steps: 5\n")
      (request.root, request.resume) = ("\(root.path)/work_dirs", .auto)
      return request
    }
    let flow = try open(request("optical_flow")).folder.path
    try CheckpointStore(runFolder: flow).save(step: 3, files: files)
    let detection = try open(request("detection"))
    #expect(detection.folder.path != flow && detection.checkpoint == nil)
    try CheckpointStore(runFolder: detection.folder.path).save(step: 2, files: files)
    let resumed = try open(request("optical_flow"))
    #expect(resumed.folder.path == flow && resumed.checkpoint?.step == 3)
  }

  @Test func aGivenFolderIsTheRunFolderItself() throws {
    let path = "\(root.path)/mine"
    _ = try CheckpointStore(runFolder: open(request(workDirectory: path)).folder.path).save(step: 4, files: files)
    #expect(FileManager.default.fileExists(atPath: "\(path)/config.yaml"))
    #expect { try open(request(workDirectory: path)) } throws: { ($0 as? Failure)?.kind == .cannotCreate && "\($0)".contains("already holds a run") }
    #expect(try open(request(.auto, workDirectory: path)).checkpoint?.step == 4)
  }

  @Test func aNamedCheckpointMustBeSound() throws {
    let path = "\(root.path)/mine"
    let store = try open(request(workDirectory: path)).folder.store
    for step in [1, 2] { try store.save(step: step, files: files) }
    #expect(try open(request(.from(path))).checkpoint?.step == 2)
    #expect(try open(request(.from(store.path(step: 1)))).checkpoint?.step == 1)
    #expect(try open(request(.from(store.path(step: 1)))).folder.path == path)
    try Data([9]).write(to: URL(fileURLWithPath: "\(store.path(step: 2))/model"))
    #expect { try open(request(.from(store.path(step: 2)))) } throws: {
      ($0 as? Failure)?.kind == .badData && ($0 as? Failure)?.remedy == "resume from \(store.path(step: 1))"
    }
    #expect { try open(request(.from("\(root.path)/gone"))) } throws: { ($0 as? Failure)?.kind == .missingInput }
    let fork = try open(request(.from(store.path(step: 1)), workDirectory: "\(root.path)/fork"))
    #expect(fork.folder.path == "\(root.path)/fork" && fork.checkpoint?.step == 1)
  }

  @Test func oneProcessAtATime() throws {
    let path = "\(root.path)/mine"
    let holder = try open(request(workDirectory: path))
    try holder.folder.store.save(step: 1, files: files)
    #expect { try open(request(.auto, workDirectory: path)) } throws: {
      ($0 as? Failure)?.kind == .cannotCreate && "\($0)".contains("pid \(getpid())")
    }
    withExtendedLifetime(holder) {}
  }

  @Test func aChangedConfigIsToldOnResume() throws {
    let path = "\(root.path)/mine"
    try open(request(workDirectory: path)).folder.store.save(step: 1, files: files)
    var changed = RunRequest(configPath: "chairs.yaml", resolvedYAML: "plan:\n  steps: 9\n")
    (changed.resume, changed.workDirectory) = (.auto, path)
    #expect(try open(changed).notes.last == "warning: the config has changed since this run began: plan.steps: 5 -> 9 (the learning rate's schedule follows)")
  }
}
