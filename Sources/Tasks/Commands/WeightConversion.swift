import Base
import Models
import Networks
import Tensors
import Training
import WeightFiles

/// A network that weight files are checked against.
public struct WeightModel {
  /// Its name in messages.
  public let title: String
  let module: any PublishedModel
  /// The part of a checkpoint that holds its weights.
  let part: String

  public init(title: String, module: some PublishedModel, part: String = WeightFile.standardPart) {
    self.title = title
    self.module = module
    self.part = part
  }

  /// The published networks by name, such as `resnet-50`.
  public static var names: [String] { PublishedModels.variants.map(\.name) }

  /// - Throws: `.usage` if there is no such network.
  public init(named name: String) throws {
    guard let variant = PublishedModels.variants.first(where: { $0.name == name }) else {
      throw Failure(.usage, at: "--model", "there is no model '\(name)'",
                    remedy: "Known: \(Self.names.joined(separator: ", ")). Others: --config FILE.")
    }
    title = variant.title
    module = variant.module()
    part = WeightFile.standardPart
  }
}

/// `apus convert`: reads a weight file, checks it, renames its arrays, lists or writes them.
public struct WeightConversion {
  /// The names of a network's authors; also ours.
  public static let officialNames = "official"

  public var input: WeightSource
  /// The file to write: `.safetensors`, `.pth` or `.pt`; nil: nowhere.
  public var output: String?
  /// The network that the file must fit; nil: anything.
  public var model: WeightModel?
  /// The names to write, `official` or those of a `WeightNaming`; nil: official ones for a known model, else as they are.
  public var names: String?
  /// Whether names and shapes must be exactly the model's.
  public var isStrict = true
  /// Whether to list the arrays; always without an output.
  public var lists = false

  public init(input: WeightSource) { self.input = input }

  /// The names that can be written, for help and messages.
  public static var knownNames: [String] { [officialNames] + PublishedModels.namings }

  /// - Parameter warn: told what is lost or does not fit.
  /// - Returns: text for the user.
  /// - Throws: `.badData` naming arrays that are missing, unexpected or of another shape, and the failures of reading and writing.
  public func run(warn: (String) -> Void) throws -> String {
    if let output { _ = try WeightFormat(ofName: output) }
    var (file, state) = try input.read(part: model?.part ?? WeightFile.standardPart, warn: warn)
    if let network = try network(of: state, file) {
      if let model { try check(state, model, file, warn) }
      state = try Self.renamed(network.official(state, from: file), network, to: names ?? Self.officialNames, file)
    }
    var text = lists || output == nil ? Self.table(of: state) : ""
    let numbers = state.entries.reduce(0) { $0 + $1.shape.reduce(1, *) }
    if let output {
      warnOfTypes(state, warn)
      try state.write(to: output)
      text += "\(output): "
    }
    let aliases = state.aliases.isEmpty ? "" : ", aliases: \(state.aliases.count)"
    return text + "\(state.entries.count) arrays of \(numbers) numbers\(aliases)\n"
  }

  /// The network whose names count: that of the model, else (for `--names`) the one whose published variant the file holds. Nil if names
  /// stay as they are.
  private func network(of state: StateDictionary, _ file: String) throws -> (any PublishedModel.Type)? {
    if let model { return type(of: model.module) }
    guard let names else { return nil }
    if let variant = PublishedModels.variant(of: state) { return type(of: variant.module()) }
    let candidates = PublishedModels.all.filter { $0.namings.contains { $0.name == names } }
    if candidates.count == 1 { return candidates[0] }
    if PublishedModels.all.count == 1 { return PublishedModels.all[0] }
    throw Failure(.usage, at: "--names", "the arrays of \(file) are of no published model, so their names are not known",
                  remedy: "Say which model it is: --model NAME or --config FILE.")
  }

  private func check(_ state: StateDictionary, _ model: WeightModel, _ file: String, _ warn: (String) -> Void) throws {
    if isStrict { return try WeightSource.requireFit(state, model.module, title: model.title, from: file) }
    let incompatibleKeys = try model.module.incompatibleKeys(of: type(of: model.module).official(state, from: file))
    for line in incompatibleKeys.lines { warn("\(file): the arrays do not fit \(model.title): \(line)") }
  }

  private static func renamed(
    _ state: StateDictionary, _ network: any PublishedModel.Type, to names: String, _ file: String
  ) throws -> StateDictionary {
    if names == officialNames { return network.withOfficialAliases(state) }
    guard let naming = network.namings.first(where: { $0.name == names }) else {
      throw Failure(.usage, at: "--names", "\(names) has no names of its own for this model",
                    remedy: "Known: \(([officialNames] + network.namings.map(\.name)).joined(separator: ", ")).")
    }
    return try naming.named(state, file)
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
