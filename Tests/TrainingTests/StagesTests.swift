import Base
import Foundation
import Testing
import Training

@Suite struct StagesTests {
  private static let stages = Stages([.init(name: "first", steps: 6), .init(name: "second", steps: 1), .init(name: "third", steps: 6)])

  private static func recipe(_ fate: Fate = Fate()) -> ToyRecipe {
    var recipe = ToyRecipe()
    (recipe.stages, recipe.fate) = (stages, fate)
    return recipe
  }

  @Test func stepsAreCountedThrough() {
    let stages = Self.stages
    #expect((0...14).map(stages.index(ofUpdate:)) == [0, 0, 0, 0, 0, 0, 1, 2, 2, 2, 2, 2, 2, 2, 2])
    #expect((0..<3).map(stages.start(of:)) == [0, 6, 7] && stages.ends == [6, 7, 13])
  }

  /// The end of a stage is logged, evaluated, saved and kept, whatever the plan says; the best score is that of the latest stage.
  @Test func everyStageEndsWithACheckpoint() throws {
    var run = try ToyRun()
    run.plan.keepLast = 1
    let end = try run.train(Self.recipe()).recipe
    #expect(try run.store.steps == [6, 7, 8, 13])  // two ends, the best of the third stage, and the last
    #expect(try run.store.step(of: .best) == 8)
    let rows = try run.text("metrics.csv").split(separator: "\n").dropFirst().map { $0.split(separator: ",").prefix(2).joined() }
    #expect(rows == ["train3", "val4", "train6", "val6", "train7", "val7", "val8", "train9", "train12", "val12", "train13", "val13"])
    for (step, stage) in [(6, "first"), (7, "second"), (13, "third")] {
      #expect(try run.text("checkpoints/step_\(step < 10 ? "0000000" : "000000")\(step)/state.json").contains("\"stage\" : \"\(stage)\""))
    }
    let log = try run.text("train.log")
    #expect(log.contains("stage 'first' (1 of 3): steps 1 to 6") && log.contains("stage 'second' (2 of 3): steps 7 to 7")
              && log.contains("stage 'third' (3 of 3): steps 8 to 13"))
    // The momentum of another stage would have led elsewhere.
    let whole = try ToyRun().train().recipe
    #expect(end.x != whole.x)
  }

  /// The score of an earlier stage, however good, is no rival: it is of another set.
  @Test func theBestIsOfTheLatestStage() throws {
    let run = try ToyRun()
    var recipe = Self.recipe()
    recipe.stages = Stages([.init(name: "a", steps: 8), .init(name: "b", steps: 5)])  // the score is best at step 8 and grows from there
    try run.train(recipe)
    #expect(try run.store.step(of: .best) == 12)
    #expect(try run.store.steps == [8, 12, 13])
  }

  /// Dies at each moment of the run, boundaries included, and continues.
  @Test func aKilledRunContinuesAsIfNothingHadHappened() throws {
    let whole = try ToyRun()
    let counted = Self.recipe()
    let end = try whole.train(counted).recipe
    let (table, rows) = (try whole.text("metrics.csv"), try whole.rows())
    let state = try whole.text("checkpoints/step_00000013/state.json")
    #expect(counted.fate.moments > 45)
    for moment in 0..<counted.fate.moments {
      let run = try ToyRun()
      #expect(throws: Fate.Killed.self) { try run.train(Self.recipe(Fate(dyingAt: moment))) }
      let resumed = try run.train(Self.recipe()).recipe
      #expect(resumed.x == end.x && resumed.momentum == end.momentum, "killed at moment \(moment)")
      #expect(try run.text("metrics.csv") == table, "killed at moment \(moment)")
      #expect(try run.rows() == rows, "killed at moment \(moment)")
      #expect(try run.text("checkpoints/step_00000013/state.json") == state, "killed at moment \(moment)")
    }
  }

  /// From each checkpoint, also the one exactly at the end of a stage, the run ends with the same numbers.
  @Test(arguments: [5, 6, 7, 8, 10]) func resumingFromAnyCheckpoint(step: Int) throws {
    var run = try ToyRun()
    run.plan.keepLast = 20
    let end = try run.train(Self.recipe()).recipe, table = try run.text("metrics.csv")
    let resumed = try run.train(Self.recipe(), resume: .from("\(run.path)/checkpoints/\(CheckpointStore.folderName(step: step))")).recipe
    #expect(resumed.x == end.x && resumed.momentum == end.momentum)
    #expect(try run.text("metrics.csv") == table)
  }

  @Test func aCheckpointOfAnotherStageIsRefused() throws {
    let run = try ToyRun()
    try run.train(Self.recipe())
    var other = Self.recipe()
    other.stages = Stages([.init(name: "first", steps: 13), .init(name: "second", steps: 6)])
    #expect { try run.train(other) } throws: {
      let text = "\($0)"
      return ($0 as? Failure)?.kind == .badData && text.contains("step 13 was trained in the stage 'third'; the config has it in the stage 'first'")
        && text.contains("config.yaml")
    }
    #expect { try run.train() } throws: { "\($0)".contains("the config has it outside of any stage") }
  }
}
