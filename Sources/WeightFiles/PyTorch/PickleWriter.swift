import Tensors

/// Writes the pickle of a dictionary of tensors as Python's own pickler would: protocol 2, every value remembered once.
struct PickleWriter {
  /// One tensor that fills its storage.
  struct Item {
    let name: String
    /// Several tensors may share a storage.
    let storage: String
    let type: ElementType
    let shape: [Int]

    var count: Int { shape.reduce(1, *) }
  }

  private(set) var bytes: [UInt8] = [0x80, 2]
  private var remembered: [String: Int] = [:]
  private var rememberedCount = 0

  init(_ items: [Item]) {
    global("collections", "OrderedDict")
    bytes += ")R".utf8
    remember()
    for start in stride(from: 0, to: items.count, by: 1000) {  // the pickler's batches
      let batch = items[start..<min(start + 1000, items.count)]
      if batch.count > 1 { bytes += "(".utf8 }
      for item in batch { write(item) }
      bytes += batch.count > 1 ? "u".utf8 : "s".utf8
    }
    bytes += ".".utf8
  }

  /// `_rebuild_tensor_v2(storage, 0, shape, strides, False, OrderedDict())`.
  private mutating func write(_ item: Item) {
    text(item.name)
    remember()
    global("torch._utils", "_rebuild_tensor_v2")
    bytes += "((".utf8
    sharedText("storage")
    global("torch", item.type.torchStorage)
    sharedText(item.storage, as: "key \(item.storage)")
    sharedText("cpu")
    integer(item.count)
    bytes += "t".utf8
    remember()
    bytes += "Q".utf8
    integer(0)
    tuple(item.shape)
    var strides: [Int] = []
    var stride = 1
    for length in item.shape.reversed() {
      strides.append(stride)
      stride *= max(length, 1)
    }
    tuple(strides.reversed())
    bytes.append(0x89)
    global("collections", "OrderedDict")
    bytes += ")R".utf8
    remember()
    bytes += "t".utf8
    remember()
    bytes += "R".utf8
    remember()
  }

  // MARK: Values

  private mutating func global(_ module: String, _ name: String) {
    shared("\(module).\(name)") { $0 += "c\(module)\n\(name)\n".utf8 }
  }

  private mutating func sharedText(_ value: String, as key: String? = nil) {
    shared("text \(key ?? value)") { bytes in
      bytes += "X".utf8
      bytes += littleEndian(UInt32(value.utf8.count))
      bytes += value.utf8
    }
  }

  private mutating func text(_ value: String) {
    bytes += "X".utf8
    bytes += littleEndian(UInt32(value.utf8.count))
    bytes += value.utf8
  }

  private mutating func integer(_ value: Int) {
    switch value {
    case 0...0xFF: bytes += [UInt8(ascii: "K"), UInt8(value)]
    case 0x100...0xFFFF: bytes += [UInt8(ascii: "M")] + littleEndian(UInt16(value))
    case 0x10000...0x7FFF_FFFF: bytes += [UInt8(ascii: "J")] + littleEndian(UInt32(value))
    default:  // as few bytes as two's complement allows
      let count = (64 - value.leadingZeroBitCount) / 8 + 1
      bytes += [0x8A, UInt8(count)] + littleEndian(UInt64(value)).prefix(count)
    }
  }

  private mutating func tuple(_ values: [Int]) {
    if values.isEmpty {
      bytes += ")".utf8
      return
    }
    if values.count > 3 { bytes += "(".utf8 }
    for value in values { integer(value) }
    bytes.append(values.count > 3 ? UInt8(ascii: "t") : 0x84 + UInt8(values.count))
    remember()
  }

  // MARK: Memory

  /// The value on top of the stack gets the next number.
  private mutating func remember() {
    let isShort = rememberedCount < 256
    bytes += isShort ? [UInt8(ascii: "q"), UInt8(rememberedCount)] : [UInt8(ascii: "r")] + littleEndian(UInt32(rememberedCount))
    rememberedCount += 1
  }

  /// Writes a value the first time, and recalls it from then on.
  private mutating func shared(_ key: String, _ write: (inout [UInt8]) -> Void) {
    if let number = remembered[key] {
      bytes += number < 256 ? [UInt8(ascii: "h"), UInt8(number)] : [UInt8(ascii: "j")] + littleEndian(UInt32(number))
      return
    }
    write(&bytes)
    remembered[key] = rememberedCount
    remember()
  }
}

/// The bytes of a number, lowest first.
func littleEndian(_ value: some FixedWidthInteger) -> [UInt8] { withUnsafeBytes(of: value.littleEndian) { Array($0) } }
