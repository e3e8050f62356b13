import Base
import Foundation
import Networks
import Testing
import TestSupport

@Suite("Schedules") struct ScheduleTests {
  static let names = ["one_cycle_raft_100k", "one_cycle_small", "step", "multi_step", "cosine", "polynomial", "linear_warmup"]

  private func make(_ entry: Fixture.Settings, peak: Double) throws -> Schedule {
    let parameters = try entry.nested("parameters")
    var schedule = Schedule()
    switch try entry.string("scheduler") {
    case "OneCycleLR":
      schedule.kind = .oneCycle
      schedule.steps = try parameters.int("total_steps") - 100
      schedule.paddingSteps = 100
    case "StepLR":
      schedule.kind = .step
      schedule.stepSize = try parameters.int("step_size")
      schedule.gamma = try parameters.double("gamma")
    case "MultiStepLR":
      schedule.kind = .multiStep
      schedule.milestones = try parameters.ints("milestones")
      schedule.gamma = try parameters.double("gamma")
    case "CosineAnnealingLR":
      schedule.kind = .cosine
      schedule.steps = try parameters.int("T_max")
      schedule.finalFactor = try parameters.double("eta_min") / peak
    case "PolynomialLR":
      schedule.kind = .polynomial
      schedule.steps = try parameters.int("total_iters")
      schedule.power = try parameters.double("power")
    case "LinearLR":
      schedule.warmupSteps = try parameters.int("total_iters")
      schedule.warmupFactor = try parameters.double("start_factor")
    case let other: throw Fixture.Missing(description: "unknown scheduler \(other)")
    }
    return schedule
  }

  /// PyTorch computes most rates by a recurrence, whose rounding grows with the number of steps: some 20 steps of ulp 2e-16.
  @Test("rates equal PyTorch's", arguments: names) func parity(_ name: String) throws {
    let data = try Data(contentsOf: URL(fileURLWithPath: Fixture.path("schedules.json")))
    let all = Fixture.Settings(values: try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any]))
    let entry = try all.nested(name), peak = try entry.double("base_lr"), schedule = try make(entry, peak: peak)
    for (step, expected) in zip(try entry.ints("steps"), try entry.doubles("values")) {
      let rate = schedule.learningRate(at: step, of: 7, peak: peak)  // the schedule's own length counts
      #expect(abs(rate - expected) <= 1e-13 * peak, "\(name), step \(step): \(rate), expected \(expected)")
    }
    #expect(schedule.problems().isEmpty)
  }

  /// Section 5 of the RAFT reference.
  @Test("RAFT's published rates") func raft() {
    var schedule = Schedule(.oneCycle)
    schedule.paddingSteps = 100
    func rate(_ step: Int) -> Double { schedule.learningRate(at: step, of: 100_000, peak: 4e-4) }
    #expect(abs(rate(0) - 1.6e-5) < 1e-18 && abs(rate(5_004) - 4e-4) < 1e-18)
    #expect(abs(rate(50_000) - 2.107e-4) < 5e-8 && abs(rate(100_000) - 4.18e-7) < 5e-10)
    #expect(rate(200_000) == rate(100_099))
  }

  @Test("warm-up multiplies the curve") func warmUp() {
    var schedule = Schedule(.step)
    (schedule.stepSize, schedule.gamma, schedule.warmupSteps, schedule.warmupFactor) = (4, 0.5, 8, 0)
    #expect((0..<9).map { schedule.factor(at: $0, of: 100) } == [0, 0.125, 0.25, 0.375, 0.25, 0.3125, 0.375, 0.4375, 0.25])
  }

  @Test("settings out of range are reported") func problems() {
    var schedule = Schedule(.cosine)
    (schedule.steps, schedule.gamma, schedule.milestones) = (-1, 0, [5, 3])
    #expect(schedule.problems().map(\.key) == ["steps", "milestones", "gamma"])
  }

  @Test("survives coding") func coding() throws {
    let schedule = Schedule(.oneCycle)
    #expect(try JSONDecoder().decode(Schedule.self, from: JSONEncoder().encode(schedule)) == schedule)
  }
}
