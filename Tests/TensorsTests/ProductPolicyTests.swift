import Tensors
import Testing

/// The table of algorithms, for processors that this machine need not be.
@Suite struct ProductPolicyTests {
  private static func policy(
    _ set: InstructionSet, _ precision: MatmulPrecision = .highest, _ promise: Reproducibility = .machine, isBLASWide: Bool = true
  ) -> ProductPolicy {
    ProductPolicy(instructionSet: set, precision: precision, reproducibility: promise, isBLASWide: isBLASWide)
  }

  private static func convolution(
    _ channels: Int, kernel: Extent = 3, stride: Extent = 1, _ policy: ProductPolicy
  ) -> ConvolutionAlgorithm {
    let options = Conv2dOptions(stride: stride, padding: Extent(height: kernel.height / 2, width: kernel.width / 2))
    let plan = ConvolutionPlan.forward(input: Extent(height: 40, width: 48), kernel: kernel, options)
    return .choose(plan, groups: 1, depth: channels, columns: channels, images: 1, .float32, policy)
  }

  @Test func plainProducts() {
    func choose(_ depth: Int, _ columns: Int, _ policy: ProductPolicy) -> GEMMAlgorithm {
      .choose(depth: depth, columns: columns, .float32, policy)
    }
    #expect(choose(256, 256, Self.policy(.avx512)) == .openBLAS)
    #expect(choose(256, 64, Self.policy(.avx512)) == .panels)  // thin
    #expect(GEMMAlgorithm.choose(depth: 256, columns: 256, multiplyAdds: 1 << 22, .float32, Self.policy(.avx512)) == .panels)  // small
    #expect(GEMMAlgorithm.choose(depth: 256, columns: 256, multiplyAdds: 1 << 22, .float32, Self.policy(.portable)) == .openBLAS)
    #expect(choose(256, 64, Self.policy(.portable)) == .openBLAS)  // no kernels of ours
    #expect(choose(256, 256, Self.policy(.avx512, isBLASWide: false)) == .panels)  // shorter vectors than ours
    #expect(choose(256, 256, Self.policy(.avx2, isBLASWide: false)) == .openBLAS)
    #expect(choose(256, 256, Self.policy(.amx)) == .bf16(parts: 3))
    #expect(choose(8, 256, Self.policy(.amx, .medium)) == .openBLAS)  // too few terms to split
    for set in InstructionSet.allCases where ![.amx, .amxEmulated].contains(set) {
      #expect(choose(256, 256, Self.policy(set, .highest, .processors)) == .panels)
    }
  }

  @Test func convolutions() {
    guard case .winograd(let tile) = Self.convolution(64, Self.policy(.avx2)) else { Issue.record("no tiles"); return }
    #expect("\(tile)" == "F(2x4, 3x3)")
    #expect(Self.convolution(64, stride: 2, Self.policy(.avx2)) == .direct)
    #expect(Self.convolution(64, kernel: 7, Self.policy(.avx512)) == .direct)
    #expect(Self.convolution(64, Self.policy(.amx)) == .bf16(parts: 3))
    #expect(Self.convolution(32, Self.policy(.amx)) == .winograd(tile))  // few channels: six products cost more than tiles
    #expect(Self.convolution(32, Self.policy(.amx, .medium)) == .bf16(parts: 1))
  }

  @Test("medium is never slower than highest: without tile registers both take the same way",
        arguments: [InstructionSet.portable, .avx2, .avx512])
  func mediumTakesTheFasterWay(_ set: InstructionSet) {
    for channels in [8, 16, 64, 256] {
      #expect(Self.convolution(channels, Self.policy(set, .medium)) == Self.convolution(channels, Self.policy(set)))
      #expect(GEMMAlgorithm.choose(depth: channels, columns: 128, .float32, Self.policy(set, .medium))
        == .choose(depth: channels, columns: 128, .float32, Self.policy(set)))
    }
  }

  @Test func theGraphNamesAlgorithms() {
    let x = Tensor.zeros([1, 16, 16, 16]).asLeaf(), w = Tensor.zeros([3, 3, 16, 16]).asLeaf(), v = Tensor.zeros([16, 4]).asLeaf()
    let graph = x.conv2d(with: w, Conv2dOptions(padding: 1)).reshaped(to: [-1, 16]).matmul(v).recordedGraph
    func algorithms(_ op: Op) -> [String] { graph.filter { $0.op == op }.map(\.algorithm) }
    #expect(algorithms(.convolution).count == 1 && algorithms(.convolution) != [""])
    #expect(algorithms(.matmul) == ["\(GEMMAlgorithm.choose(depth: 16, columns: 4, .float32))"])
    #expect(algorithms(.reshape) == [""])
  }
}
