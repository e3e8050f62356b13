import Base
import Models
import Networks
import Tensors
import Testing
import TestSupport
import WeightFiles

/// Weights and inputs that are functions of their names, for which the authors' definition gave the numbers in `MATVectorTests`.
enum MATVectors {
  /// In -1..<1: a multiplicative hash of the index from 1 on and the name's CRC-32.
  static func u(_ name: String, _ count: Int) -> [Double] {
    var checksum = CyclicChecksum(.ieee)
    Array(name.utf8).withUnsafeBytes { checksum.update($0) }
    let seed = checksum.value
    return (0..<UInt32(count)).map { i in
      var h = (i &+ 1) &* 2_654_435_761 &+ seed
      h ^= h >> 15
      h = h &* 2_246_822_519
      h ^= h >> 13
      return Double(h) / 2_147_483_648 - 1
    }
  }

  static func tensor(_ name: String, _ shape: [Int], scale: Double = 1, plus shift: Double = 0) -> Tensor {
    Tensor(u(name, shape.reduce(1, *)).map { Float($0 * scale + shift) }, shape: shape)
  }

  /// Fills a network; filters and masks keep their values.
  static func fill(_ module: some Module) throws {
    let state = module.stateDictionary()
    try module.load(StateDictionary(state.entries.map { entry in
      let name = entry.name
      func filled(_ scale: Double, plus shift: Double = 0) -> Safetensors.Entry {
        .init(name, tensor(name, entry.shape, scale: scale, plus: shift))
      }
      if name.hasSuffix("resample_filter") || name.hasSuffix("attn_mask") { return entry }
      if name.hasPrefix("mapping.fc") { return filled(name.hasSuffix("weight") ? 100 * 3.0.squareRoot() : 10) }
      if name.hasSuffix("affine.bias") { return filled(0.1, plus: 1) }
      if name.hasSuffix("weight") { return filled(3.0.squareRoot()) }
      return filled(name.hasSuffix("noise_const") ? 1 : 0.1)
    }))
  }

  static func image() -> Tensor { tensor("input", [1, 3, 256, 256]).channelsLast }

  static func mask() -> Tensor {
    let known = (0..<256 * 256).map { (32..<224).contains($0 / 256) && (48..<208).contains($0 % 256) ? Float(0) : 1 }
    return Tensor(known, shape: [1, 256, 256, 1])
  }

  /// Mixing maps of ½ everywhere: dropout taken as the identity.
  static func draws() -> MATGenerator.Draws {
    MATGenerator.Draws(
      z: tensor("z", [1, 512]), keepFirstStage: Tensor(filling: [1, 16, 16, 180], with: 0.5),
      keepSecondStage: Tensor(filling: [1, 16, 16, 512], with: 0.5))
  }

  /// Mean, population deviation, first, middle and last element.
  static func statistics(_ values: [Double]) -> [Double] {
    let n = Double(values.count), mean = values.reduce(0, +) / n
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / n
    return [mean, variance.squareRoot(), values[0], values[values.count / 2], values[values.count - 1]]
  }
}
