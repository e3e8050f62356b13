import Base
import Networks
import Tensors
import WeightFiles

// VGG of Simonyan and Zisserman 2015 (arXiv 1409.1556), table 1, columns D and E, as torchvision names it.

extension FeatureStack {
  /// Blocks of 3x3 convolutions, each with relu, and a pooling behind every block.
  /// - Parameter blocks: convolutions of the five blocks.
  fileprivate static func vgg(_ blocks: [Int], width: Int) -> FeatureStack {
    var elements: [Element] = []
    var inputs = 3
    for (block, count) in blocks.enumerated() {
      let outputs = width << min(block, 3)
      for _ in 0..<count {
        elements.append(.convolution(Conv2d(zeros: inputs, outputs, kernel: 3, Conv2dOptions(padding: 1))))
        elements.append(.relu)
        inputs = outputs
      }
      elements.append(.maxPool(window: 2))
    }
    return FeatureStack(elements: elements)
  }
}

/// The convolutions of VGG-19, for perceptual losses.
///
/// - Shape: `[n, h, w, 3]`, normalised as ImageNet's pictures → maps at 1/8 and 1/16 of the resolution with 512 channels.
/// - Names: `features.0.weight`, … `features.34.bias`, as torchvision's; the classifier of its file is left out.
/// - Initialiser: zeros; the weights come from a file.
public struct VGG19Features: Module {
  let features: FeatureStack

  /// - Parameter width: channels of the first block, which double up to eight times as many; 64 as published.
  public init(width: Int = 64) { features = .vgg([2, 2, 4, 4, 4], width: width) }

  /// The outputs of the last convolutions of the fourth and the fifth block (conv4_4, conv5_4), before relu.
  public func callAsFunction(_ images: Tensor) -> (conv4: Tensor, conv5: Tensor) {
    let outputs = features(images, keeping: [25, 34])
    return (outputs[0], outputs[1])
  }
}

/// VGG-16 up to its second fully connected layer, for improved precision and recall.
///
/// - Shape: `[n, 224, 224, 3]` (other sizes are pooled to 7x7 cells as torchvision does), normalised as ImageNet's pictures → `[n, 4096]`,
///   after relu.
/// - Names: `features.0.weight`, … `features.28.bias`, `classifier.0.weight`, … `classifier.3.bias`, as torchvision's; the layer of the
///   classes in its file is left out.
/// - Initialiser: zeros; the weights come from a file.
public struct VGG16: Module {
  public static let checkpointNames = ["fc1": "classifier.0", "fc2": "classifier.3"]
  let features: FeatureStack
  let fc1: Linear
  let fc2: Linear

  /// - Parameters:
  ///   - width: channels of the first block; 64 as published.
  ///   - hidden: outputs of the fully connected layers; 4096 as published.
  public init(width: Int = 64, hidden: Int = 4096) {
    features = .vgg([2, 2, 3, 3, 3], width: width)
    fc1 = Linear(zeros: 8 * width * 49, hidden)
    fc2 = Linear(zeros: hidden, hidden)
  }

  public func callAsFunction(_ images: Tensor) -> Tensor {
    let maps = features(images, keeping: [30])[0]
    let cells = maps.shape[1] == 7 && maps.shape[2] == 7 ? maps : maps.adaptiveAveragePooled(to: 7)
    // The fully connected layer counts channel by channel.
    let x = cells.transposed([0, 3, 1, 2]).reshaped(to: [images.shape[0], -1])
    return fc2(fc1(x, activation: .relu), activation: .relu)
  }
}

extension VGG19Features: PublishedModel {
  public static let published = [
    PublishedVariant("vgg-19", title: "VGG-19's convolutions", mark: ("features.34.weight", [512, 512, 3, 3])) { _ in VGG19Features() }
  ]

  /// Leaves the classifier out.
  public static func official(_ state: StateDictionary, from place: String) throws -> StateDictionary {
    try state.renamed([("module.", "")], from: place).without { $0.hasPrefix("classifier.") }
  }
}

extension VGG16: PublishedModel {
  public static let published = [
    PublishedVariant("vgg-16", title: "VGG-16", mark: ("features.17.weight", [512, 256, 3, 3])) { _ in VGG16() }
  ]

  /// Leaves the layer of the classes out.
  public static func official(_ state: StateDictionary, from place: String) throws -> StateDictionary {
    try state.renamed([("module.", "")], from: place).without { $0.hasPrefix("classifier.6.") }
  }
}
