import Base
import Networks
import Tensors

/// V2p as a backbone: maps of one width at 1/4, 1/8, 1/16 and 1/32 of the resolution.
///
/// - Shape: `[n, h, w, 3]` of any size → `[n, ⌈h / 2ˡ⁺²⌉, ⌈w / 2ˡ⁺²⌉, 256]` for each level `l`. Images are padded with zeros to multiples
///   of 32, and the maps are cut back.
/// - Names: those of the body, `neck.reduction_conv.0`, `neck.fpn_conv.<level>`.
struct HRNetFeatures: Module {
  static let checkpointNames = ["body": ""]
  private let body: HRNet
  private let neck: HRNetPyramid
  /// Channels of the four levels.
  let channels: [Int]

  /// - Parameter levels: those that are computed; the others have no parameters.
  init(_ config: HRNet.Config, levels: Range<Int>, _ random: inout Random) {
    body = HRNet(config, &random)
    neck = HRNetPyramid(config.widths, levels: levels, &random)
    channels = Array(repeating: 256, count: 4)
  }

  func callAsFunction(_ images: Tensor, keeping kept: Range<Int>, _ pass: Pass) -> [Tensor] {
    let (_, h, w, _) = images.shape4
    let step = body.sizeStep
    let padded = images.padded(1, before: 0, after: (step - h % step) % step).padded(2, before: 0, after: (step - w % step) % step)
    let maps = neck(body(padded, pass))
    return kept.map { level in
      let stride = 4 << level
      let map = maps[level - neck.levels.lowerBound]
      return map.sliced(1, 0..<(h + stride - 1) / stride).sliced(2, 0..<(w + stride - 1) / stride)
    }
  }
}
