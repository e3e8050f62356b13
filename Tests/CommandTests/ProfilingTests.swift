import Testing

/// `apus train --profile`.
@Suite struct ProfilingTests {
  @Test func prints() throws {
    let place = try Workplace(plan: "steps: 10, log_every: 1, evaluate_every: 0, save_every: 2")
    try place.generatePairs()
    let outcome = try place.apus("train", "config.yaml", "--work-dir", "run", "--profile", "2")
    expectSuccess(outcome)
    for pattern in [#/forward +convolution +\d+ .*%/#, #/backward +correlationLookup/#, #/other +data +1/#, #/other +optimizer +1/#] {
      #expect(outcome.output.contains(pattern), "\(outcome.output)")
    }
    #expect(outcome.output.contains("the mean of 2") && outcome.errors.contains("run/trace.json opens in ui.perfetto.dev"))
    #expect(try place.text("run/trace.json").hasPrefix("{"))
    #expect(!place.exists("run/checkpoints/step_00000002"))
    expectFailure(try place.apus("train", "config.yaml", "--work-dir", "other", "--profile", "8"), 64, "but the plan has 10 left")
  }
}
