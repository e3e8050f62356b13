import Base
import Data
import Vision

/// The layouts of generated segmentation scenes.
public enum SegmentationLayout: String, ConfigChoice {
  /// `train/images`, `train/labels`, and the same in `val`: palette PNGs of class numbers.
  case folders
  /// Cityscapes' folders and label numbers.
  case cityscapes
}

extension SegmentationSynthesis {
  /// Writes samples: pictures, and the class of each pixel as PNGs with a palette.
  ///
  /// - `folders`: `train/images/000001.jpg` and `train/labels/000001.png`, the same in `val`; `classes.txt` names the classes, one a line.
  ///   Things of no class are 255.
  /// - `cityscapes`: `leftImg8bit/train/street/street_000001_000019_leftImg8bit.png` and
  ///   `gtFine/train/street/street_000001_000019_gtFine_labelIds.png`; ground is terrain, things of no class are 0.
  ///
  /// Every file appears complete or not at all and is the same whatever the number of threads, so an interrupted call is simply repeated.
  /// - Parameters:
  ///   - count: images, 1...999,999.
  ///   - seed: of the data set.
  ///   - heldOutShare: share of the images, 0...1, in `val`; they are spread evenly.
  ///   - root: the folder to fill; made if missing.
  ///   - threads: at work at the same time; 0 takes one per processor.
  ///   - progress: called after each image with the number of those done, from any thread, one call at a time.
  /// - Throws: `.usage` for settings out of range; `.cannotCreate` if a folder cannot be made or holds other images; the failures of
  ///   `AtomicFile.write`.
  public func write(
    _ layout: SegmentationLayout = .folders, count: Int, seed: UInt64, heldOutShare: Double = 0.1, to root: String, threads: Int = 0,
    progress: @escaping @Sendable (_ done: Int) -> Void = { _ in }
  ) throws {
    try validate()
    let splits = try Split.ofImages(count: count, heldOutShare: heldOutShare)
    let paths = splits.enumerated().map { self.paths(number: $0 + 1, split: $1, layout) }
    try writeScenes(paths.map { [$0.image, $0.label] }, of: "images", to: root, threads: threads, progress: progress) { index in
      let scene = sample(index: index, seed: seed)
      let form = layout == .cityscapes ? .png : images
      try AtomicFile.write(form.encode(scene.image, quality: quality), to: Path.join(root, paths[index].image))
      try AtomicFile.write(labels(scene.labels, layout), to: Path.join(root, paths[index].label))
    }
    if layout == .folders {
      try AtomicFile.write(StreetClass.allCases.map { "\($0.name)\n" }.joined(), to: Path.join(root, "classes.txt"))
    }
  }

  private func paths(number: Int, split: Split, _ layout: SegmentationLayout) -> (image: String, label: String) {
    let name = number.padded(to: 6)
    switch layout {
    case .folders:
      return ("\(split)/images/\(name).\(images.fileExtension)", "\(split)/labels/\(name).png")
    case .cityscapes:
      let stem = "\(split)/street/street_\(name)_000019"
      return ("leftImg8bit/\(stem)_leftImg8bit.png", "gtFine/\(stem)_gtFine_labelIds.png")
    }
  }

  private func labels(_ map: LabelMap, _ layout: SegmentationLayout) -> [UInt8] {
    let colors = StreetClass.allCases.map(\.color)
    guard layout == .cityscapes else { return PNG.encode(map, palette: colors) }
    let numbers = StreetClass.allCases.map(\.cityscapesID)
    var map = map
    map.values = map.values.map { $0 == LabelMap.ignored ? 0 : numbers[Int($0)] }
    return PNG.encode(Image(height: map.height, width: map.width, channels: 1, pixels: map.values.map { UInt8($0) }))
  }
}
