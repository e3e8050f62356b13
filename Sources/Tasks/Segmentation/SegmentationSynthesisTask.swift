import Base
import Synthesis
import Training

/// `apus synth segmentation`: street scenes with the class of every pixel.
public enum SegmentationSynthesisTask: SynthTask {
  public static let defaults = SegmentationSynthesis()
  public static let defaultLayout = SegmentationLayout.folders

  public static let help = """
    segmentation: street scenes of seven classes (\(StreetClass.allCases.map(\.name).joined(separator: ", "))) in plain folders:
    train/images and train/labels, val/images and val/labels, and classes.txt; labels are PNGs with a palette, 255 is no class.
    --layout cityscapes writes Cityscapes' folders and label numbers. Images have \(defaults.width)x\(defaults.height) pixels unless --width
    and --height say otherwise; --count is their number, those of val included. Settings (--set): most_buildings, most_plants,
    most_people, most_vehicles, road_share, strange_share, nearness (of the smallest), shadow, noise, blur, images (jpeg or png).

    Example:
      apus synth segmentation --out data/streets --count 2000 --seed 1
    """

  public static func noun(_ layout: SegmentationLayout, frames: Int) -> String { "images" }

  public static func write(
    _ settings: SegmentationSynthesis, _ layout: SegmentationLayout, _ request: SynthRequest,
    progress: @escaping @Sendable (_ done: Int) -> Void
  ) throws {
    try settings.write(layout, count: request.count, seed: UInt64(request.seed), heldOutShare: request.validationShare, to: request.out,
                       progress: progress)
  }
}

extension SegmentationSynthesis: SynthSettings {}
