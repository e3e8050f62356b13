import Base
import Data
import Foundation
import Synchronization
import Testing
import Training

private struct Numbers: Dataset {
  struct Broken: Error {}

  let count: Int
  var failing: Int?

  func sample(at index: Int) throws -> Int {
    if index == failing { throw Broken() }
    if index % 3 == 0 { usleep(500) }  // let later ones overtake
    return index * 10
  }

  func name(of index: Int) -> String { "\(index)" }
}

/// Remembers the order in which it was asked, as an average that depends on it would.
private struct Listing: Evaluator {
  private(set) var pairs: [String] = []

  mutating func add(_ prediction: Int, _ truth: Int) { pairs.append("\(prediction)/\(truth)") }
  func result() throws -> Metrics { ["count": Double(pairs.count)] }
  func scores(of prediction: Int, _ truth: Int) -> [SampleScore] { [SampleScore("difference", Double(prediction - truth))] }
}

@Suite struct EvaluationPassTests {
  private func run(_ set: Numbers, _ indices: [Int], batchSize: Int, workers: Int, _ monitor: EvaluationMonitor = .init()) throws -> Listing {
    var listing = Listing()
    let pass = EvaluationPass<Int>(set, indices, batchSize: batchSize, workers: workers, monitor: monitor)
    try pass.run(&listing) { _, samples in samples.map { $0 + 1 } }
    return listing
  }

  @Test(arguments: [0, 1, 3], [1, 4, 20]) func workersAndBatchesChangeNothing(workers: Int, batchSize: Int) throws {
    let indices = [2, 3, 5, 6, 8, 9, 11]
    let listing = try run(Numbers(count: 12), indices, batchSize: batchSize, workers: workers)
    #expect(listing.pairs == indices.map { "\($0 * 10 + 1)/\($0 * 10)" })
  }

  @Test func progressIsTold() throws {
    var told: [String] = []
    _ = try run(Numbers(count: 7), Array(0..<7), batchSize: 3, workers: 1, .init(report: { told.append("\($0)/\($1)") }))
    #expect(told == ["0/7", "3/7", "6/7", "7/7"])
  }

  @Test func aStopIsObeyedBetweenBatches() throws {
    var done = 0
    #expect(throws: EvaluationCancelled.self) {
      _ = try run(Numbers(count: 9), Array(0..<9), batchSize: 2, workers: 2, .init(report: { count, _ in done = count }, isCancelled: { done >= 4 }))
    }
    #expect(done == 4)
  }

  @Test(arguments: [0, 2]) func samplesAreTold(workers: Int) throws {
    var monitor = EvaluationMonitor()
    var table = SampleTable()
    monitor.collect = { table.add($0, $1) }
    _ = try run(Numbers(count: 9), [2, 3, 7], batchSize: 2, workers: workers, monitor)
    #expect(table.csv == "sample,difference\n2,1.0\n3,1.0\n7,1.0\n")
  }

  @Test func anEmptySetIsLeftToTheEvaluator() throws {
    #expect(try run(Numbers(count: 3), [], batchSize: 2, workers: 2).pairs.isEmpty)
  }

  @Test(arguments: [0, 2]) func whatReadingThrowsIsThrown(workers: Int) {
    #expect(throws: Numbers.Broken.self) { _ = try run(Numbers(count: 9, failing: 5), Array(0..<9), batchSize: 2, workers: workers) }
  }

  @Test func metricKindsNameWhatIsBetter() {
    let score = MetricKind("ap", unit: "%", "average precision", better: .higher)
    #expect(score.isBetter(2, than: 1) && !score.isBetter(1, than: 1) && score.description == "%, average precision")
    #expect(MetricKind.loss().isBetter(1, than: 2) && MetricKind.loss().mustBeFinite && !MetricKind("n", "samples").isBetter(1, than: 2))
  }
}
