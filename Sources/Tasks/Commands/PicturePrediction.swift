import Base
import Data
import Drawing

/// A predictor that makes a result of each image file by itself.
public protocol PicturePredictor: Predictor {
  var items: [Item] { get }
}

extension PicturePredictor {
  public var sequences: [[Item]] { [items] }
  public var isChained: Bool { false }
}

extension ImageFiles.Entry: OutputItem {
  public var result: String { name }
  public var inputs: [String] { [path] }
}

extension ImageFiles {
  /// The images that the user names, for results with drawings: warns where a typeface is missing.
  /// - Throws: as `named`.
  static func drawn(_ source: [String]) throws -> [Entry] {
    if let problem = Typeface.problem { Warning.emit(problem) }
    return try named(source)
  }
}
