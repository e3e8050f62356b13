import Base
import Vision

/// Mask files and the pictures that they belong to.
public enum MaskFiles {
  /// How masks find their pictures.
  public enum Pairing: String, ConfigChoice {
    /// By the base name: the path below the folder without its extension.
    case name
    /// The first mask belongs to the first picture: paths sorted, as the authors' loaders have it.
    case order
  }

  /// The mask of every picture.
  /// - Parameters:
  ///   - suffix: what a mask's name has behind the picture's, such as `_mask`.
  /// - Throws: `.missingInput` if there is no mask at all; `.badData` if pictures have none, or, paired by order, the numbers differ.
  public static func paired(
    _ pictures: PictureTree, in folder: String, suffix: String = "", by pairing: Pairing = .name
  ) throws -> [String] {
    let masks = try PictureTree(folder)
    if pairing == .order {
      guard masks.count == pictures.count else {
        let found = "\(masks.count) masks for \(pictures.count) pictures; paired by order, their numbers must be equal"
        throw Failure(.badData, at: folder, found, remedy: "Name masks as their pictures, and choose masks.pairing: name.")
      }
      return masks.paths.indices.map(masks.path(of:))
    }
    let byName = Dictionary(masks.paths.indices.map { (PictureTree.name(masks.paths[$0]), $0) }) { first, _ in first }
    let found = pictures.paths.map { byName[PictureTree.name($0) + suffix] }
    let missing = zip(pictures.paths, found).filter { $1 == nil }.map(\.0)
    guard missing.isEmpty else {
      throw Failure(
        .badData, at: folder, "\(missing.count) of \(pictures.count) pictures have no mask here: \(someOf(missing))",
        remedy: "A mask has its picture's path and name before the extension\(suffix.isEmpty ? "" : " and '\(suffix)'"); for other endings "
          + "see masks.suffix, for masks of other names masks.pairing: order. Files here: \(someOf(masks.paths)).")
    }
    return found.compactMap { $0.map(masks.path(of:)) }
  }
}
