/// A colour: red, green, blue, each 0...255.
public typealias RGB = SIMD3<UInt8>

extension RGB {
  public static let white = RGB(255, 255, 255)
  public static let black = RGB(0, 0, 0)
  public static let midGrey = RGB(128, 128, 128)

  /// A mixture of two colours: `share` 0 gives `self`, 1 gives `other`; rounded to nearest.
  public func mixed(with other: RGB, share: Float) -> RGB {
    let a = SIMD3<Float>(self)
    let b = SIMD3<Float>(other)
    return RGB(clamping: SIMD3<Int32>((a + (b - a) * share + 0.5).rounded(.down)))
  }
}

extension Image {
  /// A three-channel image of one colour.
  public init(height: Int, width: Int, color: RGB) {
    self.init(height: height, width: width, channels: 3)
    for index in 0..<height * width { self[rgb: index] = color }
  }

  /// The colour of the pixel with this index in row-major order, of an image with three channels.
  public subscript(rgb index: Int) -> RGB {
    get { RGB(pixels[3 * index], pixels[3 * index + 1], pixels[3 * index + 2]) }
    set {
      pixels[3 * index] = newValue.x
      pixels[3 * index + 1] = newValue.y
      pixels[3 * index + 2] = newValue.z
    }
  }
}
