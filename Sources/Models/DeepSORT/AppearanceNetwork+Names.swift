import Base
import Networks
import WeightFiles

// The authors published their network as a frozen graph of TensorFlow, which is not read; files of our own carry the names of the
// properties.

extension AppearanceNetwork: PublishedModel {
  public static let published = [
    PublishedVariant("deepsort-appearance", title: "DeepSORT's appearance network", mark: ("dense.weight", [128, 16_384])) {
      AppearanceNetwork(Config(), &$0)
    }
  ]

  /// Takes away `module.`, and leaves out what the loss of a training learned.
  public static func official(_ state: StateDictionary, from place: String) throws -> StateDictionary {
    let named = try state.renamed([("module.", "")], from: place).unshared
    return StateDictionary(named.entries.filter { !$0.name.hasPrefix("head.") })
  }
}
