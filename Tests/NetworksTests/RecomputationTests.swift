import Base
import Networks
import Tensors
import Testing

@Suite struct RecomputationTests {
  private struct Block: Module {
    let conv: Conv2d
    let norm: BatchNorm2d
    let dropout = Dropout(0.3)

    init(_ random: inout Random) {
      conv = Conv2d(6, 6, kernel: 3, Conv2dOptions(padding: 1), &random)
      norm = BatchNorm2d(6)
    }

    func callAsFunction(_ x: Tensor, _ pass: Pass) -> Tensor { x + dropout(norm(conv(x), pass).relu(), pass) }
  }

  /// Gradients, running statistics, and the next number that dropout would draw.
  private func results(_ run: @escaping (Pass, @escaping () -> Tensor) -> Tensor) -> [Tensor] {
    var random = Random(seed: 8, stream: .test)
    let blocks = (0..<4).map { _ in Block(&random) }
    let x = Tensor.uniform([2, 9, 7, 6], from: -1, to: 1, &random).asLeaf()
    let pass = Pass(.training, random: Random(seed: 2, stream: .dropout))
    var y = x
    for pair in [blocks[0...1], blocks[2...3]] {
      y = run(pass) { [y] in
        pair.reduce(y) { y, block in run(pass) { block(y, pass) } }  // blocks in blocks
      }
    }
    y = Dropout(0.5)(y, pass)
    let gradients = y.squared().sum().gradients()
    let parameters = blocks.flatMap { $0.parameters() }.compactMap { gradients[$0.parameter] }
    let buffers = blocks.flatMap { $0.buffers() }.map(\.buffer.value)
    let counts = blocks.map { Tensor(Double($0.norm.numBatchesTracked.value)) }
    return parameters + buffers + counts + [x].compactMap { gradients[$0] } + [Tensor(pass.random.uniform())]
  }

  @Test func dropoutAndBatchNormDoTheSame() {
    let plain = results { _, body in body() }, again = results { pass, body in pass.recomputed(body) }
    #expect(plain.count == 4 * (4 + 2 + 1) + 2 && again.count == plain.count)
    for (i, (a, b)) in zip(plain, again).enumerated() { #expect(a.isIdentical(to: b), "result \(i) of shape \(a.shape)") }
  }
}
