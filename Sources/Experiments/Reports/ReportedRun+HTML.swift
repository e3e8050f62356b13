import Base
import Drawing
import Training

extension ReportedRun {
  /// The state in a word of its colour.
  var badge: HTML {
    let tone: HTML.Tone = switch state {
    case .completed: .good
    case .stopped, .running, .unknown: .warning
    case .failed, .diverged, .killed: .bad
    }
    return .badge(stateText, tone)
  }

  /// What a reader must know before trusting the figures of the run; nil if there is nothing of that kind.
  /// - Parameter isNamed: whether it says which run it is about.
  func notice(isNamed: Bool) -> HTML? {
    var words: [HTML] = []
    if state != .completed { words.append(HTML("This run is \(stateText).")) }
    if let problem = record?.problem { words.append(.code(problem)) }
    if history == nil { words.append("Nothing has been logged yet.") }
    if history?.endsInHalfLine == true { words.append("The last line of its log is incomplete and does not count.") }
    guard !words.isEmpty else { return nil }
    return (isNamed ? .strong(name) + ": " : .empty) + words.joined(separator: " ")
  }

  /// The commands that use or repeat the run.
  var commands: String {
    let config = Path.join(folder, "config.yaml").shellQuoted
    let run = folder.shellQuoted
    return """
      apus train \(config)                             # the same run again
      apus train \(config) --resume \(run)
      apus evaluate \(config) --weights \(run)
      apus predict \(config) --weights \(run) --source INPUTS --out RESULTS

      """
  }

  /// Config, environment and commands.
  func describe(in page: inout HTMLPage) {
    let changes = (try? task.task.defaultConfig())?.differences(to: config) ?? []
    var table = HTMLTable([.text("key"), .text("value"), .text("default")])
    for change in changes where change.after != nil {
      table.add([.code(change.key), .code(change.after.shown), .code(change.before.shown)])
    }
    page.foldable("Config: what differs from the defaults", isOpen: changes.count <= 12) { page in
      changes.isEmpty ? page.paragraph("Nothing.") : page.table(table)
    }
    page.foldable("Config, whole") { $0.preformatted(config.yaml) }
    page.foldable("Environment", isOpen: true) { page in
      let times = record.map { [("started", $0.started), ("ended", $0.ended ?? "")] } ?? []
      let facts = [("folder", folder)] + times + environment.map { ($0.name, $0.value) }
      page.definitions(facts.filter { !$0.1.isEmpty }.map { (HTML($0.0), HTML($0.1)) })
    }
    page.foldable("Commands", isOpen: true) { page in
      if !options.isEmpty { page.paragraph("Laid over the config file: " + options.map { .code($0) }.joined(separator: " ")) }
      page.preformatted(commands)
    }
  }
}

extension String {
  /// As one word of a shell.
  fileprivate var shellQuoted: String {
    let isPlain = !isEmpty && allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "/._-+=:,@%".contains($0)) }
    return isPlain ? self : "'" + replacing("'", with: "'\\''") + "'"
  }
}
