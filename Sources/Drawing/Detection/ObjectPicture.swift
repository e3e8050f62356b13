import Vision

/// An object on a picture: one that was found, or a true one.
public struct PicturedObject: Sendable {
  /// The name of its class.
  public var name: String
  /// The class's place in the order of classes, from 0; its colour follows from it.
  public var category: Int
  /// 0...1; nil for true objects.
  public var score: Double?
  /// In pixels of the picture.
  public var box: BoundingBox
  /// Of the picture's size.
  public var mask: RunLengthMask?

  public init(_ name: String, category: Int, score: Double? = nil, box: BoundingBox, mask: RunLengthMask? = nil) {
    self.name = name
    self.category = category
    self.score = score
    self.box = box
    self.mask = mask
  }

  /// The name, with the score in per cent if there is one.
  var label: String { score.map { "\(name) \(Int((100 * $0).rounded())) %" } ?? name }
}

extension AnnotatedPicture {
  /// A picture with objects in the colours of their classes: masks where they have them, boxes, names and scores. Those with the best score
  /// lie on top.
  /// - Parameters:
  ///   - truths: true objects, whose boxes are dashed and without names.
  ///   - width: the picture's width on the sheet; nil: its own, but so much at least that names have room.
  public init(_ image: Image, objects: [PicturedObject], truths: [PicturedObject] = [], width: Int? = nil) {
    let ranked = objects.enumerated().sorted { ($0.element.score ?? 1, $0.offset) < ($1.element.score ?? 1, $1.offset) }.map(\.element)
    self.init(
      image,
      masks: ranked.compactMap { object in object.mask.map { ColoredMask($0, color: Palette.color(object.category)) } },
      boxes: truths.map { LabeledBox(Rectangle($0.box), color: Palette.color($0.category), isDashed: true) }
        + ranked.map { LabeledBox(Rectangle($0.box), label: $0.label, color: Palette.color($0.category)) },
      width: width ?? max(image.width, 480))
  }
}

extension Rectangle {
  public init(_ box: BoundingBox) { self.init(left: box.x, top: box.y, width: box.width, height: box.height) }
}
