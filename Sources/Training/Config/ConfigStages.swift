/// A config with a list `stages`, each of which overlays sections of the config itself.
///
/// ```yaml
/// learning: {batch_size: 6, gamma: 0.8}
/// stages:
/// - {name: things, steps: 100000}
/// - {name: sintel, steps: 100000, learning: {gamma: 0.85}}   # the batch size is 6 here too
/// ```
/// What a stage does not write is as in the section, whether written or a default. `plan.steps`, if nobody wrote it, is the sum of the
/// stages' steps.
public protocol StagedConfig: Codable, Sendable {
  /// The keys of the sections that stages overlay; a stage has these properties, with the same types, besides its own.
  static var stagedSections: [String] { get }
}

extension ConfigNode {
  /// This config with every stage completed by the sections that it overlays.
  func completingStages(_ sections: [String]) -> ConfigNode {
    guard case .mapping(var entries) = content, let index = entries.firstIndex(where: { $0.key == "stages" }),
          let stages = entries[index].value.elements, !stages.isEmpty else { return self }
    let completed = stages.map { completing($0, sections) }
    entries[index].value.content = .sequence(completed)
    let result = ConfigNode(content: .mapping(entries), origin: origin)
    guard let steps = node(at: ["plan", "steps"]), steps.origin == .standard, let sum = ConfigNode.sumOfSteps(completed) else { return result }
    return result.setting(["plan", "steps"], to: ConfigNode(content: .scalar(String(sum), plain: true), origin: .standard))
  }

  private func completing(_ stage: ConfigNode, _ sections: [String]) -> ConfigNode {
    guard var entries = stage.entries else { return stage }
    for key in sections {
      guard let section = self[key] else { continue }
      if let index = entries.firstIndex(where: { $0.key == key }) {
        entries[index].value = section.overlaid(by: entries[index].value)
      } else if let own = self.entries?.first(where: { $0.key == key }) {
        entries.append(own)
      }
    }
    return ConfigNode(content: .mapping(entries), origin: stage.origin)
  }

  /// Nil if a stage has no usable number of steps: that is reported when it is decoded.
  private static func sumOfSteps(_ stages: [ConfigNode]) -> Int? {
    var sum = 0
    for stage in stages {
      guard case .scalar(let text, let plain) = stage["steps"]?.content, let steps = Int(configText: text, plain: plain), steps > 0,
            case let (total, overflows) = sum.addingReportingOverflow(steps), !overflows else { return nil }
      sum = total
    }
    return sum
  }
}

extension [String] {
  /// The path without the stage it lies in: `stages.2.learning.gamma` → `learning.gamma`.
  var withoutStage: ArraySlice<String> { first == "stages" && count > 2 && Int(self[1]) != nil ? dropFirst(2) : self[...] }
}
