import Base
import Networks
import Tensors
import WeightFiles

/// Learned perceptual image patch similarity on AlexNet's features, version 0.1 with its linear heads.
///
/// The features behind the five activations are divided by their length at every place; the squared differences, weighted by a head for
/// each channel, are added up and averaged over the places, then added up over the five maps.
/// - Shape: two batches `[n, h, w, 3]` in -1...1 (at least 35 pixels high and wide) → `[n]`; 0 for equal pictures.
/// - Names: `features.0.weight`, … `features.10.bias` as in torchvision's AlexNet, and `lin0.model.1.weight` … `lin4.model.1.weight` as in
///   the heads' file.   - Initialiser: zeros; the weights come from files.
/// - Source: Zhang, Isola, Efros, Shechtman, Wang 2018 (arXiv 1801.03924), equation 1.
public struct LPIPS: Module {
  public static let checkpointNames = Dictionary(uniqueKeysWithValues: (0..<5).map { ("lin\($0)", "lin\($0).model.1") })
  let features: FeatureStack
  let lin0, lin1, lin2, lin3, lin4: Conv2d

  public init() {
    features = .alexNet()
    func head(_ channels: Int) -> Conv2d { Conv2d(zeros: channels, 1, kernel: 1, bias: false) }
    lin0 = head(64)
    lin1 = head(192)
    lin2 = head(384)
    lin3 = head(256)
    lin4 = head(256)
  }

  public func callAsFunction(_ first: Tensor, _ second: Tensor) -> Tensor {
    require(first.shape == second.shape, "LPIPS: pictures of shapes \(first.shape) and \(second.shape)")
    let distances = zip([lin0, lin1, lin2, lin3, lin4], zip(normalizedFeatures(first), normalizedFeatures(second))).map { head, maps in
      head((maps.0 - maps.1).squared()).mean([1, 2, 3])
    }
    return distances.dropFirst().reduce(distances[0], +)
  }

  private func normalizedFeatures(_ images: Tensor) -> [Tensor] {
    // ImageNet's mean and deviation, mapped to -1...1 and rounded by the authors.
    let shift = Tensor([-0.030, -0.088, -0.188], shape: [3], precision: images.precision)
    let scale = Tensor([0.458, 0.448, 0.450], shape: [3], precision: images.precision)
    return features((images - shift) / scale, keeping: [1, 4, 7, 9, 11]).map { maps in
      maps / (maps.squared().sum([3], keepingAxes: true).sqrt() + 1e-10)
    }
  }
}

extension LPIPS: PublishedModel {
  public static let published = [
    PublishedVariant("lpips-alex", title: "LPIPS on AlexNet", mark: ("lin4.model.1.weight", [1, 256, 1, 1])) { _ in LPIPS() }
  ]

  /// The name of AlexNet's layers in the authors' module: cut into five slices that keep the indices.
  private static let slices = zip(1..., [0, 3, 6, 8, 10]).map { ("net.slice\($0).\($1).", "features.\($1).") }

  /// Takes the authors' whole module too; leaves AlexNet's classifier and the constants of the authors' scaling out.
  public static func official(_ state: StateDictionary, from place: String) throws -> StateDictionary {
    try state.unshared.without { $0.hasPrefix("lins.") || $0.hasPrefix("scaling_layer.") || $0.hasPrefix("classifier.") }
      .renamed([("module.", "")] + slices, from: place)
  }

  /// AlexNet's arrays and those of the heads as one dictionary.
  /// - Throws: `.badData` if both hold an array of one name.
  public static func merged(_ alexNet: StateDictionary, heads: StateDictionary, from place: String) throws -> StateDictionary {
    let names = Set(alexNet.names)
    if let double = heads.names.first(where: names.contains) {
      throw Failure(.badData, at: place, "the array '\(double)' stands in the file of the heads and in that of AlexNet")
    }
    return StateDictionary(alexNet.unshared.entries + heads.unshared.entries)
  }
}
