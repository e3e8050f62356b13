import Base
import CJPEG
import Vision

/// What a picture file says about itself before its pixels.
public struct ImageHeader: Sendable, Equatable {
  public let height: Int
  public let width: Int
  /// As decoded: 1 grey, 3 RGB, 4 RGBA.
  public let channels: Int
  /// Bits of a sample in the file.
  public let bits: Int
  /// Whether the file has a palette.
  public let isPalette: Bool

  /// How the file differs from RGB with 8 bits a sample, in words; nil: it does not.
  public var peculiarity: String? {
    let form = isPalette ? "palette" : channels == 1 ? "grey" : channels == 4 ? "with opacity" : ""
    let parts = [bits == 16 ? "16 bits" : "", form].filter { !$0.isEmpty }
    return parts.isEmpty ? nil : parts.joined(separator: ", ")
  }

  /// Reads the header of a PNG, JPEG, PPM or PGM file.
  /// - Throws: `.missingInput`; `.badData` if it is none of them, or what stands in it is impossible.
  public init(contentsOf path: String) throws {
    let bytes = try File.bytes(at: path, limit: Codec.largestFile)
    if bytes.starts(with: PNG.magic) {
      let header = try PNG.header(of: bytes, place: path)
      (height, width, channels) = (Int(header.height), Int(header.width), Int(header.channels))
      bits = Int(header.bits)
      isPalette = header.single == 1 && header.channels >= 3 && header.bits <= 8
    } else if bytes.starts(with: JPEG.magic) {
      let header = try JPEG.header(of: bytes, place: path)
      (height, width, channels) = (Int(header.height), Int(header.width), Int(header.channels))
      (bits, isPalette) = (8, false)
    } else {
      let image = try Image(contentsOf: path)
      (height, width, channels, bits, isPalette) = (image.height, image.width, image.channels, 8, false)
    }
  }
}
