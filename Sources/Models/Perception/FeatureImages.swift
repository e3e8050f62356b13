import Base
import Tensors
import Vision

// Pictures as the feature networks expect them.

extension Tensor {
  /// 8-bit pictures of one size as `[n, h, w, 3]` in -1...1; grey is repeated, alpha dropped.
  static func symmetric(_ images: [Image]) -> Tensor {
    guard let first = images.first else { stop("Tensor: no pictures") }
    require(images.allSatisfy { $0.height == first.height && $0.width == first.width }, "Tensor: pictures of different sizes")
    let values = images.flatMap { $0.rgb().pixels.map { Float($0) / 127.5 - 1 } }
    return Tensor(values, shape: [images.count, first.height, first.width, 3])
  }
}

/// A network that turns pictures into feature vectors.
public protocol FeatureExtractor {
  /// The vectors of pictures of any size. - Returns: `[n, d]`.
  func features(of images: [Image]) -> Tensor
}

extension Inception: FeatureExtractor {
  /// The size that the graph of 2015-12-05 works at.
  package static let inputSize = 299

  /// The pictures at 299x299 by the graph's own bilinear sampling, `(x - 128) / 128` → `[n, 2048]`.
  public func features(of images: [Image]) -> Tensor { noGradient { self(concatenate(images.map(Self.input), axis: 0)) } }

  /// Pixel i is taken at `i · size / 299` of the source, at most its last one: corners are not aligned and centres not halved, as
  /// TensorFlow 1 resizes.
  package static func input(_ image: Image) -> Tensor {
    let image = image.rgb()
    func axis(_ length: Int) -> [(low: Int, high: Int, weight: Float)] {
      (0..<inputSize).map { i in
        let position = min(Float(i) * Float(length) / Float(inputSize), Float(length - 1))
        let low = Int(position)
        return (low, min(low + 1, length - 1), position - Float(low))
      }
    }
    let rows = axis(image.height)
    let columns = axis(image.width)
    var values: [Float] = []
    values.reserveCapacity(inputSize * inputSize * 3)
    image.pixels.withUnsafeBufferPointer { pixels in
      for row in rows {
        for column in columns {
          for c in 0..<3 {
            func value(_ y: Int, _ x: Int) -> Float { Float(pixels[(y * image.width + x) * 3 + c]) }
            let top = value(row.low, column.low) + column.weight * (value(row.low, column.high) - value(row.low, column.low))
            let bottom = value(row.high, column.low) + column.weight * (value(row.high, column.high) - value(row.high, column.low))
            values.append((top + row.weight * (bottom - top) - 128) / 128)
          }
        }
      }
    }
    return Tensor(values, shape: [1, inputSize, inputSize, 3])
  }
}

extension VGG16: FeatureExtractor {
  /// The pictures at 224x224 (bilinear between pixel centres), normalised as ImageNet's → `[n, 4096]`.
  public func features(of images: [Image]) -> Tensor {
    noGradient { self(ImageNetStatistics.normalized(concatenate(images.map { Tensor.symmetric([$0]).resized(to: 224) }, axis: 0))) }
  }
}

extension LPIPS {
  /// The distances of pairs of 8-bit pictures of one size.
  public func distances(_ first: [Image], _ second: [Image]) -> [Double] {
    noGradient { self(Tensor.symmetric(first), Tensor.symmetric(second)).doubles }
  }
}
