import Base
import Models
import Networks
import Tensors
import Testing
import TestSupport

/// The 256-pixel networks of the authors against numbers of their definition; weights are a function of their names.
@Suite("MAT's vectors", .serialized) struct MATVectorTests {
  /// Mean, deviation, first, middle and last element in official order; of the mask the mean, if there is one.
  struct Row {
    let expected: [Double]
    var mask: Double?
    /// Tokens follow each other, in place of channels first.
    var isTokens = false
  }

  static let parts: [String: Row] = [
    "first_stage.conv_first": Row(expected: [0.1387687, 0.4145082, 2.323500, -0.2520988, 0.2014312]),
    "first_stage.enc_conv.0": Row(expected: [0.09696176, 0.2897145, 1.140106, 0.6293633, -0.07139621]),
    "first_stage.enc_conv.1": Row(expected: [0.1220750, 0.3304964, -0.04513081, 1.355468, -0.06297347]),
    "first_stage.tran.0.blocks.0": Row(expected: [0.004113548, 0.4404134, -0.2542428, -0.2236777, 0.2967278], mask: 0.75, isTokens: true),
    "first_stage.tran.0.blocks.1": Row(
      expected: [0.008314969, 0.4872162, -0.7022646, -0.6847248, 0.3376809], mask: 0.859375, isTokens: true),
    "first_stage.tran.0": Row(expected: [0.3580198, 0.6309559, -0.2105865, 0.04862902, -0.1836538], mask: 0.8818359, isTokens: true),
    "first_stage.tran.1": Row(expected: [0.6476945, 1.000328, 0.1888192, -0.2269460, -0.2612802], mask: 1, isTokens: true),
    "first_stage.tran.2": Row(expected: [0.6876548, 1.231336, 0.8843433, 0.8997391, 0.6107360], isTokens: true),
    "first_stage.tran.3": Row(expected: [0.5632831, 0.8787498, 0.0592130, -0.2548913, -0.06780724], isTokens: true),
    "first_stage.tran.4": Row(expected: [1.742188, 2.445500, -0.01819658, -0.4538508, -0.5815445], isTokens: true),
    "to_style": Row(expected: [0.2170101, 0.4415868, -0.1041417, 0.3026298, -0.1764262]),
    "dec.Dec_16x16": Row(expected: [-0.6726026, 1.596657, -0.3067448, -1.553780, -0.3965894]),
    "dec.Dec_32x32": Row(expected: [-1.756491, 1.886852, -0.5605292, -1.608277, -0.6953188]),
    "dec.Dec_64x64": Row(expected: [-2.646982, 5.628982, -0.05143544, -1.224379, -0.4320205]),
    "dec.Dec_128x128": Row(expected: [-2.517494, 5.673273, 0.05428261, -0.1094008, 0.006506234]),
    "dec.Dec_256x256": Row(expected: [-4.409872, 5.936011, -0.0941904, 0.6370885, 0.3199050]),
  ]

  /// 1e-4 on means and deviations, 3e-5 on single elements, of the deviation where that is larger than 1: other orders of summation.
  private func expectNear(_ name: String, _ values: [Double], _ expected: [Double], sourceLocation: SourceLocation = #_sourceLocation) {
    for (i, (found, wanted)) in zip(MATVectors.statistics(values), expected).enumerated() {
      let allowed = (i < 2 ? 1e-4 : 3e-5) * max(1, expected[1])
      #expect(abs(found - wanted) <= allowed, "\(name), number \(i): \(found), expected \(wanted)", sourceLocation: sourceLocation)
    }
  }

  private func expectPixel(_ x: Tensor, _ expected: [Double], sourceLocation: SourceLocation = #_sourceLocation) {
    let pixel = Array(x.doubles[(128 * 256 + 128) * 3..<(128 * 256 + 128) * 3 + 3])
    #expect(zip(pixel, expected).allSatisfy { abs($0 - $1) <= 3e-4 }, "\(pixel), expected \(expected)", sourceLocation: sourceLocation)
  }

