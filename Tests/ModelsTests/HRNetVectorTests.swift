import Base
import Models
import Networks
import Tensors
import Testing
import TestSupport
import WeightFiles

/// Published networks with weights that are a function of their names: outputs that a run of the authors' code gave in float64.
@Suite("HRNet's vectors") struct HRNetVectorTests {
  /// Mean, deviation, and the first, middle and last element in official order.
  struct Row: Sendable, CustomStringConvertible {
    let network: Network
    let height: Int
    let width: Int
    let expected: [Double]
    var description: String { "\(network), \(height)x\(width)" }

    init(_ network: Network, _ expected: [Double], height: Int = 64, width: Int = 64) {
      (self.network, self.height, self.width, self.expected) = (network, height, width, expected)
    }
  }

  enum Network: Sendable {
    case pose(HRNet.Variant)
    case segmentation(HRNet.Variant, aligned: Bool)
    case context(aligned: Bool, aux: Bool)
    case classification(HRNet.Variant)

    func module() -> any Module {
      var random = Random(seed: 0, stream: .test)
      switch self {
      case .pose(let variant): return HRNetPose(HRNetPose.Config(variant), &random)
      case .segmentation(let variant, let aligned):
        var config = HRNetSegmentation.Config(variant)
        config.alignCorners = aligned
        return HRNetSegmentation(config, &random)
      case .context(let aligned, _):
        var config = HRNetSegmentation.Config(.w48)
        (config.alignCorners, config.objectContext.enabled) = (aligned, true)
        return HRNetSegmentation(config, &random)
      case .classification(let variant): return HRNetClassification(HRNetClassification.Config(variant), &random)
      }
    }

    func output(_ module: any Module, _ images: Tensor) throws -> Tensor {
      switch module {
      case let pose as HRNetPose: return pose(images, .evaluation)
      case let classification as HRNetClassification: return classification(images, .evaluation)
      case let segmentation as HRNetSegmentation:
        let output = segmentation(images, .evaluation)
        if case .context(_, aux: true) = self { return try #require(output.aux) }
        return output.logits
      default: return images
      }
    }
  }

  static let narrowRows = [
    Row(.pose(.w18), [-25.8902325, 406.564555, -51.2712042, -26.3626558, 417.348478]),
    Row(.segmentation(.w18, aligned: false), [-35.0272065, 230.844334, -5.74741706, -47.4284528, -313.758608]),
    Row(.segmentation(.w18, aligned: true), [-39.9401040, 247.195181, -12.4998935, -51.4488963, -327.012892]),
    Row(.segmentation(.w18, aligned: false), [-44.6738387, 363.584274, -9.37310515, 67.1368318, -408.470219], height: 96, width: 80),
    Row(.classification(.w18), [0.296208043, 264.720106, -85.5043298, -213.876454, 194.268210]),
  ]
  static let wideRows = [
    Row(.pose(.w32), [18.9052942, 340.113617, -26.7577656, 83.8361070, -38.2154104]),
    Row(.pose(.w48), [-39.9579203, 779.695704, -781.360790, -52.8545686, -483.871101]),
    Row(.segmentation(.w48, aligned: false), [37.7170163, 382.897527, 88.6825011, 142.644908, -172.058994]),
    Row(.segmentation(.w48, aligned: true), [47.9505007, 414.454662, 89.7717608, 149.021911, -209.569868]),
    Row(.context(aligned: true, aux: true), [-63.1982622, 349.276825, 138.243172, -115.334895, 346.331182]),
    Row(.context(aligned: true, aux: false), [-9.72884082, 222.122968, 206.487258, 173.017686, -215.798603]),
    Row(.context(aligned: false, aux: false), [-10.6301736, 218.974752, 91.3116157, 212.641305, -294.614856]),
    Row(.classification(.w32), [3.49241262, 223.588583, -103.784521, -166.101915, 124.530947]),
  ]

  @Test("outputs of the narrowest networks", arguments: narrowRows) func narrow(_ row: Row) throws { try check(row) }

  @Test("outputs of wide networks", .enabled(if: !BuildKind.isDebug, "slow in debug builds"), arguments: wideRows)
  func wide(_ row: Row) throws { try check(row) }

