import ArgumentParser
import Tasks
import Training

/// The options of `apus predict` that tasks declare, each by its own name.
///
/// The parser finds a command's options by reflection over its stored properties, and fills them through `Decodable`. Both are answered
/// here from the tasks' lists, so that an option is written once, in its task.
struct TaskOptions: ParsableArguments, CustomReflectable {
  /// The options that were given, as config values.
  private(set) var overrides: [ConfigOverride] = []

  init() {}

  /// The declared options of all tasks; of one name that two tasks share, the first.
  private static let all: [(task: TaskName, option: TaskOption)] = TaskName.allCases
    .flatMap { name in ((name.task as? any PredictionTask.Type)?.predictOptions ?? []).map { (name, $0) } }
    .reduce(into: []) { list, entry in if !list.contains(where: { $0.option.name == entry.1.name }) { list.append(entry) } }

  var customMirror: Mirror {
    Mirror(self, children: Self.all.map { task, option -> Mirror.Child in
      let help = ArgumentHelp("\(task.configName): \(option.help)")
      let name = NameSpecification.customLong(option.name)
      switch option.kind {
      case .value: return (option.name, Option<String?>(name: name, help: help))
      case .flag: return (option.name, Flag<Bool>(wrappedValue: false, name: name, help: help))
      case .switchable: return (option.name, Flag<Bool?>(name: name, inversion: .prefixedNo, help: help))
      }
    })
  }

  private struct Name: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: Name.self)
    for (_, option) in Self.all {
      let name = Name(stringValue: option.name)
      switch option.kind {
      case .value:
        if let value = try values.decode(Option<String?>.self, forKey: name).wrappedValue { overrides.append(option.override(value)) }
      case .flag:
        if try values.decode(Flag<Bool>.self, forKey: name).wrappedValue { overrides.append(option.override(true)) }
      case .switchable:
        if let isOn = try values.decode(Flag<Bool?>.self, forKey: name).wrappedValue { overrides.append(option.override(isOn)) }
      }
    }
  }
}
