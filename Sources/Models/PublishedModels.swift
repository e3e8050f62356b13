import Base
import Networks
import WeightFiles

/// The networks of this library that weight files are exchanged for.
public enum PublishedModels {
  /// The compiler is the registry: a new network is a new element here.
  public static var all: [any PublishedModel.Type] {
    [RAFT.self, DETRModel.self, HRNetPose.self, HRNetSegmentation.self, HRNetClassification.self,
     MATGenerator.self, AppearanceNetwork.self, VGG19Features.self, VGG16.self, Inception.self, LPIPS.self]
  }

  /// The published variants of all networks.
  public static var variants: [PublishedVariant] { all.flatMap { $0.published } }

  /// The naming conventions of all networks, each once.
  public static var namings: [String] {
    all.flatMap { $0.namings.map(\.name) }.uniqued()
  }

  /// The published variant whose arrays these are: all names and shapes fit, whoever named them. Nil if there is none.
  public static func variant(of state: StateDictionary) -> PublishedVariant? {
    variants.first { variant in
      guard variant.mayBe(state) else { return false }
      let module = variant.module()
      guard let official = try? type(of: module).official(state, from: "") else { return false }
      return module.incompatibleKeys(of: official).isEmpty
    }
  }
}
