import Base
import Models
import Networks
import Tensors
import Testing
import TestSupport

/// RAFT against torchvision 0.29 on PyTorch 2.13: `Tests/Fixtures/make_raft.py`.
@Suite("RAFT equals PyTorch") struct RAFTParityTests {
  @Test("names and shapes", arguments: [(RAFT.Variant.small, 106, 990_162), (.large, 179, 5_257_536)])
  func names(_ variant: RAFT.Variant, _ count: Int, _ parameters: Int) throws {
    var random = Random(seed: 0, stream: .test)
    let model = RAFT(.init(variant: variant), &random), ours = model.stateDictionary().unshared.entries
    let theirs = try RAFTFixture.names(variant)
    #expect(theirs.count == count)
    #expect(ours.map { "\($0.name) \($0.shape)" } == theirs.map { "\($0.0) \($0.1)" })
    #expect(model.parameterCount == parameters)
  }

  @Test("the generated inputs are PyTorch's", arguments: RAFTFixture.Case.allCases) func inputs(_ item: RAFTFixture.Case) throws {
    let it = try RAFTFixture(item, .float64)
    func checksum(_ x: Tensor) -> String {
      String(FixtureHash.fnv1a64(x.channelsFirst.doubles.map { UInt8($0) }), radix: 16)
    }
    func trimmed(_ name: String) -> String? { it.fixture.file.metadata["fnv1a64.\(name)"].map { String($0.drop { $0 == "0" }) } }
    #expect(checksum(it.image1) == trimmed("image1"))
    #expect(checksum(it.image2) == trimmed("image2"))
    #expect(checksum(it.valid) == trimmed("valid"))
  }

  /// How far a tensor may be from PyTorch's float64 result.
  private struct Bound {
    let precision: Precision
    let fixture: Fixture

    /// Float64: `1e-8` of the largest value (the acceptance; found: 1e-13). Float32: four times PyTorch's own distance, at least 16 roundings.
    func allowed(_ group: String, _ name: String, largest: Double) throws -> Double {
      guard precision == .float32 else { return 1e-8 * largest }
      let distance = try fixture.tensor("f32/\(group).statistics/\(name)").doubles[7]
      return max(4 * distance, 16 * Double(Float.ulpOfOne) * largest)
    }
  }

  /// Compares a whole tensor through its sampled elements, its norm and four projections; `values` are in official order.
  /// - Parameter bounds: the largest error of an element and the root mean square over all, where they are not those of `Bound`.
  private func compare(
    _ it: RAFTFixture, _ group: String, _ name: String, _ values: [Double], _ bounds: (element: Double, mean: Double)? = nil
  ) throws -> String? {
    let statistics = try it.fixture.tensor("f64/\(group).statistics/\(name)").doubles
    let bound = try Bound(precision: it.precision, fixture: it.fixture).allowed(group, name, largest: statistics[5])
    return try it.fixture.mismatch(group, name, values, bounds ?? (bound, bound))
  }

  /// How far float32 gradients of the large model may be from float64, relative to the largest value of their tensor.
  ///
  /// Of its 18 million inputs of ReLU some lie so close to zero that they change their mind in any float32 run, whatever the noise of the
  /// images; the gradients of all layers before move a little. Which ReLU that is, is chance. So each tensor gets five times what PyTorch's
  /// own float32 runs show in the worst tensor: for single elements, and (much tighter) for the root mean square.
  private func reluBounds(_ it: RAFTFixture) throws -> (element: Double, mean: Double) {
    var worst = (element: 0.0, mean: 0.0)
    for (name, parameter) in it.model.parameters() where !it.nullGradients.contains(name) {
      let statistics = try it.fixture.tensor("f32/grad.statistics/\(name)").doubles
      let largest = try it.fixture.tensor("f64/grad.statistics/\(name)").doubles[5]
      worst.element = max(worst.element, statistics[7] / largest)
      worst.mean = max(worst.mean, statistics[6] / Double(parameter.value.count).squareRoot() / largest)
    }
    return (5 * worst.element, 5 * worst.mean)
  }

  /// How far float32 parameters may be after three AdamW steps.
  ///
  /// The first steps are nearly rate · g / |g|, so a weight whose gradient is small, or whose ReLU changes its mind once the weights have
  /// moved, lands elsewhere; which weight that is, is chance. So each tensor gets four times what PyTorch's own float32 runs show in the
  /// worst tensor: for single elements, and (much tighter) for the root mean square.
  private func adamBounds(_ it: RAFTFixture) throws -> (element: Double, mean: Double) {
    var worst = (element: 0.0, mean: 0.0)
    for (name, parameter) in it.model.parameters() where !it.nullGradients.contains(name) {
      let statistics = try it.fixture.tensor("f32/param.statistics/\(name)").doubles
      worst.element = max(worst.element, statistics[7])
      worst.mean = max(worst.mean, statistics[6] / Double(parameter.value.count).squareRoot())
    }
    return (4 * worst.element, 4 * worst.mean)
  }

