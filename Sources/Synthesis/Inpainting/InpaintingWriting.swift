import Base
import Data
import Vision

/// The layouts of generated pictures for inpainting.
public enum InpaintingLayout: String, ConfigChoice {
  /// `train`, `val`, and `masks` with a mask for each picture of `val`.
  case folders
}

extension InpaintingSynthesis {
  /// Writes `train/000001.png`, `val/000002.png` and, for each picture of `val`, `masks/000002.png`, in which white is known and black is
  /// the hole.
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
    count: Int, seed: UInt64, heldOutShare: Double = 0.1, to root: String, threads: Int = 0,
    progress: @escaping @Sendable (_ done: Int) -> Void = { _ in }
  ) throws {
    try validate()
    let splits = try Split.ofImages(count: count, heldOutShare: heldOutShare)
    let paths = splits.enumerated().map { index, split in
      let name = (index + 1).padded(to: 6)
      return ["\(split)/\(name).\(images.fileExtension)"] + (split == .val ? ["masks/\(name).png"] : [])
    }
    try writeScenes(paths, of: "images", to: root, threads: threads, progress: progress) { index in
      try AtomicFile.write(images.encode(sample(index: index, seed: seed), quality: quality), to: Path.join(root, paths[index][0]))
      for path in paths[index].dropFirst() {
        try AtomicFile.write(PNG.encode(mask(index: index, seed: seed).image), to: Path.join(root, path))
      }
    }
  }
}
