import Base
import Data
import Synthesis
import Training

/// `apus synth detection`: textured shapes of several classes, with exact boxes and masks.
public enum DetectionSynthesisTask: SynthTask {
  public static let defaults = DetectionSynthesis()
  public static let defaultLayout = DetectionLayout.coco

  public static let help = """
    detection: images of textured shapes that hide one another, in the layout of COCO: train/, val/ and annotations/instances_train.json,
    instances_val.json with boxes, areas and masks of what is seen; --layout coco_panoptic adds panoptic_train.json and the maps, with
    ground and sky. Category ids leave gaps, as those of COCO do. Images have \(defaults.width)x\(defaults.height) pixels unless
    --width and --height say otherwise; --count is their number, those of val included. Settings (--set): classes (1 to 8), fewest_objects,
    most_objects, empty_share, smallest_size, largest_size, masks (polygons or rle), images (jpeg or png); least_visible_share,
    least_visible_area and removes_hidden for what is nearly hidden; clutter, contrast, shadow, noise for how hard it is.

    Example:
      apus synth detection --out data/shapes --count 2000 --seed 1
      apus synth detection --layout coco_panoptic --out data/scenes --count 500 --seed 1 --set classes=8 --set masks=rle
    """

  public static func noun(_ layout: DetectionLayout, frames: Int) -> String { "images" }

  public static func write(
    _ settings: DetectionSynthesis, _ layout: DetectionLayout, _ request: SynthRequest, progress: @escaping @Sendable (_ done: Int) -> Void
  ) throws {
    try settings.write(layout, count: request.count, seed: UInt64(request.seed), heldOutShare: request.validationShare, to: request.out,
                       progress: progress)
  }
}

extension DetectionSynthesis: SynthSettings {}