  @Test("flows and loss", arguments: RAFTFixture.Case.allCases, Precision.allCases)
  func forward(_ item: RAFTFixture.Case, _ precision: Precision) throws {
    let it = try RAFTFixture(item, precision)
    let (flows, loss) = it.forward()
    for (i, flow) in flows.enumerated() {
      let (n, h, w, _) = flow.shape4
      let sampled = flow.detached().gathered(1, Array(stride(from: 0, to: h, by: 5))).gathered(2, Array(stride(from: 0, to: w, by: 5)))
      #expect(n == 2)
      let expected = try it.fixture.tensor("f64/flow/\(i)"), statistics = try it.fixture.tensor("f64/flow.statistics/\(i)").doubles
      let allowed = try Bound(precision: precision, fixture: it.fixture).allowed("flow", "\(i)", largest: statistics[5])
      #expect(difference(sampled.channelsFirst, expected, absolute: allowed) == nil, "flow \(i)")
      let whole = FixtureHash.statistics(flow.channelsFirst.doubles)
      #expect(zip(whole, statistics).allSatisfy { abs($0 - $1) <= allowed * Double(flow.count).squareRoot() }, "flow \(i)")
    }
    let expected = try it.fixture.tensor("f64/loss").doubles[0]
    #expect(abs(loss.item - expected) <= (precision == .float64 ? 1e-8 : 16 * Double(Float.ulpOfOne)) * expected)
  }

  @Test("every gradient", arguments: RAFTFixture.Case.allCases, Precision.allCases)
  func gradients(_ item: RAFTFixture.Case, _ precision: Precision) throws {
    let it = try RAFTFixture(item, precision)
    let gradients = it.forward().loss.gradients()
    #expect(it.nullGradients.count == [.small: 21, .large: 30, .largeFrozen: 15][item])
    let norm = try it.fixture.tensor("f64/grad_norm").doubles[0]
    let relative = item.variant == .large && precision == .float32 ? try reluBounds(it) : nil
    for (name, parameter) in it.model.parameters() {
      let gradient = try #require(gradients[parameter], "\(name)")
      // Rounding noise around zero: of the order of the rounding of the gradients that cancel.
      let noise = norm * precision.ulpOfOne * 16
      let largest = try it.fixture.tensor("f64/grad.statistics/\(name)").doubles[5]
      let chance = relative.map { (element: $0.element * largest, mean: $0.mean * largest) }
      let bounds = it.nullGradients.contains(name) ? (element: noise, mean: noise) : chance
      let problem = try compare(it, "grad", name, parameter.layout.official(gradient).doubles, bounds)
      #expect(problem == nil)
    }
  }

  @Test("three AdamW steps", arguments: RAFTFixture.Case.allCases, Precision.allCases)
  func training(_ item: RAFTFixture.Case, _ precision: Precision) throws {
    let it = try RAFTFixture(item, precision)
    let optimizer = try AdamW(it.model.parameters(), AdamW.Config(weightDecay: 1e-4))
    /// Against a scalar of every step: in float32 within the given share, or four times PyTorch's own distance if that is more.
    func isNear(_ value: Double, _ name: String, _ step: Int, _ share: Double) throws -> Bool {
      let exact = try it.fixture.tensor("f64/\(name)").doubles[step], distance = try it.fixture.tensor("f32/\(name).distance").doubles[step]
      return abs(value - exact) <= (precision == .float64 ? 1e-8 * exact : max(share * exact, 4 * distance))
    }
    for step in 0..<3 {
      let loss = it.forward().loss
      #expect(try isNear(loss.item, "loss", step, 2e-5))
      let gradients = loss.gradients()
      let clipped = try clip(gradients, of: optimizer.parameters, to: 1)
      #expect(try isNear(clipped.norm, "grad_norm", step, 2e-4))
      optimizer.step(gradients, learningRate: 4e-4, scale: clipped.scale)
    }
    let noise = 3 * 2 * 4e-4  // three steps both ways: the sign of a gradient that is pure rounding is arbitrary
    let float32Bounds = try adamBounds(it)
    for (name, parameter) in it.model.parameters() {
      let values = parameter.layout.official(parameter.value).doubles
      let bounds = it.nullGradients.contains(name) ? (element: noise, mean: noise) : float32Bounds
      let problem = try compare(it, "param", name, values, precision == .float32 ? bounds : nil)
      #expect(problem == nil)
    }
    for (name, buffer) in it.model.buffers() {  // running statistics of batch norm, which move unless it is frozen
      let problem = try compare(it, "buffer", name, buffer.value.doubles)
      #expect(problem == nil)
    }
    let counter = it.model.stateDictionary()["cnet.norm1.num_batches_tracked"]?.integers
    #expect(counter == (item == .small ? nil : item.isNormalizationFrozen ? [7] : [10]))
  }
}
