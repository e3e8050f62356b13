import Base
import Benchmarks
import Tensors
import Testing

@Suite struct WorkloadTests {
  @Test func namesAreDifferent() {
    let names = BenchmarkCase.all.map(\.name)
    #expect(Set(names).count == names.count)
    #expect(Set(names).isDisjoint(with: BenchmarkCase.all.map(\.group)))
  }

  @Test func casesAreSelectedByNameAndGroup() throws {
    #expect(try BenchmarkCase.select([]).count == BenchmarkCase.all.count)
    #expect(try BenchmarkCase.select(["conv3x3"]).count == 5)
    #expect(try BenchmarkCase.select(["raft-small-step", "conv3x3-32"]).map(\.name) == ["conv3x3-32", "raft-small-step"])
    #expect(throws: Failure.self) { try BenchmarkCase.select(["conv3x3", "conv9x9"]) }
  }

  /// The formulas against the products of the recorded graph, which hold the shapes that really met.
  @Test(arguments: BenchmarkCase.all.map(\.name))
  func operationsAreThoseOfTheGraph(_ name: String) throws {
    guard let workload = try BenchmarkCase.select([name])[0].workload as? any DifferentiatedWorkload else { return }
    #expect(workload.forward()().recordedOperations == workload.operations)
  }

  @Test func operationsCountForwardAndBothGradients() throws {
    let convolution = try BenchmarkCase.select(["conv3x3-64"])[0].workload.prepared()
    #expect(convolution.operations == 3 * 2 * Double(56 * 56 * 9 * 64 * 64))
    let stem = try BenchmarkCase.select(["conv7x7-stem"])[0].workload.prepared()
    #expect(stem.operations == 2 * 2 * Double(184 * 248 * 49 * 3 * 64))
  }
}
