import Networks
import Tensors

extension FeatureStack {
  /// The convolutions of AlexNet as torchvision has it: Krizhevsky 2014 (arXiv 1404.5997), "one weird trick".
  static func alexNet() -> FeatureStack {
    func convolution(_ inputs: Int, _ outputs: Int, kernel: Extent, stride: Extent = 1, padding: Extent) -> Element {
      .convolution(Conv2d(zeros: inputs, outputs, kernel: kernel, Conv2dOptions(stride: stride, padding: padding)))
    }
    return FeatureStack(elements: [
      convolution(3, 64, kernel: 11, stride: 4, padding: 2), .relu, .maxPool(window: 3),
      convolution(64, 192, kernel: 5, padding: 2), .relu, .maxPool(window: 3),
      convolution(192, 384, kernel: 3, padding: 1), .relu,
      convolution(384, 256, kernel: 3, padding: 1), .relu,
      convolution(256, 256, kernel: 3, padding: 1), .relu, .maxPool(window: 3),
    ])
  }
}
