import Base
import Foundation
import Networks
import Tensors
import Testing
import TestSupport
import WeightFiles

/// Three parameters without layers around them, as the fixtures have them.
private struct Three: Module {
  let a, b, c: Parameter

  init(_ value: (String) throws -> Tensor) rethrows {
    a = Parameter(try value("a"))
    b = Parameter(try value("b"))
    c = Parameter(try value("c"))
  }

  /// Gradients with exactly these values: those of `Σ g · θ`.
  func gradients(_ value: (String) throws -> Tensor) rethrows -> Gradients {
    var total = Tensor(0, precision: a.precision)
    for (name, parameter) in parameters() { total = total + (try value(name) * parameter.value).sum() }
    return total.gradients()
  }
}

/// The value of step `k` in a tensor that stacks all steps on its first axis.
private func slice(_ stacked: Tensor, _ k: Int) -> Tensor {
  stacked.sliced(0, k..<k + 1).reshaped(to: Array(stacked.shape.dropFirst()))
}

@Suite("Optimisers") struct OptimizerTests {
  private let fixture: Fixture

  init() throws { fixture = try Fixture("optimizers") }

  static let cases = ["sgd", "sgd_momentum", "sgd_nesterov", "sgd_decay", "sgd_nesterov_decay", "adam", "adam_l2", "adamw", "adamw_strong"]

  private func make(_ item: String, _ module: some Module) throws -> (any Optimizer, rate: Double) {
    let settings = try fixture.settings(item), kind = try settings.string("optimizer"), rate = try settings.double("lr")
    func value(_ key: String, _ standard: Double) throws -> Double { settings.has(key) ? try settings.double(key) : standard }
    let decay = try value("weight_decay", 0)
    if kind == "SGD" {
      let nesterov = settings.has("nesterov") ? try settings.bool("nesterov") : false
      let config = SGD.Config(momentum: try value("momentum", 0), weightDecay: decay, nesterov: nesterov)
      return (try SGD(module.parameters(), config), rate)
    }
    let betas = try settings.doubles("betas"), epsilon = try settings.double("eps")
    if kind == "Adam" {
      return (try Adam(module.parameters(), Adam.Config(beta1: betas[0], beta2: betas[1], epsilon: epsilon, weightDecay: decay)), rate)
    }
    return (try AdamW(module.parameters(), AdamW.Config(beta1: betas[0], beta2: betas[1], epsilon: epsilon, weightDecay: decay)), rate)
  }

  /// Six steps of a dozen operations each on numbers near 1: rounding stays below 1e-14, and 1e-12 is room for another order of operations.
  @Test("parameters after every step equal PyTorch's", arguments: cases) func parity(_ item: String) throws {
    let module = try Three { try fixture.tensor("initial/\($0)") }
    let (optimizer, rate) = try make(item, module)
    for k in 0..<6 {
      optimizer.step(try module.gradients { slice(try fixture.tensor("gradient/\($0)"), k) }, learningRate: rate)
      for (name, parameter) in module.parameters() {
        let expected = slice(try fixture.tensor("\(item)/\(name)"), k)
        #expect(difference(parameter.value, expected, absolute: 1e-12) == nil, "\(item), step \(k), \(name)")
      }
    }
    #expect(optimizer.stepCount == 6)
  }

  @Test("clipping equals PyTorch's", arguments: ["clip_active", "clip_inactive", "clip_small"]) func clipping(_ item: String) throws {
    let shaped = try Three { .zeros(try fixture.tensor("\(item)/before/\($0)").shape, .float64) }
    let gradients = try shaped.gradients { try fixture.tensor("\(item)/before/\($0)") }
    let measured = try clip(gradients, of: try TrainedParameter.select(shaped.parameters()), to: try fixture.settings(item).double("max_norm"))
    #expect(abs(measured.norm - (try fixture.tensor("\(item)/norm").item)) < 1e-14)
    for (name, parameter) in shaped.parameters() {
      let clipped = try #require(gradients[parameter]) * measured.scale
      #expect(difference(clipped, try fixture.tensor("\(item)/after/\(name)"), absolute: 1e-15) == nil, "\(name)")
    }
    #expect(try clip(gradients, of: [], to: 1) == (0, 1), "no gradients have the norm 0 and need no scale")
  }

  @Test("a scale in the step equals scaled gradients") func scale() throws {
    let (one, two) = (try Three { try fixture.tensor("initial/\($0)") }, try Three { try fixture.tensor("initial/\($0)") })
    let (a, b) = (try AdamW(one.parameters()), try AdamW(two.parameters()))
    let gradient = { (name: String) in slice(try fixture.tensor("gradient/\(name)"), 0) }
    a.step(try one.gradients(gradient), learningRate: 0.1, scale: 0.25)
    b.step(try two.gradients { try gradient($0) * 0.25 }, learningRate: 0.1)
    for ((name, p), (_, q)) in zip(one.parameters(), two.parameters()) {
      #expect(difference(p.value, q.value, absolute: 1e-15) == nil, "\(name)")
    }
  }

