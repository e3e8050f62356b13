import Base
import Tensors

/// A batch of images of different sizes, each in the upper left corner of one canvas.
public struct PaddedImages {
  /// `[n, h, w, 3]`, normalised by the mean and deviation of ImageNet; 0 beyond each image.
  public let pixels: Tensor
  /// Height and width of each image, in pixels.
  public let sizes: [Extent]

  /// - Precondition: one size for each image, not larger than the canvas.
  public init(pixels: Tensor, sizes: [Extent]) {
    let (n, h, w, _) = pixels.shape4
    require(sizes.count == n && sizes.allSatisfy { $0.height <= h && $0.width <= w && $0.height > 0 && $0.width > 0 },
      "PaddedImages: sizes \(sizes) do not fit into pixels of shape \(pixels.shape)")
    self.pixels = pixels
    self.sizes = sizes
  }

  public var count: Int { sizes.count }
  /// The size of the canvas.
  public var canvas: Extent { Extent(height: pixels.shape[1], width: pixels.shape[2]) }
}

/// The part of a feature map that lies on the images and not on the padding around them.
struct FeatureMask {
  let height, width: Int
  /// Rows and columns of each image, from the upper left corner; 0 where an image is smaller than half a cell.
  let valid: [Extent]

  /// The mask of the canvas at the nearest pixel of each cell, as PyTorch's `interpolate` finds it.
  init(_ images: PaddedImages, height: Int, width: Int) {
    self.height = height
    self.width = width
    valid = images.sizes.map { size in
      Extent(
        height: Self.cells(height, canvas: images.canvas.height, image: size.height),
        width: Self.cells(width, canvas: images.canvas.width, image: size.width))
    }
  }

  private static func cells(_ cells: Int, canvas: Int, image: Int) -> Int {
    let scale = Float(canvas) / Float(cells)
    return (0..<cells).prefix { Int((Float($0) * scale).rounded(.down)) < image }.count
  }

  var isFull: Bool { valid.allSatisfy { $0.height == height && $0.width == width } }

  /// 1 for padding, 0 for the image. - Shape: `[n, height · width]`.
  func padding(_ precision: Precision) -> Tensor {
    let values = valid.flatMap { size in
      (0..<height * width).map { $0 / width < size.height && $0 % width < size.width ? 0.0 : 1.0 }
    }
    return Tensor(values, shape: [valid.count, height * width], precision: precision)
  }
}
