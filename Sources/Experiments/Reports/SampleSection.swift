import Base
import Drawing

/// The pictures of the last evaluation of some runs: of one run several, of several runs the same samples side by side.
struct SampleSection {
  let runs: [ReportedRun]
  let isComparison: Bool

  private static let mostOfOne = 4
  private static let mostOfSeveral = 2
  /// Wider pictures are shrunk to so many pixels.
  private static let widest = 1280

  /// Nothing is added without pictures; a damaged one is named instead of shown.
  /// - Throws: the failures of reading but for damage.
  func add(to page: inout HTMLPage) throws {
    let found = try runs.compactMap { run in try run.lastPictures().map { (run: run, step: $0.step, paths: $0.paths) } }
    guard let first = found.first else { return }
    let common = first.paths.map(Path.name).filter { name in found.allSatisfy { $0.paths.map(Path.name).contains(name) } }
    try page.section("Samples") { page in
      guard isComparison, !common.isEmpty else {
        for entry in found { try addPictures(of: entry, to: &page) }
        return
      }
      for name in common.prefix(Self.mostOfSeveral) {
        let pictures = try found.compactMap { entry in
          let path = entry.paths.first { Path.name($0) == name } ?? ""
          return try picture(path, .strong(entry.run.name) + HTML(", \(entry.step)/\(name)"), &page)
        }
        page.pictures(pictures, "sample \(name) of each run", arePaired: true)
      }
    }
  }

  private func addPictures(of entry: (run: ReportedRun, step: String, paths: [String]), to page: inout HTMLPage) throws {
    let most = isComparison ? Self.mostOfSeveral : Self.mostOfOne
    let name: HTML = isComparison ? .strong(entry.run.name) + ", " : .empty
    let pictures = try entry.paths.prefix(most).compactMap { try picture($0, name + HTML("\(entry.step)/\(Path.name($0))"), &page) }
    page.pictures(pictures, "sample of \(entry.run.name)")
    if entry.paths.count > most {
      page.paragraph(.note("\(entry.paths.count - most) more in \(Path.join(entry.run.folder, "vis", entry.step))"))
    }
  }

  private func picture(_ path: String, _ caption: HTML, _ page: inout HTMLPage) throws -> HTMLPicture? {
    do {
      var picture = try HTMLPicture(file: path, atMost: Self.widest, caption)
      picture.keepsSize = true
      return picture
    } catch let failure as Failure where failure.kind == .badData {
      page.warning(HTML("\(failure)"))
      return nil
    }
  }
}
