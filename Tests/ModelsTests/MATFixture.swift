import Base
import Foundation
import Models
import Networks
import Tensors
import Testing
import TestSupport
import WeightFiles

/// Narrow MAT networks with the fixture's weights and inputs: `Tests/Fixtures/make_mat.py`.
struct MATFixture {
  /// What the file says of the networks and the inputs.
  struct Settings: Decodable {
    let resolution, channelBase, channelMax, zDim, wDim, mappingLayers, width, heads, mlpRatio, minibatchGroup: Int
    let depths, windows: [Int]
    let noise, batch, generatorEvery, discriminatorEvery: Int
    let holes: [[Int]]
    let gamma, rate, beta2, average: Double
    let cutoffs: [String: Int]

    var config: MAT.Config {
      var config = MAT.Config(resolution: resolution)
      (config.channelBase, config.channelMax, config.zDim, config.wDim) = (channelBase, channelMax, zDim, wDim)
      (config.mappingLayers, config.width, config.heads, config.mlpRatio) = (mappingLayers, width, heads, mlpRatio)
      (config.depths, config.windows, config.minibatchGroup) = (depths, windows, minibatchGroup)
      return config
    }
  }

  let precision: Precision
  let fixture: Fixture
  let settings: Settings
  let generator: MATGenerator
  let discriminator: MATDiscriminator
  /// `[n, h, w, 3]`.
  let image: Tensor
  /// `[n, h, w, 1]`.
  let mask: Tensor
  /// Parameters of both networks whose exact gradient is zero.
  let nullGradients: Set<String>
  /// For groups of many small tensors the largest distance, as a share of the largest value, that PyTorch's float32 runs show.
  private let shares: [String: Double]

  init(_ precision: Precision) throws {
    self.precision = precision
    fixture = try Fixture("mat_narrow")
    settings = try DETRFixture.decoded(fixture, "settings")
    nullGradients = Set(try DETRFixture.decoded(fixture, "null_gradients", as: [String].self))
    shares = try Dictionary(uniqueKeysWithValues: ["grad", "param", "ema"].map { [fixture, nullGradients] group in
      (group, try Self.worstShare(group, fixture, nullGradients))
    })
    var random = Random(seed: 0, stream: .test)
    generator = MATGenerator(settings.config, &random)
    discriminator = MATDiscriminator(settings.config, &random)
    generator.convert(to: precision)
    discriminator.convert(to: precision)
    try Self.fill(generator)
    try Self.fill(discriminator)
    let size = settings.resolution
    image = Self.steps("image.\(settings.noise)", [settings.batch, 3, size, size], -64, 65, unit: 64, precision).channelsLast
    let known = settings.holes.flatMap { hole in
      (0..<size * size).map { (hole[0]..<hole[2]).contains($0 / size) && (hole[1]..<hole[3]).contains($0 % size) ? 0.0 : 1 }
    }
    mask = Tensor(known, shape: [settings.batch, size, size, 1], precision: precision)
  }

  private static func fill(_ module: some Module) throws {
    try module.load(StateDictionary(module.stateDictionary().entries.map { entry in
      let name = entry.name
      if name.hasSuffix("resample_filter") || name.hasSuffix("attn_mask") { return entry }
      let root3 = 3.0.squareRoot()
      let (centre, bound) = if name.hasPrefix("mapping.fc") { (0.0, name.hasSuffix("weight") ? 100 * root3 : 10) }
        else if name.hasSuffix("affine.bias") { (1.0, 0.1) }
        else if name.hasSuffix("weight") || name.hasSuffix("noise_const") { (0.0, root3) }
        else { (0.0, 0.1) }
      return .init(name, Self.uniform(name, entry.shape, centre, bound, .float64))
    }))
  }

  /// Uniform around a centre, rounded to float32.
  private static func uniform(_ name: String, _ shape: [Int], _ centre: Double, _ bound: Double, _ precision: Precision) -> Tensor {
    let key = FixtureHash.key(name)
    let values = (0..<shape.reduce(1, *)).map { Double(Float(centre + (FixtureHash.fraction(key, $0) * 2 - 1) * bound)) }
    return Tensor(values, shape: shape, precision: precision)
  }

