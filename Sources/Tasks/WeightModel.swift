import Base
import Models
import Networks
import Tensors

/// Under which names weights are written.
public enum WeightNames: String, Sendable, CaseIterable {
  /// Those of the model's authors; also ours.
  case official
  case torchvision
}

/// A model that weight files are checked against.
public struct WeightModel {
  public let title: String
  let module: any Module

  init(title: String, module: some Module) {
    self.title = title
    self.module = module
  }

  /// The published models by name, such as `raft-small`.
  public static var names: [String] { RAFT.Variant.allCases.map { "raft-\($0.rawValue)" } }

  /// - Throws: `.usage` if there is no such model.
  public init(named name: String) throws {
    guard let variant = RAFT.Variant.allCases.first(where: { "raft-\($0.rawValue)" == name }) else {
      throw Failure(.usage, at: "--model", "there is no model '\(name)'",
                    remedy: "Known: \(Self.names.joined(separator: ", ")). Others: --config FILE.")
    }
    var random = Random(seed: 0, stream: .initialization)
    self.init(title: "RAFT-\(variant.rawValue)", module: RAFT(RAFT.Config(variant: variant), &random))
  }
}
