import Base
import Tensors

/// A file that PyTorch's `torch.save` wrote (`.pth`, `.pt`, `.bin`, `.tar`), in either of its forms, or a snapshot of whole networks that
/// Python's own pickler wrote (`.pkl`), see `PickledModules`.
///
/// Its pickle is read as data. Nothing in it is executed, so a hostile file can do no more than be refused.
/// ```swift
/// let state = try PyTorchFile(at: "raft-things.pth").stateDictionary()   // the one dictionary of tensors in it
/// ```
/// - Source: PyTorch's `torch/serialization.py`; zip form since 1.6, the form before it since 0.1.10.
public struct PyTorchFile: Sendable {
  /// The bytes of one storage, the memory that tensors are views of.
  struct Storage: Sendable {
    let range: Range<Int>
    /// Elements, where the file says how many there are.
    let count: Int?
  }

  let bytes: [UInt8]
  /// The file's name, for errors.
  let name: String
  let pickle: Pickle
  /// By the keys that the pickle names them with.
  let storages: [String: Storage]
  /// The storages that stand inside a snapshot's own pickle, by the calls that would load them.
  let embedded: [Pickle.Reference: EmbeddedStorage]
  /// Whether this is a snapshot of networks.
  let isSnapshot: Bool

  /// Reads a file.
  /// - Throws: `.missingInput` or `.inputOutput` if it cannot be read, `.badData` if PyTorch did not write it, or it is damaged.
  public init(at path: String) throws { try self.init(bytes: File.bytes(at: path), name: path) }

  /// - Parameter name: the file's name, for errors.
  /// - Throws: `.badData` with the file and what is wrong with it.
  public init(bytes: [UInt8], name: String) throws {
    (self.bytes, self.name) = (bytes, name)
    isSnapshot = Self.isSnapshot(bytes)
    if bytes.starts(with: Self.zipMagic) {
      (pickle, storages) = try Self.readZip(bytes, name)
      embedded = [:]
    } else if bytes.starts(with: Self.legacyMagic) {
      (pickle, storages) = try Self.readLegacy(bytes, bytes.indices, name)
      embedded = [:]
    } else if isSnapshot {
      (pickle, storages, embedded) = try Self.readSnapshot(bytes, name)
    } else if Self.isTar(bytes) {
      throw Failure(.badData, at: name, "this is a tar archive, as PyTorch wrote them before version 0.1.10",
                    remedy: "If you trust it, load it with PyTorch and save it again: "
                      + "torch.save(torch.load(PATH, weights_only=False), NEW)")
    } else {
      let kind = FileKind(of: bytes)
      let isOther = kind.map { " but \($0.name)" } ?? ", or its beginning is cut off"
      throw Failure(.badData, at: name, "this is no file of torch.save\(isOther)", remedy: kind?.remedy ?? "")
    }
  }

  private static let zipMagic: [UInt8] = [0x50, 0x4B, 3, 4]
  /// A pickle of the number 0x1950A86A20F9469CFC6C.
  private static let legacyMagic: [UInt8] = [0x80, 2, 0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, 0x2E]

  private static func isTar(_ bytes: [UInt8]) -> Bool { bytes.count > 262 && bytes[257..<262].elementsEqual("ustar".utf8) }

  /// Whether a file that begins with these bytes is one for this reader, if only to explain why it cannot be read.
  public static func recognizes(_ bytes: [UInt8]) -> Bool {
    bytes.starts(with: zipMagic) || isSnapshot(bytes) || bytes.starts(with: legacyMagic.prefix(4)) || isTar(bytes)
  }

  /// A pickle that is none of the older form of torch.save.
  private static func isSnapshot(_ bytes: [UInt8]) -> Bool {
    FileKind(of: bytes)?.name == "a pickle of Python"
  }
}

// MARK: - The zip form

