import Base
import Models
import Networks
import Tensors
import Testing
import TestSupport

@Suite("MAT's names and sizes") struct MATNamesTests {
  private struct Row: Decodable, Hashable {
    let name: String
    let shape: [Int]
  }

  private static func networks(_ config: MAT.Config) -> (MATGenerator, MATDiscriminator) {
    var random = Random(seed: 0, stream: .initialization)
    return (MATGenerator(config, &random), MATDiscriminator(config, &random))
  }

  private static func count(_ module: any Module, _ prefix: String) -> Int {
    module.parameters().filter { $0.name.hasPrefix(prefix) }.reduce(0) { $0 + $1.parameter.value.count }
  }

  @Test("the published networks", arguments: [256, 512]) func published(_ resolution: Int) throws {
    let (generator, discriminator) = Self.networks(MAT.Config(resolution: resolution))
    let state = generator.stateDictionary().entries.map { Row(name: "G.\($0.name)", shape: $0.shape) }
      + discriminator.stateDictionary().entries.map { Row(name: "D.\($0.name)", shape: $0.shape) }
    let expected: [Row] = try Fixture.json("mat_\(resolution)_names.json")
    #expect(state.count == expected.count)
    let difference = Set(state).symmetricDifference(expected)
    #expect(difference.isEmpty, "\(difference.map { "\($0.name) \($0.shape)" }.sorted().prefix(6))")
  }

  /// Section by section as counted in the authors' checkpoints.
  @Test("parameters", arguments: [
    (256, ["": 59_779_834, "mapping": 2_101_248, "synthesis.first_stage": 10_895_842, "synthesis.enc": 14_013_056,
           "synthesis.to_square": 131_328, "synthesis.to_style": 7_604_736, "synthesis.dec": 25_033_624], ["": 36_083_330]),
    (512, ["": 61_562_518, "mapping": 2_101_248, "synthesis.first_stage": 12_063_865, "synthesis.enc": 14_123_328,
           "synthesis.first_stage.conv_first": 6_660, "synthesis.first_stage.enc_conv.0": 291_780,
           "synthesis.first_stage.tran.0": 942_660, "synthesis.first_stage.tran.1": 1_559_880,
           "synthesis.first_stage.tran.2": 1_885_320, "synthesis.first_stage.tran.3": 1_559_880,
           "synthesis.first_stage.tran.4": 1_234_440, "synthesis.first_stage.down_conv": 1_167_120,
           "synthesis.first_stage.dec_conv.2": 876_243, "synthesis.dec": 25_538_013, "synthesis.dec.Dec_512x512": 504_389],
     ["": 36_231_618, "Dis.": 24_787_584, "fc0.": 4_194_816, "fc1.": 513, "Dis_stg1.": 6_199_616, "fc0_stg1": 1_048_832, "fc1_stg1": 257]),
  ])
  func parameters(_ resolution: Int, _ ofGenerator: [String: Int], _ ofDiscriminator: [String: Int]) {
    let (generator, discriminator) = Self.networks(MAT.Config(resolution: resolution))
    for (prefix, expected) in ofGenerator { #expect(Self.count(generator, prefix) == expected, "\(prefix)") }
    for (prefix, expected) in ofDiscriminator { #expect(Self.count(discriminator, prefix) == expected, "\(prefix)") }
    let tensors = generator.stateDictionary().entries.count
    #expect(tensors == (resolution == 512 ? 487 : 442) && generator.parameters().count == (resolution == 512 ? 403 : 371))
    #expect(discriminator.stateDictionary().entries.count == (resolution == 512 ? 132 : 116))
  }
}
