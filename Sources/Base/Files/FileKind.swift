/// The kind of a file by its first bytes, to explain why it cannot be read as something else.
package struct FileKind: Sendable, Equatable {
  package enum Family: Sendable { case picture, flow, video, archive, weights, text, other }

  package let family: Family
  /// With its article, as in "this is ...".
  package let name: String
  /// The remedy for a file of this kind.
  package let remedy: String

  /// The first bytes that tell it; more do no harm.
  package static let headSize = 1024

  /// The kind of a file that begins with these bytes; nil if nothing is known that begins so.
  package init?(of bytes: [UInt8]) {
    let head = Array(bytes.prefix(FileKind.headSize))
    let found = FileKind.bySignature(head) ?? FileKind.byContainer(head) ?? FileKind.byText(head)
    guard let found else { return nil }
    self = found
  }

  private init(_ family: Family, _ name: String, _ remedy: String? = nil) {
    (self.family, self.name) = (family, name)
    self.remedy = remedy ?? FileKind.usualRemedy(family)
  }

  private static func usualRemedy(_ family: Family) -> String {
    switch family {
    case .picture: "Convert it to PNG first, for instance with ImageMagick: magick IN OUT.png"
    case .video: "Take it apart into frames first, for instance: ffmpeg -i VIDEO frames/%05d.png"
    case .archive: "Unpack it first."
    case .flow, .weights, .text, .other: ""
    }
  }

  // MARK: The table

  private struct Signature {
    let offset: Int
    let bytes: [UInt8]
    let kind: FileKind

    init(_ bytes: [UInt8], at offset: Int = 0, _ kind: FileKind) { (self.offset, self.bytes, self.kind) = (offset, bytes, kind) }

    init(_ text: String, at offset: Int = 0, _ kind: FileKind) { self.init(Array(text.utf8), at: offset, kind) }

    func fits(_ head: [UInt8]) -> Bool { head.count >= offset + bytes.count && head[offset..<offset + bytes.count].elementsEqual(bytes) }
  }

  private static let signatures: [Signature] = [
    Signature("version https://git-lfs",
              .init(.other, "a Git LFS pointer, not the file itself", "Fetch the file that it stands for: git lfs pull")),
    Signature([0x89, 0x50, 0x4E, 0x47], .init(.picture, "a PNG picture", "")),
    Signature([0xFF, 0xD8, 0xFF], .init(.picture, "a JPEG picture", "")),
    Signature("GIF8", .init(.picture, "a GIF picture")),
    Signature("WEBP", at: 8, .init(.picture, "a WebP picture")),
    Signature([0x49, 0x49, 0x2A, 0], .init(.picture, "a TIFF picture")),
    Signature([0x4D, 0x4D, 0, 0x2A], .init(.picture, "a TIFF picture")),
    Signature([0x49, 0x49, 0x2B, 0], .init(.picture, "a TIFF picture")),
    Signature([0, 0, 0, 0x0C, 0x6A, 0x50, 0x20, 0x20], .init(.picture, "a JPEG 2000 picture")),
    Signature([0, 0, 0, 0x0C, 0x4A, 0x58, 0x4C, 0x20], .init(.picture, "a JPEG XL picture")),
    Signature([0x76, 0x2F, 0x31, 1], .init(.picture, "an OpenEXR picture")),
    Signature("8BPS", .init(.picture, "a Photoshop picture")),
    Signature("PIEH", .init(.flow, "a .flo file of optical flow")),
    Signature("AVI ", at: 8, .init(.video, "an AVI video")),
    Signature([0x1A, 0x45, 0xDF, 0xA3], .init(.video, "a Matroska or WebM video")),
    Signature([0, 0, 1, 0xBA], .init(.video, "an MPEG video")),
    Signature([0, 0, 1, 0xB3], .init(.video, "an MPEG video")),
    Signature("FLV", .init(.video, "a Flash video")),
    Signature([0x1F, 0x8B], .init(.archive, "packed with gzip", "Unpack it first: gunzip FILE, or tar -xzf FILE")),
    Signature("BZh", .init(.archive, "packed with bzip2", "Unpack it first: bunzip2 FILE, or tar -xjf FILE")),
    Signature([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0], .init(.archive, "packed with xz", "Unpack it first: unxz FILE, or tar -xJf FILE")),
    Signature([0x28, 0xB5, 0x2F, 0xFD], .init(.archive, "packed with zstd", "Unpack it first: unzstd FILE")),
    Signature([0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C], .init(.archive, "a 7-Zip archive")),
    Signature("Rar!", .init(.archive, "a RAR archive")),
    Signature("ustar", at: 257, .init(.archive, "a tar archive", "Unpack it first: tar -xf FILE")),
    Signature([0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59], .init(.other, "a NumPy array")),
    Signature([0x89, 0x48, 0x44, 0x46], .init(.weights, "an HDF5 file", "Save the weights as safetensors, or with torch.save.")),
    Signature([0x7F, 0x45, 0x4C, 0x46], .init(.other, "a program")),
    Signature("%PDF", .init(.other, "a PDF document")),
    Signature([0, 5, 0x16, 7], .init(.other, "a note that macOS keeps beside a file", "Remove the files that begin with ._")),
    Signature([0xFF, 0xFE], .init(.text, "text in UTF-16", "Save it in UTF-8.")),
    Signature([0xFE, 0xFF], .init(.text, "text in UTF-16", "Save it in UTF-8.")),
  ]

  private static func bySignature(_ head: [UInt8]) -> FileKind? { signatures.first { $0.fits(head) }?.kind }

  // MARK: What takes more than a comparison

  private static func byContainer(_ head: [UInt8]) -> FileKind? {
    if head.isEmpty { return FileKind(.other, "an empty file", "Copy or download it again.") }
    if head.starts(with: [0x50, 0x4B, 3, 4]) { return zip(head) }
    if head.count >= 64, head.allSatisfy({ $0 == 0 }) {
      return FileKind(.other, "a file that begins with nothing but zeros", "It was copied or downloaded in part; do so again.")
    }
    if head.count >= 26, head.starts(with: Array("BM".utf8)), head[6..<10].allSatisfy({ $0 == 0 }) {
      return FileKind(.picture, "a BMP picture")
    }
    if head.count >= 12, head[4..<8].elementsEqual("ftyp".utf8) {
      let brand = String(decoding: head[8..<12], as: UTF8.self)
      if ["avif", "avis"].contains(brand) { return FileKind(.picture, "an AVIF picture") }
      if ["heic", "heix", "hevc", "mif1", "msf1"].contains(brand) { return FileKind(.picture, "a HEIC picture") }
      return FileKind(.video, "an MP4 or MOV video")
    }
    if head.count >= 3, head[0] == UInt8(ascii: "P"), [0x20, 0x09, 0x0A, 0x0D].contains(head[2]) { return portableMap(head[1]) }
    // Before pickles: the length of the header, which comes first, may look like the beginning of one.
    if head.count >= 10, head[8] == UInt8(ascii: "{"), head[5..<8].allSatisfy({ $0 == 0 }) {
      return FileKind(.weights, "a safetensors file")
    }
    if head.count >= 3, head[0] == 0x80, (2...5).contains(head[1]) {
      return FileKind(.weights, head[2] == 0x8A ? "a file of torch.save" : "a pickle of Python",
                      "Save tensors with torch.save(model.state_dict(), PATH), or as safetensors.")
    }
    return nil
  }

  private static func portableMap(_ letter: UInt8) -> FileKind? {
    switch Unicode.Scalar(letter) {
    case "F", "f": FileKind(.flow, "a .pfm file of floats")
    case "5", "6": FileKind(.picture, "a PPM or PGM picture", "")
    case "1", "2", "3", "4": FileKind(.picture, "a portable map as text or of bits")
    default: nil
    }
  }

  /// A zip archive: the name of its first member tells a checkpoint of PyTorch from others.
  private static func zip(_ head: [UInt8]) -> FileKind {
    let length = head.count >= 30 ? Int(head[26]) + 256 * Int(head[27]) : 0
    let name = String(decoding: head.dropFirst(30).prefix(length), as: UTF8.self)
    if ["/data.pkl", "/version", "/.format_version", "/byteorder"].contains(where: name.hasSuffix) {
      return FileKind(.weights, "a file of torch.save")
    }
    let content = name.isEmpty ? "" : " with '\(name.printable(limit: 100))' in it"
    return FileKind(.archive, "a zip archive\(content)", "Unpack it first: unzip FILE")
  }

  private static func byText(_ head: [UInt8]) -> FileKind? {
    let start = head.drop { $0 == 0xEF || $0 == 0xBB || $0 == 0xBF || $0 <= 0x20 }
    let text = String(decoding: start.prefix(64), as: UTF8.self).lowercased()
    if ["<!doctype html", "<html", "<head", "<script"].contains(where: text.hasPrefix) {
      return FileKind(.text, "a web page, not what it was to download",
                      "The link led to a page: a login, a licence, or a warning. Open it in a browser and download the file itself.")
    }
    if text.hasPrefix("<svg") { return FileKind(.picture, "an SVG drawing") }
    if text.hasPrefix("<?xml") || text.hasPrefix("<error") {
      return FileKind(.text, "an XML text", "If it was downloaded, it may be an error message: look into it.")
    }
    return nil
  }
}

extension Failure {
  /// A file that is not what was expected: what it is instead, as far as its first bytes tell.
  /// - Parameters:
  ///   - expected: what can be read here, such as "a PNG, JPEG, PPM or PGM image".
  ///   - remedy: if the kind of the file suggests none.
  package static func unrecognized(_ bytes: [UInt8], at path: String, expected: String, remedy: String = "") -> Failure {
    guard !bytes.isEmpty else {
      return Failure(.badData, at: path, "the file is empty, expected \(expected)", remedy: "Copy or download it again.")
    }
    let start = "begins with the bytes \(Path.hexadecimal(bytes.prefix(8)))"
    guard let kind = FileKind(of: bytes) else {
      return Failure(.badData, at: path, "the file \(start), expected \(expected)", remedy: remedy)
    }
    return Failure(.badData, at: path, "this is \(kind.name) (it \(start)), expected \(expected)",
                   remedy: kind.remedy.isEmpty ? remedy : kind.remedy)
  }
}
