import Base
import Models
import Networks
import Tensors
import Training
import WeightFiles

/// What `apus convert` does: reads a weight file, checks it, renames its arrays, lists or writes them.
public struct WeightConversion {
  /// A weight file, a checkpoint or a run folder.
  public var input: String
  /// Where to write: `.safetensors`, `.pth` or `.pt`; nil: nowhere.
  public var output: String?
  /// Which dictionary of a `.pth` file.
  public var key: String?
  /// What names begin with and shall lose; nil: `module.`, where they have it.
  public var prefix: String?
  /// What the file must hold; nil: anything.
  public var model: WeightModel?
  /// Names to write; nil: official ones for a known model, else as they are.
  public var names: WeightNames?
  /// Whether names and shapes must be exactly the model's.
  public var isStrict = true
  /// Whether to list the arrays; always without an output.
  public var lists = false

  public init(input: String) { self.input = input }

  /// - Parameter warn: told what is lost or does not fit.
  /// - Returns: text for the user.
  /// - Throws: `.badData` naming every array that is missing, unexpected or of another shape, and the failures of reading and writing.
  public func run(warn: (String) -> Void) throws -> String {
    if let output { _ = try WeightFormat(ofName: output) }
    let weights = try WeightFile.open(input)
    let file = weights.path
    var state = try withoutPrefix(weights.stateDictionary(key: key, warn: warn), file)
    if model != nil || names != nil { state = try RAFT.official(state, from: file) }
    if let model {
      let misfits = model.module.misfits(of: state)
      guard misfits.isEmpty || !isStrict else { throw misfits.failure(model.title, at: file) }
      for line in misfits.lines { warn("\(file): the arrays do not fit \(model.title): \(line)") }
    }
    switch names {
    case .torchvision?: state = try RAFT.torchvision(state, from: file)
    case .official?: state = RAFT.withOfficialAliases(state)
    case nil: if model != nil { state = RAFT.withOfficialAliases(state) }
    }
    var text = lists || output == nil ? Self.table(of: state) : ""
    let numbers = state.entries.reduce(0) { $0 + $1.shape.reduce(1, *) }
    if let output {
      warnOfTypes(state, warn)
      try state.write(to: output)
      text += "\(output): "
    }
    return text + "\(state.entries.count) arrays of \(numbers) numbers" + (state.aliases.isEmpty ? "" : ", aliases: \(state.aliases.count)") + "\n"
  }

  private func withoutPrefix(_ state: StateDictionary, _ file: String) throws -> StateDictionary {
    let prefix = prefix ?? "module."
    guard !prefix.isEmpty else { return state }
    if self.prefix != nil, !state.entries.contains(where: { $0.name.hasPrefix(prefix) }) {
      throw Failure(.usage, at: "--prefix", "no name in \(file) begins with '\(prefix)'",
                    remedy: "The names look like \(state.entries.prefix(3).map(\.name).joined(separator: ", ")).")
    }
    return try state.renamed([(prefix, "")], from: file)
  }

  private func warnOfTypes(_ state: StateDictionary, _ warn: (String) -> Void) {
    for type in ElementType.allCases {
      let changed = state.entries.filter { $0.sourceType == type && $0.type != type }
      guard let first = changed.first else { continue }
      warn("\(changed.count) arrays of type \(type) are written as \(first.type), for instance \(first.name)")
    }
  }

  private static func table(of state: StateDictionary) -> String {
    var table = TextTable(["name", "shape", "type"])
    let aliases = Dictionary(grouping: state.aliases, by: \.value).mapValues { $0.map(\.key).sorted() }
    for entry in state.entries {
      table.add([entry.name, "\(entry.shape)", "\(entry.sourceType)"])
      for alias in aliases[entry.name] ?? [] { table.add([alias, "", "as \(entry.name)"]) }
    }
    return table.text
  }
}