  @Test("an invalid gradient is named", arguments: [Double.infinity, .nan]) func nonFinite(_ value: Double) throws {
    let module = Three { _ in .ones([2]) }
    let gradients = module.gradients { name in Tensor(filling: [2], with: name == "b" ? value : 1) }
    let parameters = try TrainedParameter.select(module.parameters())
    #expect { try clip(gradients, of: parameters, to: 1) } throws: { error in
      (error as? Failure)?.kind == .diverged && (error as? Failure)?.place == "b"
    }
  }

  @Test("a step without any gradient traps") func noGradient() async {
    await #expect(processExitsWith: .failure) {
      let module = Three { _ in .ones([2]) }
      try AdamW(module.parameters()).step(Tensor(1.0).asLeaf().exp().gradients(), learningRate: 0.1)
    }
  }

  @Test("rules set rate and decay by name, frozen parameters stay") func rules() throws {
    let module = Three { _ in .ones([2], .float64) }
    try module.freeze(["c"])
    let optimizer = try SGD(
      module.parameters(), SGD.Config(weightDecay: 0.5),
      groups: [ParameterGroup("a", lrMult: 0.1, decayMult: 0), ParameterGroup("*", lrMult: 2)])
    #expect(optimizer.parameters.map(\.name) == ["a", "b"])
    let loss = module.parameters().reduce(Tensor(0, precision: .float64)) { $0 + $1.parameter.value.sum() }
    let gradients = loss.gradients()
    #expect(gradients[module.c] == nil)
    optimizer.step(gradients, learningRate: 0.1)
    #expect(module.a.value.doubles == [1 - 0.01, 1 - 0.01])
    #expect(difference(module.b.value, Tensor([0.7, 0.7], shape: [2], precision: .float64), absolute: 1e-15) == nil)  // 1 - 0.2 · 1.5
    #expect(module.c.value.doubles == [1, 1])
    #expect(throws: Failure.self) { try SGD(module.parameters(), groups: [ParameterGroup("backbone.*")]) }
  }

  @Test("memory is updated in place") func inPlace() async {
    await #expect(processExitsWith: .success) {  // its own process, because the pool is shared
      let module = Three { _ in .ones([1 << 18]) }
      guard let optimizer = try? AdamW(module.parameters()) else { stop("no optimiser") }
      func train() {
        let gradients = module.gradients { _ in .ones([1 << 18]) }
        MemoryPool.resetHighWater()
        let before = MemoryPool.statistics.highWater
        optimizer.step(gradients, learningRate: 0.1)
        require(MemoryPool.statistics.highWater - before < 1 << 20, "a step took \(MemoryPool.statistics.highWater - before) bytes")
      }
      for _ in 0..<3 { train() }
    }
  }

  @Test("a reader's copy of a parameter does not change") func readersCopy() throws {
    let module = Three { _ in .ones([2], .float64) }, optimizer = try SGD(module.parameters()), held = module.a.value
    optimizer.step(module.gradients { _ in .ones([2], .float64) }, learningRate: 0.5)
    #expect(held.doubles == [1, 1] && module.a.value.doubles == [0.5, 0.5])
  }

  @Test("resuming gives the same bits", arguments: ["sgd_nesterov_decay", "adam_l2", "adamw_strong"], Precision.allCases)
  func resume(_ item: String, _ precision: Precision) throws {
    func start() throws -> (Three, any Optimizer, Double) {
      let module = try Three { try fixture.tensor("initial/\($0)").converted(to: precision) }
      let (optimizer, rate) = try make(item, module)
      return (module, optimizer, rate)
    }
    func run(_ module: Three, _ optimizer: any Optimizer, _ rate: Double, _ steps: Range<Int>) throws {
      for k in steps {
        let gradients = try module.gradients { slice(try fixture.tensor("gradient/\($0)").converted(to: precision), k) }
        optimizer.step(gradients, learningRate: rate)
      }
    }
    let (whole, optimizer, rate) = try start()
    try run(whole, optimizer, rate, 0..<3)
    let weights = whole.stateDictionary().safetensors().bytes, state = optimizer.saved().bytes
    try run(whole, optimizer, rate, 3..<6)

    let (second, resumed, _) = try start()
    try second.load(StateDictionary(Safetensors(bytes: weights, name: "weights")))
    try resumed.restore(Safetensors(bytes: state, name: "state"), from: "state")
    try run(second, resumed, rate, 3..<6)
    for ((name, p), (_, q)) in zip(whole.parameters(), second.parameters()) { #expect(p.value.isIdentical(to: q.value), "\(name)") }
  }

  @Test("a parameter without gradient does not age: its first step is Adam's first, and a resumed optimiser knows") func skippedSteps() throws {
    func module() -> Three { Three { _ in .ones([2], .float64) } }
    let late = module(), fresh = module()
    let optimizer = try Adam(late.parameters(), Adam.Config(beta1: 0, beta2: 0.99))
    let loss = (late.a.value * 3).sum() + (late.b.value * 2).sum()
    optimizer.step(loss.gradients(), learningRate: 0.1)
    #expect(late.c.value.doubles == [1, 1])

    let state = optimizer.saved()
    let resumed = try Adam(late.parameters(), Adam.Config(beta1: 0, beta2: 0.99))
    try resumed.restore(Safetensors(bytes: state.bytes, name: "state"), from: "state")
    let other = try Adam(fresh.parameters(), Adam.Config(beta1: 0, beta2: 0.99))
    resumed.step((late.c.value * 5).sum().gradients(), learningRate: 0.1)
    other.step((fresh.c.value * 5).sum().gradients(), learningRate: 0.1)
    #expect(late.c.value.isIdentical(to: fresh.c.value))
  }

  @Test("without β₁ the mean of the gradient is the gradient: none is kept, and one in a file is not needed") func withoutFirstMoment() throws {
    let module = Three { _ in .ones([2], .float64) }
    let optimizer = try Adam(module.parameters(), Adam.Config(beta1: 0, beta2: 0.75, epsilon: 0))
    for _ in 0..<2 { optimizer.step(module.gradients { _ in .ones([2], .float64) * 3 }, learningRate: 0.25) }
    #expect(module.a.value.doubles == [0.5, 0.5], "the root of the corrected mean square is the gradient: two steps of the rate")
    let state = optimizer.saved()
    #expect(state.entries.map(\.name) == ["a", "b", "c"].map { "exp_avg_sq.\($0)" })

    let more = ["a", "b", "c"].map { Safetensors.Entry("exp_avg.\($0)", .ones([2], .float64)) }
    try optimizer.restore(Safetensors(state.entries + more, metadata: state.metadata), from: "state")
    let kept = try Adam(module.parameters())
    let error = #expect(throws: Failure.self) { try kept.restore(state, from: "state") }
    #expect(error?.problem.contains("exp_avg.a (missing)") == true)
  }

  @Test("a state whose skipped steps are not the network's is refused", arguments: ["1", "1,2", "9,0,0", "a,b,c"])
  func foreignSkips(_ text: String) throws {
    let module = Three { _ in .ones([2]) }
    let adam = try Adam(module.parameters())
    var metadata = adam.saved().metadata
    metadata["skipped"] = text
    let state = Safetensors(adam.saved().entries, metadata: metadata)
    #expect { try adam.restore(state, from: "optimizer.safetensors") } throws: { ($0 as? Failure)?.kind == .badData }
  }

  @Test("lazy regularisation slows both moments and the rate") func lazyRegularization() {
    let (config, factor) = Adam.Config(beta1: 0, beta2: 0.99).lazilyRegularized(every: 4)
    #expect(factor == 0.8 && config.beta1 == 0 && abs(config.beta2 - 0.991992) < 1e-6)
  }

  @Test("a foreign state is refused") func foreignState() throws {
    let module = Three { _ in .ones([2]) }, other = Three { _ in .ones([3]) }
    let adam = try Adam(module.parameters()), adamW = try AdamW(other.parameters()), optimizer = try AdamW(module.parameters())
    for state in [adam.saved(), adamW.saved(), Safetensors([])] {
      #expect { try optimizer.restore(state, from: "optimizer.safetensors") } throws: { error in
        (error as? Failure)?.kind == .badData && "\(error)".hasPrefix("optimizer.safetensors: ")
      }
    }
  }
}

