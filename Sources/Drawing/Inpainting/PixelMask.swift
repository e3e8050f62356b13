import Base
import Vision

/// Which pixels, or tokens, of a picture are known: 1 in the literature of inpainting, the others are holes.
public struct PixelMask: Sendable, Equatable {
  public var height: Int
  public var width: Int
  /// Row-major.
  public var isKnown: [Bool]

  /// - Precondition: `isKnown.count == height · width`.
  public init(height: Int, width: Int, isKnown: [Bool]) {
    require(isKnown.count == height * width, "PixelMask: \(isKnown.count) values for \(height)x\(width) pixels")
    self.height = height
    self.width = width
    self.isKnown = isKnown
  }

  /// The share of known pixels, 0...1; 0 without pixels.
  public var knownShare: Double { isKnown.isEmpty ? 0 : Double(isKnown.count { $0 }) / Double(isKnown.count) }

  /// `75 % known`.
  var note: String { "\(Int((100 * knownShare).rounded())) % known" }

  /// The mask as files hold it: white is known, black is hole.
  public var image: Image {
    Image(height: height, width: width, channels: 3, pixels: isKnown.flatMap { Array(repeating: $0 ? 255 : 0, count: 3) })
  }

  /// The value at a pixel of a picture that the mask covers as a whole, in its own proportions.
  func isKnown(at pixel: Int, of picture: Image) -> Bool {
    let (y, x) = pixel.quotientAndRemainder(dividingBy: picture.width)
    return isKnown[y * height / picture.height * width + x * width / picture.width]
  }

  /// The picture with its holes as a chequerboard of two greys, which no picture has by chance.
  public func applied(to picture: Image) -> Image {
    let side = max(2, picture.width / 32)
    return recolored(picture) { pixel, _ in
      let (y, x) = pixel.quotientAndRemainder(dividingBy: picture.width)
      return (y / side + x / side).isMultiple(of: 2) ? RGB(205, 205, 205) : RGB(160, 160, 160)
    }
  }

  /// The picture with its holes in a colour, through which it shows a little.
  func tinted(_ picture: Image, _ color: RGB) -> Image { recolored(picture) { $1.mixed(with: color, share: 0.75) } }

  private func recolored(_ picture: Image, _ color: (_ pixel: Int, _ old: RGB) -> RGB) -> Image {
    guard height > 0, width > 0 else { return picture.rgb() }
    var result = picture.rgb()
    for pixel in 0..<picture.height * picture.width where !isKnown(at: pixel, of: picture) {
      result[rgb: pixel] = color(pixel, result[rgb: pixel])
    }
    return result
  }
}
