import Tensors

/// The number formats of the weight files that we read; the raw values are those of safetensors, the cases' names PyTorch's.
public enum ElementType: String, Sendable, CaseIterable {
  case bool = "BOOL", uint8 = "U8", int8 = "I8", int16 = "I16", int32 = "I32", int64 = "I64"
  case float16 = "F16", bfloat16 = "BF16", float32 = "F32", float64 = "F64"

  /// Bytes of one element.
  public var size: Int {
    switch self {
    case .bool, .uint8, .int8: 1
    case .int16, .float16, .bfloat16: 2
    case .int32, .float32: 4
    case .int64, .float64: 8
    }
  }
}

extension Safetensors.Entry {
  /// Reads elements that lie in `bytes`, row-major and little-endian.
  init(_ name: String, type: ElementType, shape: [Int], bytes: UnsafeRawBufferPointer) {
    func each<Number>(_ type: Number.Type, _ value: (Number) -> Float) -> Values {
      let size = MemoryLayout<Number>.size
      return .real(Tensor((0..<bytes.count / size).map { value(bytes.loadUnaligned(fromByteOffset: $0 * size, as: type)) }, shape: shape))
    }
    let values: Values = switch type {
    case .float32: .real(Tensor(bytes: bytes, shape: shape, precision: .float32))
    case .float64: .real(Tensor(bytes: bytes, shape: shape, precision: .float64))
    case .int64: .integers((0..<bytes.count / 8).map { bytes.loadUnaligned(fromByteOffset: $0 * 8, as: Int64.self) })
    case .bool: each(UInt8.self) { $0 == 0 ? 0 : 1 }
    case .uint8: each(UInt8.self) { Float($0) }
    case .int8: each(Int8.self) { Float($0) }
    case .int16: each(Int16.self) { Float($0) }
    case .int32: each(Int32.self) { Float($0) }
    case .float16: each(UInt16.self, Self.widened)
    case .bfloat16: each(UInt16.self) { Float(bitPattern: UInt32($0) << 16) }
    }
    self.init(name: name, shape: shape, values: values, sourceType: type)
  }

  /// The number whose IEEE half-precision bits these are. Spelled out, because `Float16` does not exist on every platform.
  private static func widened(_ bits: UInt16) -> Float {
    let exponent = Int(bits >> 10 & 0x1F)
    let fraction = Float(bits & 0x3FF)
    let size: Float = switch exponent {
    case 0: fraction * 0x1p-24
    case 31: fraction == 0 ? .infinity : .nan
    default: Float(sign: .plus, exponent: exponent - 15, significand: 1 + fraction * 0x1p-10)
    }
    return bits >> 15 == 0 ? size : -size
  }
}
