import Base
import Networks
import Tensors
import Testing
import TestSupport

/// Outputs and gradients of the ops that are no layer against PyTorch, in float64. Tolerance as for the layers.
@Suite("Ops equal PyTorch") struct OperationParityTests {
  private static let tolerance = 1e-10
  private let fixture: Fixture

  init() throws { fixture = try Fixture("operations") }

  /// Runs an op on the named inputs of a case and compares its output and the gradient of each input.
  /// - Parameter images: the inputs and the output are images, channels first in the file.
  private func check(
    _ item: String, _ names: [String], images: Set<String> = [], _ body: ([Tensor], Fixture.Settings) throws -> Tensor
  ) throws {
    func ours(_ name: String, _ tensor: Tensor) -> Tensor { images.contains(name) ? tensor.channelsLast : tensor }
    let leaves = try names.map { ours($0, try fixture.tensor("\(item)/\($0)")).asLeaf() }
    let y = try body(leaves, fixture.settings(item))
    let gradients = y.gradients(seed: ours("output", try fixture.tensor("\(item)/cotangent")))
    for (name, value) in [("output", y.detached())] + zip(names, leaves).map({ ("grad.\($0)", gradients[$1] ?? .zeros($1.shape, .float64)) }) {
      let expected = ours(String(name.split(separator: ".").last ?? ""), try fixture.tensor("\(item)/\(name)"))
      let problem = difference(value, expected, absolute: Self.tolerance, relative: Self.tolerance)
      #expect(problem == nil, "\(item), \(name)")
    }
  }

  private static let activations = ["relu", "leaky_relu", "sigmoid", "tanh", "softplus", "erf", "gelu", "silu", "elu"]

  @Test("activations", arguments: activations.flatMap { Fixture.cases(of: $0) }) func activation(_ item: String) throws {
    try check(item, ["input"]) { x, settings in
      switch try settings.string("operation") {
      case "relu": x[0].relu()
      case "leaky_relu": x[0].leakyRelu(slope: try settings.double("negative_slope"))
      case "sigmoid": x[0].sigmoid()
      case "tanh": x[0].tanh()
      case "softplus": x[0].softplus()
      case "erf": x[0].erf()
      case "gelu": try settings.string("approximate") == "tanh" ? x[0].geluApproximated() : x[0].gelu()
      case "elu": x[0].elu()
      default: x[0].silu()
      }
    }
  }

  @Test("resize", arguments: Fixture.cases(of: "interpolate")) func resize(_ item: String) throws {
    try check(item, ["input"], images: ["input", "output"]) { x, settings in
      let mode = try #require(Interpolation(rawValue: try settings.string("mode")))
      return x[0].resized(to: try settings.extent("size"), mode, alignCorners: (try? settings.bool("align_corners")) ?? false)
    }
  }

  @Test("grid sample", arguments: Fixture.cases(of: "grid_sample")) func gridSample(_ item: String) throws {
    try check(item, ["input", "grid"], images: ["input", "output"]) { x, settings in
      let padding = try #require(GridPadding(rawValue: try settings.string("padding_mode")))
      return x[0].gridSampled(x[1], GridSampling(
        nearest: try settings.string("mode") == "nearest", padding: padding, alignCorners: try settings.bool("align_corners")))
    }
  }

  private static let pools = ["max_pool2d", "avg_pool2d", "adaptive_avg_pool2d", "adaptive_max_pool2d"]

  @Test("pooling", arguments: pools.flatMap { Fixture.cases(of: $0) }) func pooling(_ item: String) throws {
    try check(item, ["input"], images: ["input", "output"]) { x, settings in
      switch try settings.string("operation") {
      case "max_pool2d":
        return x[0].maxPooled(
          window: try settings.extent("kernel_size"), stride: try settings.extent("stride"), padding: try settings.extent("padding"))
      case "avg_pool2d":
        return x[0].averagePooled(
          window: try settings.extent("kernel_size"), stride: try settings.extent("stride"), padding: try settings.extent("padding"),
          countsPadding: try settings.bool("count_include_pad"))
      case "adaptive_avg_pool2d": return x[0].adaptiveAveragePooled(to: try settings.extent("output_size"))
      default: return x[0].adaptiveMaxPooled(to: try settings.extent("output_size"))
      }
    }
  }

  @Test("softmax and log-softmax", arguments: Fixture.cases(of: "softmax") + Fixture.cases(of: "log_softmax")) func softmax(_ item: String) throws {
    try check(item, ["input"]) { x, settings in
      let axis = try settings.int("dim")
      return try settings.string("operation") == "softmax" ? x[0].softmax(axis) : x[0].logSoftmax(axis)
    }
  }

  @Test("matmul", arguments: Fixture.cases(of: "matmul")) func matmul(_ item: String) throws {
    try check(item, ["a", "b"]) { x, _ in x[0].matmul(x[1]) }
  }

  @Test("attention", arguments: Fixture.cases(of: "scaled_dot_product_attention")) func attention(_ item: String) throws {
    let queries = try fixture.tensor("\(item)/query").shape, keys = try fixture.tensor("\(item)/key").shape
    let (t, s) = (queries[queries.count - 2], keys[keys.count - 2])
    let causal = Tensor((0..<t * s).map { $0 % s <= $0 / s ? 1 : 0 }, shape: [t, s], precision: .float64)
    let isCausal = (try? fixture.settings(item).bool("is_causal")) ?? false
    let mask = fixture.has("\(item)/mask") ? try fixture.tensor("\(item)/mask") : isCausal ? causal : nil
    let bias = mask.map { Tensor.select($0, Tensor(0, precision: .float64), else: Tensor(-.infinity, precision: .float64)) }
    try check(item, ["query", "key", "value"]) { x, _ in x[0].attention(keys: x[1], values: x[2], bias: bias) }
  }

  @Test("embedding", arguments: Fixture.cases(of: "embedding")) func embedding(_ item: String) throws {
    let indices = try fixture.integers("\(item)/indices")
    let shape = try fixture.tensor("\(item)/output").shape
    try check(item, ["weight"]) { x, _ in x[0].gathered(0, indices).reshaped(to: shape) }
  }

  @Test("every operation of the fixture is compared somewhere") func coverage() {
    let here = Set(Self.activations + Self.pools + ["interpolate", "grid_sample", "softmax", "log_softmax", "matmul", "embedding"]
      + ["scaled_dot_product_attention"])
    let layers: Set = [
      "conv2d", "conv_transpose2d", "linear", "instance_norm", "batch_norm", "layer_norm", "group_norm", "multihead_attention", "cross_entropy",
      "conv_frozen_norm",
    ]
    let all = Set(fixture.file.metadata.keys.compactMap { try? fixture.settings($0).string("operation") })
    #expect(all == here.union(layers))
  }
}
