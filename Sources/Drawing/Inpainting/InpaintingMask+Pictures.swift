import Vision

extension InpaintingMask {
  /// `75 % known`.
  var note: String { "\(Int((100 * (1 - holeShare)).rounded())) % known" }

  /// The picture with its holes as a chequerboard of two greys, which no picture has by chance. The mask covers the picture as a whole,
  /// whatever its own resolution.
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
    var result = picture.rgb()
    for pixel in 0..<picture.height * picture.width {
      let (y, x) = pixel.quotientAndRemainder(dividingBy: picture.width)
      guard known[y * height / picture.height * width + x * width / picture.width] == 0 else { continue }
      result[rgb: pixel] = color(pixel, result[rgb: pixel])
    }
    return result
  }
}