  @Test("the hash") func hash() { #expect(abs(MATVectors.u("input", 1)[0] - 0.4095035680) < 1e-9) }

  @Test("the generator's parts and pictures", .disabled(if: BuildKind.isDebug, "minutes without optimisation")) func generator() throws {
    var random = Random(seed: 0, stream: .test)
    let generator = MATGenerator(MAT.Config(resolution: 256), &random)
    try MATVectors.fill(generator)
    var found: Set<String> = []
    let output = noGradient {
      generator(MATVectors.image(), mask: MATVectors.mask(), MATVectors.draws(), noise: .constant, .evaluation) { name, features, mask in
        guard let row = Self.parts[name] else { return }
        found.insert(name)
        expectNear(name, (row.isTokens ? features : features.channelsFirst).doubles, row.expected)
        if let expected = row.mask {
          let mean = mask.map { $0.mean().item } ?? .nan
          #expect(abs(mean - expected) < 1e-7, "\(name): mask \(mean)")
        }
        if name == "first_stage.tran.2" { #expect(mask == nil) }
      }
    }
    #expect(found == Set(Self.parts.keys))
    expectNear("ws", try #require(output.ws).doubles, [0.4404962, 0.9805267, 0.4520026, 0.4520026, 0.5055661])
    expectNear("stage 1", output.firstStage.channelsFirst.doubles, [0.3698287, 2.295998, 0.4095036, -0.4353081, -0.1308702])
    expectNear("final", output.image.channelsFirst.doubles, [-3.164227, 5.954116, 0.4095036, -0.4353081, -0.1308702])
    expectPixel(output.firstStage, [0.68353641, 0.09445643, 3.38978100])
    expectPixel(output.image, [-0.92078495, -8.65649033, -5.04227448])

    let truncated = noGradient {
      generator(MATVectors.image(), mask: MATVectors.mask(), MATVectors.draws(), truncation: 0.5, noise: .constant, .evaluation)
    }
    let ws = MATVectors.statistics(try #require(truncated.ws).doubles), image = MATVectors.statistics(truncated.image.doubles)
    #expect(abs(ws[0] - 0.2179248) < 1e-4 && abs(ws[1] - 0.4925324) < 1e-4)
    #expect(abs(image[0] + 6.649623) < 8e-4 && abs(image[1] - 8.139892) < 8e-4)
    expectPixel(truncated.image, [-4.68762445, -9.55665970, -17.06272697])
  }

  @Test("the discriminator's logits", .disabled(if: BuildKind.isDebug, "minutes without optimisation")) func discriminator() throws {
    var random = Random(seed: 0, stream: .test)
    let discriminator = MATDiscriminator(MAT.Config(resolution: 256), &random)
    try MATVectors.fill(discriminator)
    let image = MATVectors.image()
    let logits = noGradient { discriminator(image, mask: MATVectors.mask(), firstStage: image.reversed(2)) }
    #expect(abs(logits.image.item - 0.4955678) < 3e-5, "\(logits.image.item)")
    #expect(abs(logits.firstStage.item - 0.08370918) < 3e-5, "\(logits.firstStage.item)")
  }

  @Test("resampled convolutions and filters") func resampling() throws {
    let image = MATVectors.tensor("input", [1, 1, 8, 8]).channelsLast
    let upsampled = image.filtered(by: FIRFilter([1, 3, 3, 1], up: 2), before: 2, after: 1)
    #expect(upsampled.shape == [1, 16, 16, 1])
    expectNear("upsample2d", upsampled.doubles, [0.01600221, 0.3425313, 0.2303458, 0.4916095, -0.3279324])
    let rows: [(ConvolutionResampling, size: Int, [Double])] = [
      (.up, 16, [0.1329181, 0.2321058, -0.03570167]), (.down, 4, [0.06157658, 0.07847287, -0.03249756]),
      (.same, 8, [0.3060538, 0.5549194, -0.1169072]),
    ]
    for (resampling, size, expected) in rows {
      var random = Random(seed: 0, stream: .test)
      let conv = EqualizedConv2d(1, 2, kernel: 3, resampling: resampling, &random)
      try MATVectors.fill(conv)
      let y = conv(image)
      #expect(y.shape == [1, size, size, 2])
      expectNear("\(resampling)", y.channelsFirst.doubles, expected)
    }
  }
}
