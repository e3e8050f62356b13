import Foundation
import Tensors
import Testing

/// What `plan.reproducible` promises, on RAFT-small with evaluations, and what is told when a promise ends.
@Suite struct ReproducibilityTests {
  private static let hasBoth = Set(InstructionSet.available).isSuperset(of: [.avx2, .avx512])

  /// Everything of a run that holds no clock: `metrics.csv` has no times.
  private static func files(_ place: Workplace, _ run: String) throws -> [(name: String, bytes: [UInt8])] {
    let checkpoint = "\(run)/checkpoints/step_00000010"
    return try ["\(checkpoint)/model.safetensors", "\(checkpoint)/optimizer.safetensors", "\(checkpoint)/state.json", "\(run)/metrics.csv"]
      .map { ($0.replacingOccurrences(of: "\(run)/", with: ""), try place.bytes($0)) }
  }

  private static func expectSame(_ place: Workplace, _ first: String, _ second: String) throws {
    for (a, b) in zip(try files(place, first), try files(place, second)) {
      #expect(a.bytes == b.bytes, "\(a.name) differs, \(first) and \(second)")
    }
  }

  private static func workplace(_ reproducible: String) throws -> Workplace {
    let place = try Workplace(plan: "steps: 10, log_every: 2, evaluate_every: 5, save_every: 5, reproducible: \(reproducible)")
    try place.generatePairs()
    return place
  }

  @Test("processors: AVX2 and AVX-512 give the same bytes", .enabled(if: hasBoth))
  func processors() throws {
    let place = try Self.workplace("processors")
    for set in ["avx2", "avx512"] {
      expectSuccess(try place.apus(["train", "config.yaml", "--work-dir", set], environment: ["APUS_ISA": set]))
    }
    try Self.expectSame(place, "avx2", "avx512")
  }

  @Test("machine: 1, 2 and 4 threads give the same bytes")
  func threads() throws {
    let place = try Self.workplace("machine")
    for count in [1, 2, 4] { expectSuccess(try place.apus("train", "config.yaml", "--work-dir", "run\(count)", "--threads", "\(count)")) }
    try Self.expectSame(place, "run1", "run2")
    try Self.expectSame(place, "run1", "run4")
  }

  @Test("machine: a run that goes on with other kernels says that bits may differ; processors: it need not")
  func resumedElsewhere() throws {
    for (promise, isTold) in [("machine", true), ("processors", false)] {
      let place = try Self.workplace(promise)
      let train = ["train", "config.yaml", "--work-dir", "run"]
      expectSuccess(try place.apus(train + ["--steps", "5"], environment: ["OPENBLAS_CORETYPE": "Haswell"]))
      let state = try place.text("run/checkpoints/step_00000005/state.json"), facts = try place.text("run/env.json")
      #expect(state.contains("OpenBLAS") && state.contains("\"\(promise)\"") && facts.contains("OpenBLAS"))
      let resumed = try place.apus(train + ["--resume", "auto"], environment: ["OPENBLAS_CORETYPE": "Sandybridge"])
      #expect(resumed.exit == 0)
      #expect(resumed.errors.contains("bits of products may differ") == (isTold && state.contains("Haswell")), "\(resumed.errors)")
    }
  }

  @Test func theDoctorTellsTheMachine() throws {
    let report = try Workplace().apus("doctor")
    expectSuccess(report)
    for label in ["processor", "instruction sets", "BLAS", "threads", "memory", "disk", "libraries"] {
      #expect(report.outputLines.contains { $0.hasPrefix(label) }, "\(label) is missing")
    }
    #expect(report.output.contains(InstructionSet.current.rawValue) && report.output.contains("libpng 1."))
  }
}
