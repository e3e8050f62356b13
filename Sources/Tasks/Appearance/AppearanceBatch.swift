import Base
import Data
import Tensors

/// Crops as the network takes them, with their identities.
struct AppearanceBatch {
  /// `[n, h, w, 3]`, 0 to 255.
  let images: Tensor
  let labels: [Int]

  /// - Precondition: there is at least one crop, and all have one size.
  init(_ inputs: [AppearanceInput]) {
    let (height, width) = (inputs.first?.height ?? 0, inputs.first?.width ?? 0)
    require(!inputs.isEmpty && inputs.allSatisfy { $0.height == height && $0.width == width },
            "AppearanceBatch: \(inputs.count) crops, expected some of one size")
    images = Tensor(inputs.flatMap(\.pixels), shape: [inputs.count, height, width, 3])
    labels = inputs.map(\.identity)
  }
}