  @Test("parts of the body of W32") func parts() throws {
    var random = Random(seed: 0, stream: .test)
    let pose = HRNetPose(HRNetPose.Config(.w32), &random)
    pose.convert(to: .float64)
    try pose.load(StateDictionary(pose.stateDictionary().entries.map { NamedVector.entry($0.name, $0.shape) }))
    var parts: [String: [Tensor]] = [:]
    _ = noGradient { pose.body(NamedVector.map("input", 3, 64, 64), .evaluation) { parts[$0] = $1 } }
    let (first, second, third) = (try #require(parts["layer1"]), try #require(parts["stage2.0"]), try #require(parts["stage3.3"]))
    try expect(first[0], [0.233424472, 0.260316054, 0, 0.286938426, 0.155028301])
    try expect(second[0], [0.521980464, 0.431200556, 0, 0.512781987, 0.539259087])
    try expect(second[1], [0.403774923, 0.498328148, 0.425706619, 0.347643632, 0.476127413])
    try expect(third[2], [10.9835675, 13.5949013, 14.7981079, 17.1982572, 0])
  }

  @Test("the pyramid by itself") func pyramid() throws {
    var random = Random(seed: 0, stream: .test)
    let widths = [18, 36, 72, 144]
    let pyramid = HRNetPyramid(widths, &random)
    pyramid.convert(to: .float64)
    try pyramid.load(StateDictionary(pyramid.stateDictionary().entries.map { NamedVector.entry($0.name, $0.shape) }))
    let features = widths.enumerated().map { i, width in NamedVector.map("feat\(i)", width, 32 >> i, 32 >> i) }
    let levels = pyramid(features)
    #expect(levels.map(\.shape) == [32, 16, 8, 4, 2].map { [1, $0, $0, 256] })
    try expect(levels[0], [4.09534443e-4, 0.418065779, 0.0658853233, -0.0840367464, 0.833447371])
    try expect(levels[4], [7.74431870e-3, 0.154057516, 0.0411367627, -6.81679721e-3, -0.0716420555])
  }

  private func check(_ row: Row) throws {
    let module = row.network.module()
    module.convert(to: .float64)
    try module.load(StateDictionary(module.stateDictionary().entries.map { NamedVector.entry($0.name, $0.shape) }))
    try expect(try row.network.output(module, NamedVector.map("input", 3, row.height, row.width)), row.expected)
  }

  /// To the printed digits.
  private func expect(_ output: Tensor, _ expected: [Double], sourceLocation: SourceLocation = #_sourceLocation) throws {
    let values = (output.rank == 4 ? output.transposed([0, 3, 1, 2]) : output).doubles
    let mean = values.reduce(0, +) / Double(values.count)
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
    let found = [mean, variance.squareRoot(), values[0], values[values.count / 2], values[values.count - 1]]
    for (x, y) in zip(found, expected) {
      #expect(abs(x - y) <= 2e-8 * max(abs(y), abs(mean) * 1e-3), "\(found), expected \(expected)", sourceLocation: sourceLocation)
    }
  }
}

/// Values that follow from a name and an index: `u` in -1..<1.
enum NamedVector {
  static func values(_ name: String, _ count: Int) -> [Double] {
    let crc = crc32(name)
    return (0..<count).map { i in
      var h = UInt32(truncatingIfNeeded: i + 1) &* 2_654_435_761 &+ crc
      h ^= h >> 15
      h = h &* 2_246_822_519
      h ^= h >> 13
      return Double(h) * 0x1p-31 - 1
    }
  }

  /// `[1, height, width, channels]`, numbered in official order.
  static func map(_ name: String, _ channels: Int, _ height: Int, _ width: Int) -> Tensor {
    let values = values(name, channels * height * width)
    return Tensor(values, shape: [1, channels, height, width], precision: .float64).transposed([0, 2, 3, 1])
  }

  static func entry(_ name: String, _ shape: [Int]) -> Safetensors.Entry {
    if name.hasSuffix("num_batches_tracked") { return .init(name, integers: [0], shape: []) }
    let u = values(name, shape.reduce(1, *))
    let fanIn = Double(shape.dropFirst().reduce(1, *))
    let values: [Double]
    if name.hasSuffix("running_var") {
      values = u.map { 1 + 0.2 * $0 }
    } else if name.hasSuffix("running_mean") || name.hasSuffix("bias") {
      values = u.map { 0.1 * $0 }
    } else if shape.count > 1 {
      values = u.map { $0 * (3 / fanIn).squareRoot() }
    } else {
      values = u.map { 1 + 0.1 * $0 }
    }
    return .init(name, Tensor(values, shape: shape, precision: .float64))
  }

  /// Of zlib.
  static func crc32(_ text: String) -> UInt32 {
    ~text.utf8.reduce(0xFFFF_FFFF as UInt32) { crc, byte in
      (0..<8).reduce(crc ^ UInt32(byte)) { crc, _ in crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
    }
  }
}

@Suite("Named vectors") struct NamedVectorTests {
  @Test func known() {
    #expect(NamedVector.crc32("input") == 3_626_513_111 && NamedVector.crc32("conv1.weight") == 3_410_522_421)
    let u = NamedVector.values("input", 3)
    #expect(zip(u, [0.4095035680, 0.1345711164, 0.9417599677]).allSatisfy { abs($0 - $1) < 1e-9 })
    #expect(abs(NamedVector.values("conv1.weight", 1)[0] - 0.8153857370) < 1e-9)
  }
}
