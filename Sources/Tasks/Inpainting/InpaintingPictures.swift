import Base
import Data
import Drawing
import Models
import Networks
import Tensors
import Vision

extension Inpainting {
  /// Input, mask, both stages and truth, a row for each picture.
  static func completions(_ samples: [(sample: InpaintingSample, found: Completer.Completion)]) -> CompletionFigure {
    let rows = samples.map { sample, found in
      CompletionFigure.Row(sample.image, mask: sample.mask, firstStage: found.firstStage, completions: [found.image])
    }
    return CompletionFigure(rows, width: 5 * 170 + 10)
  }

  /// Input, mask, the first stage and completions of one picture; nothing is said about what is behind the hole.
  static func sheet(of image: Image, _ mask: InpaintingMask, _ found: [Completer.Completion], name: String) -> CompletionFigure {
    let row = CompletionFigure.Row(
      image, mask: mask, firstStage: found.first?.firstStage, completions: found.map(\.image), hasTruth: false, name: name)
    return CompletionFigure([row], width: (3 + found.count) * min(330, max(170, image.width + 12)))
  }
}

/// What happens within the body of the network while it completes a picture: its masks, and where a token in the hole looks.
struct StageInsight {
  let masks: MaskStagesFigure
  /// Nil for a body of convolutions.
  let windows: AttentionWindowFigure?

  /// Completes the picture again, and listens.
  init(_ model: MATGenerator, _ settings: InpaintingInferenceSettings, _ sample: InpaintingSample, number: Int) {
    var seen: [(name: String, features: Tensor, mask: Tensor?)] = []
    _ = Completer(model, settings)(sample.image, sample.mask, number: number) { name, features, mask in
      guard name.hasPrefix("first_stage.") else { return }
      seen.append((String(name.dropFirst("first_stage.".count)), features, mask))
    }
    // The network saw the picture in a frame of whole resolutions.
    let size = model.config.resolution
    func framed(_ length: Int) -> Int { (length + size - 1) / size * size }
    let picture = sample.image.part(top: 0, left: 0, height: framed(sample.image.height), width: framed(sample.image.width))
    let all = seen.compactMap { part in part.mask.map { MaskStagesFigure.Stage(part.name, Self.mask($0)) } }
    let stages = all.prefix((all.firstIndex { $0.mask.holeCount == 0 } ?? all.count) + 1)  // nothing grows after that
    masks = MaskStagesFigure(picture, stages: Array(stages), title: "known tokens by stage", width: 1000)
    let token = Self.centre(of: sample.mask.padded(height: picture.height, width: picture.width))
    let panels = (0..<5).compactMap { stage -> AttentionWindowFigure.Panel? in
      guard let before = seen.first(where: { $0.name == "tran.\(stage).blocks.0" }),
            let attention = model.attention(stage: stage, block: 1, of: before.features, mask: before.mask) else { return nil }
      let row = token.y * attention.height / picture.height
      let column = token.x * attention.width / picture.width
      let mask = before.mask.map(Self.mask) ?? InpaintingMask(height: attention.height, width: attention.width, isKnown: true)
      return .init("tran.\(stage).blocks.1", mask: mask, window: attention.window, shift: attention.shift,
                   query: (row, column, attention.weights(ofRow: row, column: column)))
    }
    windows = panels.isEmpty ? nil : AttentionWindowFigure(picture, panels: panels, title: "where a token in the hole looks", width: 1250)
  }

  /// `[1, h, w, 1]` as a mask.
  private static func mask(_ values: Tensor) -> InpaintingMask {
    InpaintingMask(height: values.shape[1], width: values.shape[2], known: values.floats.map { $0 == 0 ? 0 : 1 })
  }

  /// The pixel of the hole that is nearest to the hole's centre of mass; the middle of the picture without a hole.
  private static func centre(of mask: InpaintingMask) -> (y: Int, x: Int) {
    let hole = mask.known.indices.filter { mask.known[$0] == 0 }
    guard !hole.isEmpty else { return (mask.height / 2, mask.width / 2) }
    let y = hole.reduce(0) { $0 + $1 / mask.width } / hole.count
    let x = hole.reduce(0) { $0 + $1 % mask.width } / hole.count
    func distance(_ pixel: Int) -> Int {
      let (dy, dx) = (pixel / mask.width - y, pixel % mask.width - x)
      return dy * dy + dx * dx
    }
    let nearest = hole.min { distance($0) < distance($1) } ?? 0
    return (nearest / mask.width, nearest % mask.width)
  }
}
