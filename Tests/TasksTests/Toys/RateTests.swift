import Base
import Foundation
import Networks
import Tasks
import Tensors
import Testing
import Training

/// `lr plot` and `lr find` on tasks that no line of the library knows.
@Suite(.serialized) struct RateTests {
  private static let stages = """
    plan: {}
    optimizer: {kind: sgd, learning_rate: 0.05, groups: [{match: trunk.*, lr_mult: 0.1}]}
    stages:
    - {name: first, steps: 40, schedule: {kind: multi_step, milestones: [20, 30], gamma: 0.5}}
    - {name: second, epochs: 5, schedule: {kind: cosine, warmup_steps: 5, warmup_factor: 0.1}, optimizer: {learning_rate: 0.2, groups: []}}

    """

  private func curves(_ yaml: String) throws -> RateCurves {
    let place = try ToyPlace(yaml)
    let loaded = try RankingToy.load(place.config)
    return try RateCurves(RankingTraining.self, loaded.stages, plan: loaded.value.plan) { _ in 4 }
  }

  @Test func stagesGroupsAndSchedulesByTheirFormulas() throws {
    let curves = try curves(Self.stages)
    // Five epochs of four steps follow the 40 of the first stage.
    #expect(curves.steps == 60 && curves.all.map(\.name) == ["lr", "lr_trunk"])
    let (rate, ofTrunk) = (curves.all[0], curves.all[1])
    for (step, expected) in [(0, 0.05), (19, 0.05), (20, 0.025), (29, 0.025), (30, 0.0125), (39, 0.0125)] {
      #expect(rate.rate(at: step).map { abs($0 - expected) < 1e-15 } == true, "step \(step)")
      #expect(ofTrunk.rate(at: step).map { abs($0 - expected / 10) < 1e-15 } == true, "step \(step)")
    }
    for step in 40..<60 {
      let t = Double(step - 40)
      let expected = 0.2 * (1 + cos(.pi * t / 20)) / 2 * (t < 5 ? 0.1 + 0.9 * t / 5 : 1)
      #expect(rate.rate(at: step).map { abs($0 - expected) < 1e-15 } == true, "step \(step)")
      #expect(ofTrunk.rate(at: step) == nil, "the second stage has no such group")
    }
    #expect(rate.peak.step == 45 && abs(rate.peak.rate - 0.2 * (1 + cos(.pi / 4)) / 2) < 1e-15)
    #expect(curves.events.map(\.step) == [20, 30, 40, 45] && curves.events.map(\.isStage) == [false, false, true, false])
  }

  @Test func aShorterPlanEndsTheCurves() throws {
    let curves = try curves(Self.stages.replacingOccurrences(of: "plan: {}", with: "plan: {steps: 25}")
      .replacingOccurrences(of: "epochs: 5", with: "steps: 20"))
    #expect(curves.steps == 25 && curves.all[0].points.last?.step == 24 && abs(curves.all[0].last - 0.025) < 1e-15)
    #expect(curves.events.map(\.step) == [20])
  }

  @Test func bothOptimisersAreDrawn() throws {
    let place = try ToyPlace("plan: {steps: 30}\n")
    var request = RatePlotRequest(config: place.config)
    request.folder = "\(place.folder)/lr"
    let text = try AdversarialToy.plotRates(request)
    #expect(text.contains("lr_d") && text.contains("0.01 ") && text.contains("0.02 "))
    let svg = try File.text(at: "\(place.folder)/lr/plot.svg")
    #expect(svg.contains("lr_d") && svg.contains("Learning rate, toy"))
    #expect(try AdversarialToy.plotRates(request) == text && File.text(at: "\(place.folder)/lr/plot.svg") == svg)
    #expect(try File.bytes(at: "\(place.folder)/lr/plot.png").starts(with: [0x89, 0x50, 0x4E, 0x47]))
  }

  // MARK: The range test

  private func find(_ place: ToyPlace, threads: Int = 1, from: Double = 1e-4, to: Double = 3) throws -> (text: String, csv: String) {
    ThreadPool.shared.setThreadCount(threads)
    var request = RangeTestRequest(config: place.config)
    request.range = RateRange(from: from, to: to, steps: 40)
    request.folder = "\(place.folder)/lr-\(threads)"
    let text = try AdversarialToy.findRate(request) { _ in }
    return (text, try File.text(at: "\(place.folder)/lr-\(threads)/find.csv"))
  }

  @Test func bothOptimisersMoveByOneFactor() throws {
    let place = try ToyPlace("plan: {steps: 30}\n")
    let (text, csv) = try find(place)
    let rows = csv.split(separator: "\n").map { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) }
    #expect(rows[0].prefix(4) == ["step", "lr", "lr_d", "smoothed"] && rows[0].contains("loss_g") && rows[0].contains("loss_d"))
    for row in rows.dropFirst() {
      let step = try #require(Int(row[0]))
      let (rate, other) = (try #require(Double(row[1])), try #require(Double(row[2])))
      #expect(abs(rate / RateRange(from: 1e-4, to: 3, steps: 40).rate(at: step) - 1) < 1e-12 && abs(other / rate - 2) < 1e-12)
    }
    #expect(text.contains("loss_d") && !FileManager.default.fileExists(atPath: place.run), "nothing is trained into a run folder")
    #expect(try find(place, threads: 2).csv == csv, "the number of threads changes nothing")
  }

  @Test func aRangeThatIsNoneIsRefused() throws {
    let place = try ToyPlace("plan: {steps: 30}\n")
    for (from, to) in [(1.0, 1e-3), (0, 1), (.nan, 1)] {
      #expect(throws: Failure.self) { try find(place, from: from, to: to) }
    }
  }
}
