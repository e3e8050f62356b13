import Base

extension Folder {
  /// Whether a file is a picture that can serve as a frame: by its extension, and no 16-bit RGB PNG, which is a KITTI flow map.
  static func isFrame(_ path: String) throws -> Bool {
    guard let format = ImageFormat(path: path) else { return false }
    return try format != .png || !isKITTIFlow(path)
  }

  /// Whether a file is a PNG of 16-bit RGB.
  static func isKITTIFlow(_ path: String) throws -> Bool {
    guard Path.fileExtension(path) == "png" else { return false }
    return PNG.announces16BitRGB(try File.bytes(at: path, upTo: 32))
  }
}