@Suite("Moving average") struct MovingAverageTests {
  @Test("follows the parameters") func decay() throws {
    let module = Three { _ in Tensor([1], shape: [1], precision: .float64) }
    let average = MovingAverage(of: module, .init(decay: 0.75))
    for value in [2.0, 4] {
      for (_, parameter) in module.parameters() { parameter.value = Tensor([value], shape: [1], precision: .float64) }
      average.update()
    }
    let first = 0.75 + 0.25 * 2.0, second = 0.75 * first + 0.25 * 4.0
    #expect(average.withAverages { module.a.value.item } == second)
    #expect(module.a.value.item == 4)
    let state = average.saved(), fresh = MovingAverage(of: module, .init(decay: 0.75))
    try fresh.restore(Safetensors(bytes: state.bytes, name: "ema"), from: "ema")
    #expect(fresh.stepCount == 2 && fresh.withAverages { module.c.value.item } == second)
  }

  @Test("warm-up forgets the start") func warmUp() {
    let module = Three { _ in .zeros([1], .float64) }
    let average = MovingAverage(of: module, .init(decay: 0.999, warmsUp: true))
    module.a.value = Tensor([1], shape: [1], precision: .float64)
    average.update()
    #expect(abs(average.withAverages { module.a.value.item } - 0.9) < 1e-15)  // d = 1/10
  }

  @Test("buffers are copied, not averaged") func buffers() {
    let norm = BatchNorm2d(2), average = MovingAverage(of: norm, .init(decay: 0.5))
    norm.runningMean.value = Tensor([3, 4], shape: [2])
    average.update()
    norm.runningMean.value = .zeros([2])
    #expect(average.withAverages { norm.runningMean.value.doubles } == [3, 4])
  }
}
