import Base
import Networks
import Tensors

/// Convolutions with their activations and poolings in a row, as torchvision's `features` of AlexNet and VGG; every element has an index.
///
/// - Shape: `[n, h, w, 3]` → the outputs of the wanted elements.   - Names: `0.weight`, `0.bias`, … of the convolutions.
/// - Initialiser: zeros. Such a network measures pictures with weights from a file, and does nothing without one.
struct FeatureStack: Module {
  static let checkpointNames = ["elements": ""]

  enum Element {
    case convolution(Conv2d)
    case relu
    /// The largest of windows of so many pixels, 2 apart.
    case maxPool(window: Int)
  }

  let elements: [Element]

  /// The outputs of some elements, in ascending order of their indices; what comes after the last of them is not computed.
  func callAsFunction(_ images: Tensor, keeping indices: [Int]) -> [Tensor] {
    require(!indices.isEmpty && indices.allSatisfy(elements.indices.contains),
            "FeatureStack: outputs \(indices) of \(elements.count) elements")
    let kept = Set(indices)
    var x = images
    var outputs: [Tensor] = []
    var index = 0
    while outputs.count < kept.count {
      switch elements[index] {
      case .convolution(let convolution):
        // With its activation in one op, unless the numbers before it are wanted.
        if !kept.contains(index), index + 1 < elements.count, case .relu = elements[index + 1] {
          x = convolution(x, activation: .relu)
          index += 1
        } else {
          x = convolution(x)
        }
      case .relu: x = x.relu()
      case .maxPool(let window): x = x.maxPooled(window: Extent(window), stride: 2)
      }
      if kept.contains(index) { outputs.append(x) }
      index += 1
    }
    return outputs
  }
}

extension Conv2d {
  /// A layer of zeros, for a network whose weights come from a file.
  init(zeros inputs: Int, _ outputs: Int, kernel: Extent, _ options: Conv2dOptions = Conv2dOptions(), bias: Bool = true) {
    let weight = Parameter(.zeros([kernel.height, kernel.width, inputs, outputs]), layout: .convolution)
    self.init(weight: weight, bias: bias ? Parameter(.zeros([outputs])) : nil, options)
  }
}

extension Linear {
  /// A layer of zeros, for a network whose weights come from a file.
  init(zeros inputs: Int, _ outputs: Int) {
    self.init(weight: Parameter(.zeros([inputs, outputs]), layout: .linear), bias: Parameter(.zeros([outputs])))
  }
}

extension Module {
  /// The same network with every parameter frozen: gradients pass through it, and it does not learn.
  func frozen() -> Self {
    for (_, parameter) in parameters() { parameter.isFrozen = true }
    return self
  }
}

/// The mean and deviation of ImageNet's pictures that torchvision's classifiers expect to be taken away.
enum ImageNetStatistics {
  static let mean = [0.485, 0.456, 0.406]
  static let deviation = [0.229, 0.224, 0.225]

  /// - Shape: `[n, h, w, 3]` with values in -1...1 → same, as the classifiers were trained.
  static func normalized(_ images: Tensor) -> Tensor {
    let scale = Tensor(deviation.map { 0.5 / $0 }, shape: [3], precision: images.precision)
    let shift = Tensor(zip(mean, deviation).map { (0.5 - $0) / $1 }, shape: [3], precision: images.precision)
    return images * scale + shift
  }
}
