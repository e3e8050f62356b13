import Base
import WeightFiles

/// A network that weight files are exchanged for: its published variants, and the names that others give to its arrays.
///
/// A network of your own needs nothing but the conformance: its names are those of its properties.
public protocol PublishedModel: Module {
  /// The network in messages; by default the name of the type.
  static var title: String { get }

  /// The variants whose weights were published, such as `resnet-50`; the command line lists them by name.
  static var published: [PublishedVariant] { get }

  /// Names other than the authors' that weights are written under, such as torchvision's.
  static var namings: [WeightNaming] { get }

  /// The arrays of a file under our names, each once, whoever named it.
  /// - Parameter place: the file, for errors.
  /// - Throws: `.badData` if two arrays get one name, or the two names of one array hold different values.
  static func official(_ state: StateDictionary, from place: String) throws -> StateDictionary

  /// The arrays under our names, with the second names of shared arrays that the authors' code expects in a file.
  static func withOfficialAliases(_ state: StateDictionary) -> StateDictionary
}

extension PublishedModel {
  public static var title: String { "\(self)" }

  public static var published: [PublishedVariant] { [] }

  public static var namings: [WeightNaming] { [] }

  /// Takes `module.` away, which PyTorch's data-parallel wrapper adds.
  public static func official(_ state: StateDictionary, from place: String) throws -> StateDictionary {
    try state.renamed([("module.", "")], from: place)
  }

  public static func withOfficialAliases(_ state: StateDictionary) -> StateDictionary { state }
}

/// One published variant of a network.
public struct PublishedVariant: Sendable {
  /// On the command line, such as `resnet-50`.
  public let name: String
  /// In sentences, such as `ResNet-50`.
  public let title: String
  /// An array that tells it from others, with its shape, so that not every network is built to compare names; nil: none is needed.
  let mark: (name: String, shape: [Int])?
  /// Builds it with random weights.
  public let make: @Sendable (inout Random) -> any PublishedModel

  public init(
    _ name: String, title: String, mark: (name: String, shape: [Int])? = nil,
    make: @escaping @Sendable (inout Random) -> any PublishedModel
  ) {
    self.name = name
    self.title = title
    self.mark = mark
    self.make = make
  }

  /// Whether arrays may be this variant's: the mark is among them, whatever stands before its name.
  public func mayBe(_ state: StateDictionary) -> Bool {
    guard let mark else { return true }
    return state.entries.contains { $0.shape == mark.shape && $0.name.hasSuffix(mark.name) }
  }

  /// The variant as a module; its values are of no importance.
  public func module() -> any PublishedModel {
    var random = Random(seed: 0, stream: .initialization)
    return make(&random)
  }
}

/// Somebody's names for the arrays of a network.
public struct WeightNaming: Sendable {
  /// On the command line, such as `torchvision`.
  public let name: String
  /// The arrays under these names; takes a state under our names, and the file for errors.
  public let named: @Sendable (StateDictionary, String) throws -> StateDictionary

  public init(_ name: String, named: @escaping @Sendable (StateDictionary, String) throws -> StateDictionary) {
    self.name = name
    self.named = named
  }
}
