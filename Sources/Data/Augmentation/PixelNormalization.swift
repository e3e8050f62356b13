import Base
import Vision

/// The scale on which a network sees pixels: `(v / 255 - mean) / deviation` for each of red, green and blue.
public struct PixelNormalization: Codable, Sendable, Equatable, ValidatedConfig {
  /// Means of red, green and blue, 0 to 1.
  public var mean = [0.485, 0.456, 0.406]
  /// Standard deviations.
  public var deviation = [0.229, 0.224, 0.225]

  /// Those of ImageNet, which published weights expect.
  public init() {}

  public func problems() -> [ConfigProblem] {
    var problems: [ConfigProblem] = []
    problems.require(mean.count == 3 && mean.allSatisfy { (0...1).contains($0) }, "mean", mean, "three numbers of 0 to 1")
    problems.require(deviation.count == 3 && deviation.allSatisfy { (1e-3...10).contains($0) }, "deviation", deviation,
                     "three numbers of 0.001 to 10")
    return problems
  }

  /// The network's view of an RGB image in the upper left corner of a canvas that is 0, the mean colour, elsewhere.
  /// - Parameters:
  ///   - height, width: of the canvas; nil: those of the image.
  ///   - isFlipped: whether left and right of the canvas are exchanged.
  /// - Returns: row-major, red, green and blue interleaved.
  /// - Precondition: the canvas holds the image.
  public func callAsFunction(_ image: Image, height: Int? = nil, width: Int? = nil, isFlipped: Bool = false) -> [Float] {
    let (rows, columns) = (height ?? image.height, width ?? image.width)
    require(image.channels == 3 && rows >= image.height && columns >= image.width,
            "PixelNormalization: an image of \(image.height)x\(image.width)x\(image.channels) for a canvas of \(rows)x\(columns)x3")
    let scale = deviation.map { Float(1 / (255 * $0)) }
    let shift = zip(mean, deviation).map { Float(-$0 / $1) }
    var values = [Float](repeating: 0, count: rows * columns * 3)
    image.pixels.withUnsafeBufferPointer { pixels in
      for y in 0..<image.height {
        for x in 0..<image.width {
          let target = (y * columns + (isFlipped ? columns - 1 - x : x)) * 3
          let source = (y * image.width + x) * 3
          for c in 0..<3 { values[target + c] = Float(pixels[source + c]) * scale[c] + shift[c] }
        }
      }
    }
    return values
  }

  /// The picture that the network sees so, rounded to the nearest levels.
  /// - Parameter values: row-major, red, green and blue interleaved.
  public func image(_ values: [Float], height: Int, width: Int) -> Image {
    let pixels = values.enumerated().map { index, value -> UInt8 in
      let level = 255 * (Double(value) * deviation[index % 3] + mean[index % 3])
      return UInt8(level.clamped(to: 0...255).rounded())
    }
    return Image(height: height, width: width, channels: 3, pixels: pixels)
  }
}
