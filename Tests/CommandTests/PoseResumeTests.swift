import Testing

/// Training of HRNet with batch statistics, flips, rotation and scale: however it is interrupted, and whoever reads the data, it ends with
/// the same bytes.
@Suite struct PoseResumeTests {
  private static let training = ShortTraining("pose.yaml") { try $0.preparePose(plan: ShortTraining.plan) }

  @Test func theReferenceTrains() throws {
    try Self.training.expectRows(with: ["loss", "accuracy", "grad_norm"])
    let rows = try Self.training.reference.get().rows
    #expect(rows.contains { $0.contains("\"split\":\"val\"") && $0.contains("\"AP\":") && $0.contains("\"truths\":4.0") })
  }

  @Test(arguments: [3, 6, 9]) func stoppedAndResumed(step: Int) throws { try Self.training.expectSameWhenStopped(after: step) }

  @Test func killedAndResumed() throws { try Self.training.expectSameWhenKilled() }

  @Test(arguments: ShortTraining.threadsAndWorkers) func threadsAndWorkersChangeNothing(option: [String]) throws {
    try Self.training.expectSame(with: option)
  }

  /// The other tests could not fail if nothing were drawn.
  @Test(arguments: ["augmentation.flip_probability=0", "augmentation.scale_factor=0", "augmentation.rotation_probability=0", "plan.seed=7"])
  func everyRandomSourceIsInUse(option: String) throws { try Self.training.expectOther(with: option) }
}