extension PyTorchFile {
  /// `<stem>/data.pkl`, and one member `<stem>/data/<key>` for each storage.
  private static func readZip(_ bytes: [UInt8], _ name: String) throws -> (Pickle, [String: Storage]) {
    let archive = try ZipArchive(bytes, file: name)
    let stem = archive.members.first?.name.split(separator: "/", omittingEmptySubsequences: false).first.map(String.init) ?? ""
    if archive["\(stem)/constants.pkl"] != nil {
      throw Failure(.badData, at: name, "this is a TorchScript archive: a program, not weights alone",
                    remedy: "In PyTorch: torch.save(torch.jit.load(PATH).state_dict(), NEW_PATH).")
    }
    guard let program = archive["\(stem)/data.pkl"] else {
      let weights = archive.members.first { ZipArchive.isWeightName($0.name) }
      throw Failure(.badData, at: name, "this zip archive holds no \(stem)/data.pkl; torch.save did not write it"
        + (weights.map { ", but it holds '\($0.name)'" } ?? ""), remedy: weights == nil ? "" : "Unpack it first: unzip FILE")
    }
    if let order = archive["\(stem)/byteorder"], !bytes[order.range].elementsEqual("little".utf8) {
      let found = String(decoding: bytes[order.range].prefix(16), as: UTF8.self)
      throw Failure(.badData, at: name, "the byte order is '\(found)', expected 'little'")
    }
    try archive.verify(program)
    var storages: [String: Storage] = [:]
    let prefix = "\(stem)/data/"
    for member in archive.members where member.name.hasPrefix(prefix) {
      try archive.verify(member)
      storages[String(member.name.dropFirst(prefix.count))] = Storage(range: member.range, count: nil)
    }
    return (try PickleReader.read(bytes, program.range, file: name), storages)
  }
}

// MARK: - The form before it

extension PyTorchFile {
  /// Five pickles: magic number, version, facts on the system, the object, the keys of the storages; then the storages, each with its
  /// number of elements before it.
  /// - Parameter range: where the file stands in the bytes.
  static func readLegacy(_ bytes: [UInt8], _ range: Range<Int>, _ name: String) throws -> (Pickle, [String: Storage]) {
    func failure(_ problem: String) -> Failure { Failure(.badData, at: name, problem) }
    guard bytes[range].starts(with: legacyMagic) else { throw failure("an embedded storage is no file of torch.save's older form") }
    var place = range.lowerBound + legacyMagic.count
    func next() throws -> Pickle {
      let pickle = try PickleReader.read(bytes, place..<range.upperBound, file: name)
      place = pickle.end
      return pickle
    }
    let version = try next()
    guard case .integer(1001) = version[version.root] else { throw failure("an unknown version of PyTorch's format, expected 1001") }
    let system = try next()
    guard case .bool(true)? = system.value(of: "little_endian", in: system.root) else {
      throw failure("the file was written on a big-endian machine")
    }
    let object = try next()
    let keys = try next()
    guard case .list = keys[keys.root] else { throw failure("there is no list of storages") }
    let sizes = try PickledTensors(object, file: name).elementSizes()
    var storages: [String: Storage] = [:]
    for reference in keys.elements[keys.root] ?? [] {
      guard case .text(let key) = keys[reference], let size = sizes[key] else {
        throw failure("the storage list names a storage that no tensor uses")
      }
      guard range.upperBound - place >= 8 else { throw failure("the storage '\(key)' is missing: the file is cut off") }
      let count = bytes.withUnsafeBytes { Int64(littleEndian: $0.loadUnaligned(fromByteOffset: place, as: Int64.self)) }
      place += 8
      guard count >= 0, count <= (range.upperBound - place) / size else {
        throw failure("the storage '\(key)' claims \(count) elements of \(size) bytes, \(range.upperBound - place) bytes are left; "
          + "the file is cut off or damaged")
      }
      let storage = Storage(range: place..<place + Int(count) * size, count: Int(count))
      guard storages.updateValue(storage, forKey: key) == nil else { throw failure("the storage '\(key)' stands there twice") }
      place = storage.range.upperBound
    }
    return (object, storages)
  }
}

extension Pickle {
  /// The value under a text in a dictionary, or in an object that stands for one.
  func value(of key: String, in reference: Reference) -> Node? {
    let items = items[reference] ?? []
    return stride(from: 0, to: items.count, by: 2).lazy.first {
      if case .text(key) = self[items[$0]] { true } else { false }
    }.map { self[items[$0 + 1]] }
  }
}
