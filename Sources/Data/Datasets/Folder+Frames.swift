import Base
import Vision

extension Folder {
  /// Whether a file's name is that of a picture that can be read.
  package static func isPictureName(_ name: String) -> Bool { ImageFormat(path: name) != nil }

  /// Whether a file is one of KITTI's flow maps: a PNG of 16-bit RGB whose blue samples, the validity, have one value besides 0.
  ///
  /// Fine pictures of 16 bits have many values of blue, and are frames like others. Only PNGs of 16-bit RGB are opened further than their
  /// header; a name that calls the file a flow map (`X_occ_10.png`) is believed.
  static func isKITTIFlow(_ path: String) throws -> Bool {
    guard Path.fileExtension(path) == "png", PNG.announces16BitRGB(try File.bytes(at: path, upTo: 32)) else { return false }
    if FrameName(path).parts.contains(where: ["flow", "occ", "noc"].contains) { return true }
    // A damaged file counts as a frame: reading it says what is wrong.
    guard let image = try? Image16(contentsOf: path) else { return false }
    var validity: UInt16 = 0
    var isBlack = true
    for i in stride(from: 0, to: image.samples.count, by: 3) {
      let blue = image.samples[i + 2]
      if blue != 0, validity != 0, blue != validity { return false }
      validity = max(validity, blue)
      isBlack = isBlack && blue == 0 && image.samples[i] == 0 && image.samples[i + 1] == 0
    }
    return !isBlack
  }

  /// The other files of a folder without the pictures that were looked for, for messages: ` (there are 2 files of the format BMP)`.
  static func otherContents(of folder: String, _ names: [String]) -> (text: String, remedy: String) {
    for name in names {
      guard let head = try? File.bytes(at: Path.join(folder, name), upTo: FileKind.headSize), let kind = FileKind(of: head),
            kind.family == .picture || kind.family == .video || kind.family == .archive else { continue }
      return ("; \(name.printable(limit: 100)) is \(kind.name)", kind.remedy)
    }
    return ("", "")
  }
}
