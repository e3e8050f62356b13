@testable import Benchmarks
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
  @Test func operationsAreThoseOfTheGraph() {
    let stem = ConvolutionWorkload(3, to: 8, kernel: 7, size: Extent(height: 18, width: 22), batch: 2, stride: 2, inputGradient: false)
    #expect(stem.forward()().recordedOperations == stem.operations)
    #expect(stem.operations == 2 * 2 * Double(2 * 9 * 11 * 49 * 3 * 8))
    let row = ConvolutionWorkload(6, to: 4, kernel: Extent(height: 1, width: 5), size: Extent(height: 7, width: 9))
    #expect(row.forward()().recordedOperations == row.operations)
    let encoder = EncoderLayerWorkload(batch: 2, tokens: 5, width: 8, heads: 2, hidden: 12)
    #expect(encoder.forward()().recordedOperations == encoder.operations)
    let stage = BottleneckWorkload(batch: 2, inputs: 6, width: 4, height: 8, imageWidth: 12, blocks: 3)
    #expect(stage.forward()().recordedOperations == stage.operations)
  }

  /// A repetition computes gradients, not only the output: it takes the memory that they need.
  @Test func repetitionsComputeGradients() throws {
    let workload = ConvolutionWorkload(16, size: Extent(height: 64, width: 64)).prepared()
    MemoryPool.resetHighWater()
    let before = MemoryPool.statistics.inUse
    try workload.run()
    let taken = MemoryPool.statistics.highWater - before, image = 64 * 64 * 16 * 4
    #expect(taken >= 2 * image, "the output and the gradient of the input take \(2 * image) bytes, \(taken) were taken")
  }
}
