import Base
import Vision

/// How pictures come to the network's size. Section `augmentation`.
///
/// Training: a random part of the picture, mirrored in every second copy of it; evaluation: the middle. What a picture lacks at the lower
/// and right border is filled with its reflection, without repeating the border's pixels.
/// - Source: the loaders of MAT's published training.
public struct InpaintingAugmentation: Codable, Sendable, Equatable {
  /// What happens to a picture of another size.
  public enum Fit: String, ConfigChoice {
    /// It is cropped, or filled up by reflection.
    case crop
    /// Its shorter side is resized to the network's size, and it is cropped.
    case resize
    /// It is refused.
    case exact
  }

  public var fit = Fit.crop
  /// Whether the training set has every picture twice, as it is and mirrored.
  public var mirror = true

  public init() {}

  /// A random part of `size` x `size` of a picture.
  public func callAsFunction(
    _ image: Image, size: Int, isMirrored: Bool = false, random: inout Random, seen: AugmentationObserver<Image> = { _, _ in }
  ) -> Image {
    let original = image
    let image = fitted(image, size)
    if fit == .resize {
      let isTaken = (image.height, image.width) != (original.height, original.width)
      seen(AugmentationStep("resize", isTaken ? "from \(original.width)x\(original.height)" : "", isTaken: isTaken)) { image }
    }
    let top = random.integer(in: 0..<max(image.height - size, 0) + 1)
    let left = random.integer(in: 0..<max(image.width - size, 0) + 1)
    let isCut = image.height != size || image.width != size
    seen(AugmentationStep("crop", isCut ? "from column \(left), row \(top)" : "", isTaken: isCut)) {
      image.part(top: top, left: left, height: size, width: size)
    }
    let part = image.part(top: top, left: left, height: size, width: size, isMirrored: isMirrored)
    if mirror { seen(AugmentationStep("mirror", isMirrored ? "left and right" : "", isTaken: isMirrored)) { part } }
    return part
  }

  /// The middle of a picture, as evaluation sees it.
  public func evaluated(_ image: Image, size: Int) -> Image {
    let image = fitted(image, size)
    let place = Self.middle(image.height, image.width, size)
    return image.part(top: place.top, left: place.left, height: size, width: size)
  }

  /// The part of a mask that belongs to `evaluated`; what lies beyond the picture is a reflection as well.
  /// - Precondition: the mask has the picture's size, and `fit` does not resize.
  public func evaluated(_ mask: InpaintingMask, size: Int) -> InpaintingMask {
    let grey = Image(height: mask.height, width: mask.width, channels: 1, pixels: mask.known)
    let place = Self.middle(mask.height, mask.width, size)
    let part = grey.part(top: place.top, left: place.left, height: size, width: size)
    return InpaintingMask(height: size, width: size, known: part.pixels)
  }

  private static func middle(_ height: Int, _ width: Int, _ size: Int) -> (top: Int, left: Int) {
    (max(height - size, 0) / 2, max(width - size, 0) / 2)
  }

  private func fitted(_ image: Image, _ size: Int) -> Image {
    let shorter = min(image.height, image.width)
    guard fit == .resize, shorter != size else { return image }
    func scaled(_ side: Int) -> Int { side == shorter ? size : max(size, (side * size + shorter / 2) / shorter) }
    return image.resizedAntialiased(height: scaled(image.height), width: scaled(image.width))
  }
}

extension Image {
  /// A rectangle of the picture, which may reach beyond its lower and right border: there the picture goes on as its reflection.
  /// - Parameter isMirrored: whether left and right of the result are exchanged.
  public func part(top: Int, left: Int, height rows: Int, width columns: Int, isMirrored: Bool = false) -> Image {
    require(top >= 0 && left >= 0 && height > 0 && width > 0, "Image.part: from (\(top), \(left)) of \(height)x\(width)")
    let sources = (0..<columns).map { Image.reflected(left + (isMirrored ? columns - 1 - $0 : $0), width) }
    var result = Image(height: rows, width: columns, channels: channels)
    let isRun = !isMirrored && left + columns <= width
    for y in 0..<rows {
      let source = Image.reflected(top + y, height) * width
      let target = y * columns * channels
      if isRun {
        let start = (source + left) * channels
        result.pixels.replaceSubrange(target..<target + columns * channels, with: pixels[start..<start + columns * channels])
        continue
      }
      for (x, column) in sources.enumerated() {
        for channel in 0..<channels { result.pixels[target + x * channels + channel] = pixels[(source + column) * channels + channel] }
      }
    }
    return result
  }

  /// The position in `0..<count` that stands for one beyond the end, to and fro.
  static func reflected(_ index: Int, _ count: Int) -> Int {
    guard index >= count else { return index }
    guard count > 1 else { return 0 }
    let place = index % (2 * count - 2)
    return place < count ? place : 2 * count - 2 - place
  }
}
