import Foundation
import Models
import Networks
import TestSupport
import Tensors

/// RAFT-small with the fixture's weights and inputs, as torchvision ran it.
struct RAFTFixture {
  let fixture: Fixture
  let model: RAFT
  let image1, image2, flow, valid: Tensor
  let precision: Precision
  /// Biases in front of an instance norm: their exact gradient is zero.
  let nullGradients: Set<String>

  init(_ precision: Precision) throws {
    self.precision = precision
    fixture = try Fixture("raft_small")
    var random = Random(seed: 0, stream: .test)
    model = RAFT(.init(variant: .small), &random)
    model.convert(to: precision)
    let state = StateDictionary(try Self.names().map { name, shape in
      .init(name, Tensor(FixtureHash.weights(name, shape), shape: shape, precision: .float64))
    })
    try model.load(state)
    image1 = Self.image(dx: 0, dy: 0).converted(to: precision)
    image2 = Self.image(dx: -3, dy: 2).converted(to: precision)
    flow = Self.flow().converted(to: precision)
    valid = Self.valid().converted(to: precision)
    let list = fixture.file.metadata["null_gradients"] ?? "[]"
    nullGradients = Set((try JSONSerialization.jsonObject(with: Data(list.utf8)) as? [String]) ?? [])
  }

  /// Official names and shapes, in order.
  static func names() throws -> [(String, [Int])] {
    let text = try Data(contentsOf: URL(fileURLWithPath: Fixture.path("raft_small_names.json")))
    let list = try JSONSerialization.jsonObject(with: text) as? [[String: Any]] ?? []
    return list.compactMap { entry in
      guard let name = entry["name"] as? String, let shape = entry["shape"] as? [Int] else { return nil }
      return (name, shape)
    }
  }

  private static func image(dx: Int, dy: Int) -> Tensor {
    let noise = FixtureHash.key("noise.29")
    var values: [Double] = []
    for n in 0..<2 { for c in 0..<3 { for row in 0..<128 { for column in 0..<136 {
      let (x, y) = (column + dx, row + dy), (a, b) = (Double(x), Double(y)), (k, s) = (Double(c), Double(n))
      let i = ((3 * n + c) * 144 + y + 8) * 152 + x + 8
      let waves = 60 * sin(0.11 * a + 0.07 * b + 0.9 * k + 1.3 * s) + 40 * cos(0.05 * a - 0.13 * b + 0.5 * k + 0.7 * s)
      values.append((127.5 + waves + 40 * FixtureHash.fraction(noise, i) - 20 + 0.5).rounded(.down))
    } } } }
    return Tensor(values, shape: [2, 3, 128, 136], precision: .float64).channelsLast
  }

  private static func flow() -> Tensor {
    var values: [Double] = []
    for n in 0..<2 { for c in 0..<2 { for row in 0..<128 { for column in 0..<136 {
      let (x, y, s) = (Double(column), Double(row), Double(n))
      if c == 0, n == 1, (40..<44).contains(row), (60..<64).contains(column) {
        values.append(500)
      } else {
        let v = c == 0 ? 3 + 1.5 * sin(0.04 * x + 0.02 * y + s + 0.3) : -2 + 1.2 * cos(0.03 * x - 0.05 * y + s + 0.1)
        values.append((64 * v + 0.5).rounded(.down) / 64)
      }
    } } } }
    return Tensor(values, shape: [2, 2, 128, 136], precision: .float64).channelsLast
  }

  private static func valid() -> Tensor {
    let key = FixtureHash.key("valid")
    let values = (0..<2 * 128 * 136).map { i -> Double in
      let (n, y, x) = (i / (128 * 136), i / 136 % 128, i % 136)
      return n == 0 && y < 16 && x < 24 ? 0 : FixtureHash.fraction(key, i) >= 0.1 ? 1 : 0
    }
    return Tensor(values, shape: [2, 128, 136, 1], precision: .float64)
  }

  func forward() -> (flows: [Tensor], loss: Tensor) {
    let flows = model(image1, image2, iterations: 3, Pass(.training)).flows
    return (flows, RAFT.sequenceLoss(flows, target: flow, valid: valid, gamma: 0.8))
  }
}
