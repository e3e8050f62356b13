import Base
import Tensors

/// The table of contents of a zip archive whose members are stored as they are. Nothing in it is believed before it is checked.
///
/// - Source: PKWARE's APPNOTE 6.3.10, sections 4.3 and 4.5.3. The central directory at the end counts; local headers may leave sizes out.
struct ZipArchive {
  struct Member {
    let name: String
    /// The range of its bytes in the file.
    let range: Range<Int>
    /// CRC-32; 0 if the writer left it out.
    let checksum: UInt32
  }

  let members: [Member]
  private let places: [String: Int]
  private let bytes: [UInt8]
  private let file: String

  /// Whether a member is a file of weights of its own, as in the archives that authors offer.
  static func isWeightName(_ name: String) -> Bool {
    [".pth", ".pt", ".safetensors", ".ckpt"].contains { name.lowercased().hasSuffix($0) }
  }

  subscript(name: String) -> Member? { places[name].map { members[$0] } }

  /// - Throws: `.badData` if this is no such archive.
  init(_ bytes: [UInt8], file: String) throws {
    (self.bytes, self.file) = (bytes, file)
    let fields = ZipFields(bytes: bytes, file: file)
    let directory = try fields.directory()
    var members: [Member] = []
    var places: [String: Int] = [:]
    var place = directory.range.lowerBound
    var starts: [Int] = []
    for _ in 0..<directory.count {
      let entry = try fields.entry(at: &place, directory.range)
      guard places.updateValue(members.count, forKey: entry.name) == nil else {
        throw fields.failure("the member '\(entry.name)' stands there twice")
      }
      let start = try fields.dataStart(of: entry)
      guard entry.size <= directory.range.lowerBound - start else {
        throw fields.failure("the member '\(entry.name)' of \(entry.size) bytes at byte \(start) reaches into the table of contents")
      }
      starts.append(entry.header)
      members.append(Member(name: entry.name, range: start..<start + entry.size, checksum: entry.checksum))
    }
    guard place == directory.range.upperBound else {
      throw fields.failure("the table of contents is longer than its \(directory.count) entries")
    }
    let order = starts.indices.sorted { starts[$0] < starts[$1] }
    for (a, b) in zip(order, order.dropFirst()) where members[a].range.upperBound > starts[b] {
      throw fields.failure("the members '\(members[a].name)' and '\(members[b].name)' overlap")
    }
    (self.members, self.places) = (members, places)
  }

  /// Compares a member's bytes with its checksum.
  /// - Throws: `.badData` if they differ.
  func verify(_ member: Member) throws {
    guard member.checksum != 0 else { return }
    var checksum = CyclicChecksum(.ieee)
    bytes.withUnsafeBytes { checksum.update(UnsafeRawBufferPointer(rebasing: $0[member.range])) }
    guard checksum.value == member.checksum else {
      throw Failure(.badData, at: file, "the member '\(member.name)' is damaged: its CRC-32 differs from the archive's",
                    remedy: "Copy or download the file again.")
    }
  }
}

/// The fields of a zip archive, each read within its bounds.
private struct ZipFields {
  struct Entry {
    let name: String
    let size: Int
    /// Offset of the local header.
    let header: Int
    let checksum: UInt32
  }

  let bytes: [UInt8]
  let file: String

  func failure(_ problem: String) -> Failure {
    Failure(.badData, at: file, "zip archive: \(problem)", remedy: "The file is cut off, damaged, or not written by torch.save.")
  }

