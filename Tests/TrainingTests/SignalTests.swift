import Base
import Foundation
import Testing
import Training

/// Signals to a training process, and what they leave.
@Suite struct SignalTests {
  private func record(_ trial: TrialProcess) throws -> RunRecord { try RunRecord(folder: trial.folder) }

  @Test(arguments: [(SIGHUP, 129), (SIGTERM, 143)] as [(Int32, Int32)]) func aSignalSavesAndStops(signal: Int32, code: Int32) throws {
    let trial = try TrialProcess()
    let ending = try trial.run("pause=100", signals: [(signal, 0.15)], afterStep: 3)
    #expect(ending.exit == code, "\(ending.errors)")
    let record = try record(trial)
    #expect(record.state == .stopped && record.exit == Int(code))
    #expect(try trial.store.step(of: .last) == record.step)
    try trial.expectContinues()
  }

  @Test func anIgnoredHangupStaysIgnored() throws {
    let trial = try TrialProcess()
    let ending = try trial.run("pause=50", wrapper: ["nohup"], signals: [(SIGHUP, 0.05)], afterStep: 3)
    #expect(ending.exit == 0, "\(ending.errors)")
    #expect(try trial.trace() == TrialProcess.whole.get())
  }

  /// A step that takes ten minutes does not keep the signal waiting.
  @Test func aStepThatIsFarTooLongIsGivenUp() throws {
    let trial = try TrialProcess()
    let ending = try trial.run("slow=6", signals: [(SIGTERM, 0.3)], afterStep: 6)
    #expect(ending.exit == 143 && ending.seconds < 20, "\(ending.seconds) s: \(ending.errors)")
    #expect(ending.errors.contains("step 5 of 13 is the last that was saved"), "\(ending.errors)")
    let record = try record(trial)
    #expect(record.state == .stopped && record.step == 5 && record.exit == 143)
    try trial.expectContinues()
  }

  @Test func aFirstStepThatIsFarTooLongIsGivenUp() throws {
    let trial = try TrialProcess()
    let wrapper = ["timeout", "--preserve-status", "-s", "TERM", "1"]
    let ending = try trial.run("slow=0", wrapper: wrapper)
    #expect(ending.exit == 143 && ending.seconds < 20, "\(ending.seconds) s: \(ending.errors)")
    let record = try record(trial)
    #expect(record.state == .stopped && record.step == 0)
    try trial.expectContinues()
  }

  /// It is dropped at once, and repeated when the run goes on; the step was saved before.
  @Test func anEvaluationIsGivenUp() throws {
    let trial = try TrialProcess()
    let ending = try trial.run("judging=20000", signals: [(SIGTERM, 0.3)], afterStep: 3)
    #expect(ending.exit == 143 && ending.seconds < 15, "\(ending.seconds) s: \(ending.errors)")
    #expect(ending.errors.contains("the evaluation at step 4 was given up"), "\(ending.errors)")
    let record = try record(trial)
    #expect(record.state == .stopped && record.step == 4)
    #expect(try trial.store.step(of: .last) == 4)
    try trial.expectContinues()
  }

  @Test func aSecondInterruptIsInHaste() throws {
    let trial = try TrialProcess()
    let ending = try trial.run("slow=6", signals: [(SIGINT, 0.1), (SIGINT, 1.2)], afterStep: 6)
    #expect(ending.exit == 130 && ending.seconds < 15, "\(ending.seconds) s: \(ending.errors)")
    #expect(try record(trial).state == .stopped)
    try trial.expectContinues()
  }

  /// The steps since the last save are not lost.
  @Test func dataThatFailsMidRunIsToldAfterASave() throws {
    let trial = try TrialProcess()
    let ending = try trial.run("broken=7")
    #expect(ending.exit == 65 && ending.errors.contains("data/00007.png: this file is damaged"), "\(ending.errors)")
    #expect(try trial.store.step(of: .last) == 7)
    #expect(try record(trial).state == .failed)
    let ended = try trial.run()
    #expect(ended.exit == 0 && ended.errors.contains("after step 7"), "\(ended.errors)")
    let (got, whole) = (try trial.trace(), try TrialProcess.whole.get())
    #expect(got.files == whole.files && got.table == whole.table && got.rows == whole.rows)
  }

  @Test func aLimitOfFileSizesIsAnError() throws {
    let trial = try TrialProcess()
    let ending = try trial.run("ballast=200000", wrapper: ["bash", "-c", "ulimit -f 40; exec \"$@\"", "bash"])
    #expect(ending.exit == 74 && ending.errors.contains("ulimit -f"), "\(ending.errors)")
    #expect(try record(trial).state == .failed)
    try trial.expectContinues()
  }
}
