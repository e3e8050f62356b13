import Base
import Foundation
import Models
import Networks
import Tensors
import TestSupport
import WeightFiles

/// RAFT with the fixture's weights and inputs, as torchvision ran it.
struct RAFTFixture {
  /// One file of reference values each.
  enum Case: String, CaseIterable, Sendable {
    case small = "raft_small", large = "raft_large", largeFrozen = "raft_large_frozen"

    var variant: RAFT.Variant { self == .small ? .small : .large }
    var isNormalizationFrozen: Bool { self == .largeFrozen }
    var iterations: Int { self == .small ? 3 : 2 }
  }

  let item: Case
  let fixture: Fixture
  let model: RAFT
  let image1, image2, flow, valid: Tensor
  let precision: Precision
  /// Biases in front of a norm by the statistics of its input: their exact gradient is zero.
  let nullGradients: Set<String>

  init(_ item: Case, _ precision: Precision) throws {
    self.item = item
    self.precision = precision
    fixture = try Fixture(item.rawValue)
    var random = Random(seed: 0, stream: .test)
    model = RAFT(.init(variant: item.variant), &random)
    model.convert(to: precision)
    try model.load(Self.state(item.variant))
    let noise = fixture.file.metadata["noise"] ?? ""
    image1 = Self.image(noise, dx: 0, dy: 0).converted(to: precision)
    image2 = Self.image(noise, dx: -3, dy: 2).converted(to: precision)
    flow = Self.flow().converted(to: precision)
    valid = Self.valid().converted(to: precision)
    let list = fixture.file.metadata["null_gradients"] ?? "[]"
    nullGradients = Set((try JSONSerialization.jsonObject(with: Data(list.utf8)) as? [String]) ?? [])
  }

  /// The fixture's weights under all official names; both names of a shared array hold the values of the first.
  static func state(_ variant: RAFT.Variant) throws -> StateDictionary {
    StateDictionary(try names(variant).map { name, shape in
      let values = FixtureHash.weights(name.replacing(".downsample.1.", with: ".norm3."), shape)
      return .init(name, Tensor(values, shape: shape, precision: .float64))
    })
  }

  /// Official names and shapes, in order.
  static func names(_ variant: RAFT.Variant) throws -> [(String, [Int])] {
    let text = try Data(contentsOf: URL(fileURLWithPath: Fixture.path("raft_\(variant.rawValue)_names.json")))
    let list = try JSONSerialization.jsonObject(with: text) as? [[String: Any]] ?? []
    return list.compactMap { entry in
      guard let name = entry["name"] as? String, let shape = entry["shape"] as? [Int] else { return nil }
      return (name, shape)
    }
  }

  private static func image(_ noise: String, dx: Int, dy: Int) -> Tensor {
    let noise = FixtureHash.key(noise)
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
    let pass = Pass(.training, frozenNormalization: item.isNormalizationFrozen)
    let flows = model(image1, image2, iterations: item.iterations, pass).flows
    return (flows, RAFT.sequenceLoss(flows, target: flow, valid: valid, gamma: 0.8))
  }
}
