import Base
import Networks
import Tensors
import WeightFiles

// The names of RAFT's weights in published files: the authors', which are ours, and torchvision's.


extension RAFT: PublishedModel {
  public static let published = Variant.allCases.map { variant in
    PublishedVariant("raft-\(variant.rawValue)", title: "RAFT-\(variant.rawValue)") { RAFT(Config(variant: variant), &$0) }
  }

  public static let namings = [WeightNaming("torchvision") { try torchvision($0, from: $1) }]

  /// The state of a file under official names, each array once, whoever named it: `module.` is taken away, torchvision's names are
  /// translated, and the second names that the authors' code gives to the normalisation of a shortcut are dropped.
  /// - Parameter place: the file, for errors.
  /// - Throws: `.badData` if two arrays get one name, or the two names of one array hold different values.
  public static func official(_ state: StateDictionary, from place: String = "") throws -> StateDictionary {
    var state = try state.renamed([("module.", "")], from: place)
    let names = Set(state.entries.map(\.name)).union(state.aliases.keys)
    if names.contains(where: { $0.hasPrefix("feature_encoder.") || $0.hasPrefix("context_encoder.") }) {
      let isSeparable = names.contains { $0.hasPrefix("update_block.recurrent_block.convgru2.") }
      let table = NameTable.shared + (isSeparable ? .separableGRU : .singleGRU)
      state = try state.renamed(from: place, table.ours)
    }
    return try withoutShortcutAliases(state, place)
  }

  /// Official names, with the second names of shared arrays that the authors' code expects in a file.
  public static func withOfficialAliases(_ state: StateDictionary) -> StateDictionary {
    let names = Set(state.entries.map(\.name))
    var aliases = state.aliases
    for name in names {
      if let alias = shortcutAlias(of: name, in: names), !names.contains(alias), aliases[alias] == nil { aliases[alias] = name }
    }
    return StateDictionary(state.entries, aliases: aliases)
  }

  /// torchvision's names for a state under official ones, each array once.
  /// - Throws: as `official`.
  public static func torchvision(_ state: StateDictionary, from place: String = "") throws -> StateDictionary {
    let table = NameTable.shared + .separableGRU + .singleGRU
    return try official(state, from: place).renamed(from: place, table.theirs)
  }

  /// The second name of an array of a shortcut's normalisation, `P.downsample.1.X`, in the authors' files: `P.norm4.X` where the block
  /// has three convolutions, else `P.norm3.X`. Nil for all other arrays.
  private static func shortcutAlias(of name: String, in names: Set<String>) -> String? {
    let parts = name.split(separator: ".")
    guard parts.count > 3, parts[parts.count - 3] == "downsample", parts[parts.count - 2] == "1", let last = parts.last else { return nil }
    let block = parts.dropLast(3).joined(separator: ".")
    return "\(block).\(names.contains("\(block).conv3.weight") ? "norm4" : "norm3").\(last)"
  }

  private static func withoutShortcutAliases(_ state: StateDictionary, _ place: String) throws -> StateDictionary {
    let names = Set(state.entries.map(\.name)).union(state.aliases.keys)
    // Second name → first name. Either may be the one that the file's reader met first.
    var other: [String: String] = [:]
    for name in names { if let alias = shortcutAlias(of: name, in: names) { other[alias] = name } }
    let aliased = Set(other.keys)
    var entries: [Safetensors.Entry] = []
    var aliases = state.aliases.filter { !aliased.contains($0.key) }
    for entry in state.entries {
      guard let name = other[entry.name] else {
        entries.append(entry)
        continue
      }
      if aliases[name] == entry.name {
        entries.append(entry.renamed(name))
        aliases[name] = nil
        aliases = aliases.mapValues { $0 == entry.name ? name : $0 }
      } else if let twin = state[name], twin.isIdentical(to: entry) {
        continue
      } else {
        throw Failure(.badData, at: place, "'\(entry.name)' and '\(name)' are one array in the network, but two that differ in the file",
                      remedy: "The file is damaged, or of another network.")
      }
    }
    return StateDictionary(entries, aliases: aliases)
  }
}

extension NameTable {
  /// What all variants share: the authors' names, and torchvision's.
  fileprivate static let shared = encoder("fnet", "feature_encoder") + encoder("cnet", "context_encoder") + NameTable([
    ("update_block.encoder.convc#.", "update_block.motion_encoder.convcorr#.0."),
    ("update_block.encoder.convf#.", "update_block.motion_encoder.convflow#.0."),
    ("update_block.encoder.conv.", "update_block.motion_encoder.conv.0."),
    ("update_block.mask.0.", "mask_predictor.convrelu.0."),
    ("update_block.mask.2.", "mask_predictor.conv."),
  ])

  /// A recurrent unit of one step.
  fileprivate static let singleGRU = NameTable(["z", "r", "q"].map {
    ("update_block.gru.conv\($0).", "update_block.recurrent_block.convgru1.conv\($0).")
  })

  /// A recurrent unit of a horizontal and a vertical step.
  fileprivate static let separableGRU = NameTable(["z", "r", "q"].map {
    ("update_block.gru.conv\($0)#.", "update_block.recurrent_block.convgru#.conv\($0).")
  })

  private static func encoder(_ ours: String, _ theirs: String) -> NameTable {
    NameTable([
      ("\(ours).conv1.", "\(theirs).convnormrelu.0."),
      ("\(ours).norm1.", "\(theirs).convnormrelu.1."),
      ("\(ours).conv2.", "\(theirs).conv."),
      ("\(ours).layer#.#.conv#.", "\(theirs).layer#.#.convnormrelu#.0."),
      ("\(ours).layer#.#.norm#.", "\(theirs).layer#.#.convnormrelu#.1."),
      ("\(ours).layer#.#.downsample.#.", "\(theirs).layer#.#.downsample.#."),
    ])
  }
}