  /// Whole numbers in a range, divided by `unit`.
  private static func steps(
    _ name: String, _ shape: [Int], _ low: Double, _ high: Double, unit: Double = 1, _ precision: Precision
  ) -> Tensor {
    let key = FixtureHash.key(name)
    let values = (0..<shape.reduce(1, *)).map { (low + (high - low) * FixtureHash.fraction(key, $0)).rounded(.down) / unit }
    return Tensor(values, shape: shape, precision: precision)
  }

  private func latent(_ name: String) -> Tensor {
    Self.uniform("\(name).\(settings.noise)", [settings.batch, settings.zDim], 0, 3.0.squareRoot(), precision)
  }

  /// What one forward pass draws.
  func draws(_ name: String) -> MATGenerator.Draws {
    func keep(_ key: String, _ shape: [Int]) -> Tensor {
      Self.steps("\(name).\(key).\(settings.noise)", [settings.batch] + shape, 0, 2, precision).channelsLast
    }
    let config = settings.config, grid = config.body(at: 2)
    return MATGenerator.Draws(
      z: latent("\(name).z"), mixing: settings.cutoffs[name].map { (latent("\(name).z_mixing"), $0) },
      keepFirstStage: keep("keep_first_stage", [config.width, grid, grid]),
      keepSecondStage: keep("keep_second_stage", [config.channels(at: 16), 16, 16]))
  }

  /// The inputs as the script hashes them.
  var inputBytes: [(name: String, content: [UInt8])] {
    [("images", image), ("masks", mask), ("z", draws("one").z)].map { name, tensor in
      let values = (tensor.rank == 4 ? tensor.channelsFirst : tensor).doubles
      return (name, values.flatMap { value in withUnsafeBytes(of: Float(value).bitPattern.littleEndian, Array.init) })
    }
  }

  // MARK: Comparison

  /// Float64: `1e-7` of the largest value. Float32: four times PyTorch's own distance, at least 16 roundings; of gradients, parameters and
  /// averages the distance of the worst one, because in any float32 run some inputs of leaky ReLU change their sign.
  private func bounds(_ group: String, _ name: String) throws -> Fixture.Bounds {
    let largest = try fixture.tensor("f64/\(group).statistics/\(name)").doubles[5]
    guard precision == .float32 else { return (1e-7 * largest, 1e-7 * largest) }
    let own = try fixture.tensor("f32/\(group).distance/\(name)").doubles[1]
    let allowed = max(4 * own, 4 * (shares[group] ?? 0) * largest, 16 * Double(Float.ulpOfOne) * largest)
    return (allowed, allowed)
  }

  private static func worstShare(_ group: String, _ fixture: Fixture, _ excluded: Set<String>) throws -> Double {
    let prefix = "f32/\(group).distance/"
    return try fixture.file.entries.filter { $0.name.hasPrefix(prefix) }.reduce(0) { worst, entry in
      let name = String(entry.name.dropFirst(prefix.count))
      guard !excluded.contains(name), let distance = entry.tensor?.doubles[1] else { return worst }
      let largest = try fixture.tensor("f64/\(group).statistics/\(name)").doubles[5]
      return largest > 0 ? max(worst, distance / largest) : worst
    }
  }

  /// Records what differs from the file; `values` are in official order.
  func expect(_ group: String, _ name: String, _ values: [Double], sourceLocation: SourceLocation = #_sourceLocation) throws {
    let problem = try fixture.mismatch(group, name, values, bounds(group, name))
    #expect(problem == nil, sourceLocation: sourceLocation)
  }

  func expectLoss(_ group: String, _ name: String, _ value: Tensor, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let exact = try fixture.tensor("f64/\(group)/\(name)").doubles[0]
    let own = try fixture.tensor("f32/\(group).distance/\(name)").doubles[0]
    let allowed = precision == .float64 ? 1e-7 * abs(exact) : max(16 * Double(Float.ulpOfOne) * abs(exact), 4 * own)
    #expect(abs(value.item - exact) <= allowed, "\(name): \(value.item), expected \(exact) ± \(allowed)", sourceLocation: sourceLocation)
  }

  /// The names of a group, without what stands before them.
  func names(_ group: String) -> Set<String> {
    let prefix = "f64/\(group)/"
    return Set(fixture.file.entries.map(\.name).filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) })
  }
}
