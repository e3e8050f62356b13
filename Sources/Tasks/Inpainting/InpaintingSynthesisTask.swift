import Base
import Synthesis
import Training

/// `apus synth inpainting`: pictures whose holes can be told from what surrounds them.
public enum InpaintingSynthesisTask: SynthTask {
  public static let defaults = InpaintingSynthesis()
  public static let defaultLayout = InpaintingLayout.folders

  public static let help = """
    inpainting: rooms in perspective, façades, regular surfaces and simple faces as PNGs in train and val, and in masks a free-form mask for
    each picture of val (white is known, black is the hole). Images have \(defaults.width)x\(defaults.height) pixels unless --width and
    --height say otherwise; --count is their number, those of val included. Settings (--set): rooms, facades, textures, faces (shares),
    masks.preset and the other keys of free-form masks, noise, blur, images (jpeg or png).

    Example:
      apus synth inpainting --out data/rooms --count 5000 --width 64 --height 64 --seed 1
    """

  public static func noun(_ layout: InpaintingLayout, frames: Int) -> String { "images" }

  public static func write(
    _ settings: InpaintingSynthesis, _ layout: InpaintingLayout, _ request: SynthRequest,
    progress: @escaping @Sendable (_ done: Int) -> Void
  ) throws {
    try settings.write(count: request.count, seed: UInt64(request.seed), heldOutShare: request.validationShare, to: request.out,
                       progress: progress)
  }
}

extension InpaintingSynthesis: SynthSettings {}