  /// A number of `size` bytes, little-endian.
  private func number(_ place: Int, _ size: Int) throws -> Int {
    guard place >= 0, size <= bytes.count - place else { throw failure("a field at byte \(place) lies outside of the file") }
    let value = (0..<size).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64(bytes[place + $1]) }
    guard let number = Int(exactly: value) else { throw failure("the number \(value) at byte \(place) is too large") }
    return number
  }

  private func isEndRecord(at place: Int) -> Bool {
    guard bytes[place..<place + 4].elementsEqual([0x50, 0x4B, 5, 6]) else { return false }
    return place + 22 + Int(bytes[place + 20]) + 256 * Int(bytes[place + 21]) == bytes.count
  }

  /// Offset of the table of contents, and the number of its entries.
  func directory() throws -> (range: Range<Int>, count: Int) {
    // The end record is the last thing in the file but for a comment of at most 65,535 bytes, whose length it tells.
    let latest = bytes.count - 22
    let end = stride(from: latest, through: max(0, latest - 0xFFFF), by: -1).first { isEndRecord(at: $0) }
    guard let end else { throw failure("there is no table of contents at its end") }
    var (disk, count, size, offset) = try (number(end + 4, 2), number(end + 10, 2), number(end + 12, 4), number(end + 16, 4))
    var bound = end
    if end >= 20, try number(end - 20, 4) == 0x0706_4B50 {  // the 64-bit form of the same record stands before it
      let wide = try number(end - 12, 8)
      guard wide <= end - 20 - 56, try number(wide, 4) == 0x0606_4B50 else {
        throw failure("the 64-bit end record is not where it is said to be")
      }
      (disk, count, size, offset) = try (number(wide + 16, 4), number(wide + 32, 8), number(wide + 40, 8), number(wide + 48, 8))
      bound = wide
    }
    guard disk == 0 else { throw failure("it is one part of several") }
    guard offset <= bound, size <= bound - offset else {
      throw failure("the table of contents (\(size) bytes at byte \(offset)) does not lie before byte \(bound)")
    }
    guard count <= size / 46 else { throw failure("\(count) members do not fit into a table of contents of \(size) bytes") }
    return (offset..<offset + size, count)
  }

  /// One entry of the table of contents; `place` moves on to the next.
  func entry(at place: inout Int, _ directory: Range<Int>) throws -> Entry {
    guard directory.upperBound - place >= 46, try number(place, 4) == 0x0201_4B50 else {
      throw failure("byte \(place) is no entry of a table of contents")
    }
    let (flags, method, checksum) = try (number(place + 8, 2), number(place + 10, 2), number(place + 16, 4))
    var (packed, size, header) = try (number(place + 20, 4), number(place + 24, 4), number(place + 42, 4))
    let (nameLength, extraLength, commentLength) = try (number(place + 28, 2), number(place + 30, 2), number(place + 32, 2))
    guard nameLength + extraLength + commentLength <= directory.upperBound - place - 46 else {
      throw failure("an entry of the table of contents is cut off")
    }
    let nameEnd = place + 46 + nameLength
    guard let name = String(validating: bytes[place + 46..<nameEnd], as: UTF8.self), !name.isEmpty else {
      throw failure("the name of a member is not UTF-8")
    }
    guard !name.hasPrefix("/"), !name.contains("\\"), !name.split(separator: "/").contains("..") else {
      throw failure("the member '\(name)' leads out of the archive")
    }
    try widen(&size, &packed, &header, nameEnd..<nameEnd + extraLength, name)
    guard flags & 1 == 0 else { throw failure("the member '\(name)' is encrypted") }
    guard method == 0 || !ZipArchive.isWeightName(name) else {
      throw Failure(.badData, at: file, "this is a zip archive with '\(name)' in it", remedy: "Unpack it first: unzip FILE")
    }
    guard method == 0 else {
      let problem = "the member '\(name)' is compressed (method \(method)); PyTorch stores members as they are"
      throw Failure(.badData, at: file, "zip archive: \(problem)",
                    remedy: "Unpack it and pack it again without compression (zip -0 -r), or load and save it with PyTorch.")
    }
    guard packed == size else { throw failure("the stored member '\(name)' has two sizes: \(packed) and \(size) bytes") }
    place = nameEnd + extraLength + commentLength
    return Entry(name: name, size: size, header: header, checksum: UInt32(checksum))
  }

  /// Numbers that do not fit into 32 bits stand in an extra field, in this order.
  private func widen(_ size: inout Int, _ packed: inout Int, _ header: inout Int, _ extra: Range<Int>, _ name: String) throws {
    guard [size, packed, header].contains(0xFFFF_FFFF) else { return }
    var place = extra.lowerBound
    while extra.upperBound - place >= 4 {
      let (kind, length) = try (number(place, 2), number(place + 2, 2))
      place += 4
      guard length <= extra.upperBound - place else { break }
      if kind == 1 {
        let end = place + length
        func next(_ field: inout Int) throws {
          guard field == 0xFFFF_FFFF else { return }
          guard end - place >= 8 else { throw failure("the 64-bit sizes of the member '\(name)' are cut off") }
          field = try number(place, 8)
          place += 8
        }
        try next(&size)
        try next(&packed)
        return try next(&header)
      }
      place += length
    }
    throw failure("the 64-bit sizes of the member '\(name)' are missing")
  }

  /// Offset of a member's bytes: behind its local header, whose extra field has a length of its own.
  func dataStart(of entry: Entry) throws -> Int {
    let header = entry.header
    guard header <= bytes.count - 30, try number(header, 4) == 0x0403_4B50 else {
      throw failure("the member '\(entry.name)' does not begin at byte \(header), where it is said to")
    }
    let (nameLength, extraLength) = try (number(header + 26, 2), number(header + 28, 2))
    guard nameLength == entry.name.utf8.count, nameLength + extraLength <= bytes.count - header - 30,
          bytes[header + 30..<header + 30 + nameLength].elementsEqual(entry.name.utf8) else {
      throw failure("the member at byte \(header) has another name than '\(entry.name)'")
    }
    return header + 30 + nameLength + extraLength
  }
}
