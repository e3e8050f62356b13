import Vision

/// The classes of Cityscapes that are trained and judged.
///
/// - Source: Cordts et al. 2016; the label table of the benchmark's scripts.
public enum Cityscapes {
  public struct Class: Sendable {
    public let name: String
    /// The number in `*_labelIds.png`.
    public let labelID: Int
    public let color: RGB
  }

  /// In the order of their training numbers, 0 to 18.
  public static let classes = [
    Class(name: "road", labelID: 7, color: RGB(128, 64, 128)),
    Class(name: "sidewalk", labelID: 8, color: RGB(244, 35, 232)),
    Class(name: "building", labelID: 11, color: RGB(70, 70, 70)),
    Class(name: "wall", labelID: 12, color: RGB(102, 102, 156)),
    Class(name: "fence", labelID: 13, color: RGB(190, 153, 153)),
    Class(name: "pole", labelID: 17, color: RGB(153, 153, 153)),
    Class(name: "traffic light", labelID: 19, color: RGB(250, 170, 30)),
    Class(name: "traffic sign", labelID: 20, color: RGB(220, 220, 0)),
    Class(name: "vegetation", labelID: 21, color: RGB(107, 142, 35)),
    Class(name: "terrain", labelID: 22, color: RGB(152, 251, 152)),
    Class(name: "sky", labelID: 23, color: RGB(70, 130, 180)),
    Class(name: "person", labelID: 24, color: RGB(220, 20, 60)),
    Class(name: "rider", labelID: 25, color: RGB(255, 0, 0)),
    Class(name: "car", labelID: 26, color: RGB(0, 0, 142)),
    Class(name: "truck", labelID: 27, color: RGB(0, 0, 70)),
    Class(name: "bus", labelID: 28, color: RGB(0, 60, 100)),
    Class(name: "train", labelID: 31, color: RGB(0, 80, 100)),
    Class(name: "motorcycle", labelID: 32, color: RGB(0, 0, 230)),
    Class(name: "bicycle", labelID: 33, color: RGB(119, 11, 32)),
  ]
}
