import Base
import Foundation
import Testing
import Training

/// A run whose process is killed, or whose system calls fail, loses nothing that was saved, and goes on to the same bytes.
@Suite(.enabled(if: TrialProcess.canInject, "needs strace, and the right to trace"), .serialized) struct FaultTests {
  private static let calls = ["openat", "write", "fsync", "rename", "unlink", "mkdir", "rmdir", "flock"]

  /// Kills at the entry of system calls that change files: a few of each kind, at random.
  @Test func killedAtSystemCalls() throws {
    let counted = try TrialProcess()
    let log = "\(counted.place.path)/calls"
    let set = Self.calls.joined(separator: ",")
    #expect(try counted.run(wrapper: ["strace", "-f", "-qq", "-o", log, "-e", "trace=\(set)"]).exit == 0)
    let lines = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n")
    var kills = 0
    for call in Self.calls {
      let count = lines.count { $0.contains(" \(call)(") }
      for number in (1...max(count, 1)).shuffled().prefix(4) where count > 0 {
        let trial = try TrialProcess()
        let ending = try trial.run(wrapper: ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=\(call)",
                                             "-e", "inject=\(call):signal=KILL:when=\(number)"])
        #expect(ending.signal == SIGKILL || ending.exit == 137 || ending.exit == 0, "\(call) \(number): \(ending.errors)")
        // Between the last save and its tidying up there is a checkpoint more, and a finished run tidies up no more.
        try trial.expectContinues("killed at \(call) number \(number) of \(count)", comparingSteps: false)
        kills += 1
      }
    }
    #expect(kills >= 20)
  }

  /// What cannot be read is not taken for missing: the run ends with 74, and all its checkpoints stay.
  @Test(arguments: ["last_checkpoint", "best_checkpoint", "checkpoints", "checkpoints/step_00000010/MANIFEST.json",
                    "checkpoints/step_00000010/x.txt", "metrics.jsonl", "config.yaml", "run.lock"])
  func unreadableIsNotAbsent(name: String) throws {
    let errors = ["EIO", "EACCES", "EMFILE", "ESTALE"]
    let begun = try TrialProcess()
    #expect(try begun.run("broken=10").exit == 65)  // saved after ten steps
    let before = try begun.store.steps
    for (index, calls) in ["openat", "newfstatat,statx,fstat,stat", "getdents64,read"].enumerated() {
      for when in ["1+", "2+"] {
        let trial = try TrialProcess()
        try FileManager.default.copyItem(atPath: begun.folder, toPath: trial.folder)
        let error = errors[(index + name.count + when.count + (when == "2+" ? 1 : 0)) % errors.count]
        let ending = try trial.run(wrapper: ["strace", "-f", "-qq", "-o", "/dev/null", "-P", "\(trial.folder)/\(name)",
                                             "-e", "inject=\(calls):error=\(error):when=\(when)"])
        let what: Comment = "\(error) of \(calls) \(when) on \(name): \(ending.errors)"
        #expect([0, 74].contains(ending.exit) || (ending.exit == 73 && ["run.lock", "metrics.jsonl"].contains(name)), what)
        #expect(ending.exit == 0 || ending.errors.contains("error: "), what)
        // Either all went well, or the old ones are there, and perhaps a new one.
        #expect(try trial.store.steps.count >= before.count, what)
        for step in try trial.store.steps { _ = try Checkpoint(folder: trial.store.path(step: step)) }
        #expect(try trial.store.steps.contains(8), "the best checkpoint; \(what)")
        // If the last save was not followed by its tidying up, there is a checkpoint more.
        try trial.expectContinues(what, comparingSteps: ending.exit == 0)
      }
    }
  }

  /// The same at any moment of a run: some calls fail, here and there.
  @Test func failedSystemCalls() throws {
    let faults = [("openat", "EIO"), ("openat", "EMFILE"), ("write", "EIO"), ("fsync", "EIO"), ("rename", "EIO"), ("getdents64", "EIO"),
                  ("mkdir", "ENOSPC"), ("newfstatat", "ESTALE"), ("unlink", "EACCES")]
    for (call, error) in faults {
      for number in [3, 20, 60, 110].map({ $0 + Int.random(in: 0..<20) }) {
        let trial = try TrialProcess()
        let ending = try trial.run(wrapper: ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=\(call)",
                                             "-e", "inject=\(call):error=\(error):when=\(number)"])
        let what: Comment = "\(error) of \(call) number \(number): \(ending.errors)"
        // Early calls are those of the dynamic loader: 127 is its own.
        #expect([0, 73, 74, 127].contains(ending.exit) || ending.signal == SIGABRT && number < 40, what)
        for step in try trial.store.steps { _ = try Checkpoint(folder: trial.store.path(step: step)) }
        let again = try trial.run()
        #expect(again.exit == 0, "\(again.errors) after \(ending.errors)")
        let (got, whole) = (try trial.trace(), try TrialProcess.whole.get())
        #expect(got.files == whole.files && got.table == whole.table && got.rows == whole.rows && got.best == whole.best, what)
      }
    }
  }
}
