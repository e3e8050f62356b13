import Networks
import Tensors
import WeightFiles

/// Builds pickles and zip archives byte by byte, sound ones and others.
struct PickleBytes {
  var bytes: [UInt8] = [0x80, 2]

  init() {}

  init(_ parts: PickleBytes.Part...) { for part in parts { bytes += part.bytes } }

  /// A piece of a pickle.
  struct Part: ExpressibleByStringLiteral {
    let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }
    /// Opcodes that are letters.
    init(stringLiteral text: String) { bytes = Array(text.utf8) }

    static func text(_ text: String) -> Part { Part([UInt8(ascii: "X")] + little(UInt32(text.utf8.count)) + text.utf8) }
    static func global(_ module: String, _ name: String) -> Part { Part(Array("c\(module)\n\(name)\n".utf8)) }
    static func int(_ value: Int) -> Part {
      if let small = UInt8(exactly: value) { return Part([UInt8(ascii: "K"), small]) }
      if let medium = Int32(exactly: value) { return Part([UInt8(ascii: "J")] + little(medium)) }
      return Part([0x8A, 8] + little(Int64(value)))
    }
    static func raw(_ bytes: UInt8...) -> Part { Part(bytes) }
    static func many(_ parts: [Part]) -> Part { Part(parts.flatMap(\.bytes)) }
    static func tuple(_ values: [Int]) -> Part { many(["("] + values.map(int) + ["t"]) }

    static func storage(_ key: String = "0", type: String = "FloatStorage", module: String = "torch", count: Int = 4) -> Part {
      many(["(", text("storage"), global(module, type), text(key), text("cpu"), int(count), "t", "Q"])
    }

    /// A call of `_rebuild_tensor_v2`.
    static func tensor(_ storage: Part = storage(), offset: Int = 0, shape: [Int] = [4], strides: [Int] = [1]) -> Part {
      many([global("torch._utils", "_rebuild_tensor_v2"), "(", storage, int(offset), tuple(shape), tuple(strides), raw(0x89),
            global("collections", "OrderedDict"), ")", "R", "t", "R"])
    }
  }

  static func little(_ value: some FixedWidthInteger) -> [UInt8] { withUnsafeBytes(of: value.littleEndian) { Array($0) } }
}

/// A zip archive that can lie.
struct ZipBytes {
  struct Member {
    var name: String
    var content: [UInt8]
    var method: UInt16 = 0
    var flags: UInt16 = 0
    /// What the table of contents says, where it differs.
    var size: UInt32?
    var offset: UInt32?
    var localName: String?
    /// 0: none, as some writers leave it.
    var checksum: UInt32 = 0
    /// Sizes and offset in the extra field of 64 bits.
    var isWide = false
  }

  var members: [Member]
  var count: UInt16?
  var directoryOffset: UInt32?
  var comment: [UInt8] = []

  init(_ members: [Member]) { self.members = members }

  /// The layout of torch.save: one storage "0" of four floats.
  init(pickle: [UInt8], storage: [UInt8] = [Float(1), 2, 3, 4].flatMap { PickleBytes.little($0.bitPattern) }) {
    self.init([.init(name: "a/data.pkl", content: pickle), .init(name: "a/byteorder", content: Array("little".utf8)),
               .init(name: "a/data/0", content: storage)])
  }

  var bytes: [UInt8] {
    let little16: (UInt16) -> [UInt8] = PickleBytes.little, little32: (UInt32) -> [UInt8] = PickleBytes.little
    var bytes: [UInt8] = [], directory: [UInt8] = []
    for member in members {
      let offset = UInt32(bytes.count), local = member.localName ?? member.name
      bytes += [0x50, 0x4B, 3, 4, 0, 0] + little16(member.flags) + little16(member.method)
      bytes += [UInt8](repeating: 0, count: 16) + little16(UInt16(local.utf8.count)) + [0, 0]
      bytes += Array(local.utf8) + member.content
      let size = member.size ?? UInt32(member.content.count)
      directory += [0x50, 0x4B, 1, 2, 0, 0, 0, 0] + little16(member.flags) + little16(member.method) + [0, 0, 0, 0] + little32(member.checksum)
      let shown: [UInt8] = member.isWide ? little32(.max) + little32(.max) : little32(size) + little32(size)
      directory += shown + little16(UInt16(member.name.utf8.count)) + little16(member.isWide ? 28 : 0)
      directory += [UInt8](repeating: 0, count: 10) + little32(member.isWide ? .max : member.offset ?? offset)
      directory += Array(member.name.utf8)
      if member.isWide {
        let place = PickleBytes.little(UInt64(member.offset ?? offset)), wide = PickleBytes.little(UInt64(size))
        directory += little16(1) + little16(24) + wide + wide + place
      }
    }
    let start = directoryOffset ?? UInt32(bytes.count), number = little16(count ?? UInt16(members.count))
    bytes += directory
    bytes += [0x50, 0x4B, 5, 6, 0, 0, 0, 0] + number + number + little32(UInt32(directory.count))
    return bytes + little32(start) + little16(UInt16(comment.count)) + comment
  }
}

extension PyTorchFile {
  /// A file of the zip form with this pickle and one storage "0" of the floats 1, 2, 3, 4.
  static func zip(_ parts: PickleBytes.Part...) throws -> PyTorchFile {
    var pickle = PickleBytes()
    for part in parts { pickle.bytes += part.bytes }
    return try PyTorchFile(bytes: ZipBytes(pickle: pickle.bytes).bytes, name: "evil.pth")
  }
}
