import Base
import Training

/// The files and folders that a config's sections of data name: nothing else is to be written there.
package struct DataPlaces {
  private let places: [(key: String, path: String)]

  /// - Parameter resolved: a config in full, as YAML.
  /// - Throws: `.inputOutput` if a path cannot be looked at.
  package init(of resolved: String) throws {
    places = try ConfigFile.tree(of: resolved, named: "config").dataTexts().compactMap { key, text in
      try File.kind(at: text) == nil ? nil : (key, Path.real(text))
    }
  }

  /// Results among the data would replace them, or be taken for data the next time.
  ///
  /// A folder of data that holds the current folder does not count: all that is written lies in it.
  /// - Parameters:
  ///   - path: the file or folder of the results.
  ///   - option: that names it.
  /// - Throws: `.usage` if it is a file or folder of the data, or lies in one.
  package func requireApart(_ path: String, option: String) throws {
    let target = Path.real(path)
    let current = Path.real(".")
    let meeting = places.first { _, place in
      target == place || (target.hasPrefix(place + "/") && current != place && !current.hasPrefix(place + "/"))
    }
    guard let meeting else { return }
    throw Failure(
      .usage, at: "\(option) \(path)",
      "this would land among the data of '\(meeting.key)', replace them, or be taken for data the next time: \(meeting.path)",
      remedy: "Choose another place for it.")
  }
}
