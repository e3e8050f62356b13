import CKernels

/// The instruction sets a table can be compiled for; tests run on those this processor has.
enum InstructionSet: String, CaseIterable, Sendable {
  case portable, avx2, avx512

  static let available = allCases.filter { $0.isa.rawValue <= apus_best_isa().rawValue }

  var isa: apus_isa {
    switch self {
    case .portable: APUS_PORTABLE
    case .avx2: APUS_AVX2
    case .avx512: APUS_AVX512
    }
  }
}

/// The element type of a table.
protocol Real: BinaryFloatingPoint, BitwiseCopyable, Sendable {
  static func table(_ set: InstructionSet) -> apus_kernels
}

extension Float: Real {
  static func table(_ set: InstructionSet) -> apus_kernels {
    guard let table = apus_kernels_float32(set.isa) else { fatalError("no float32 table for \(set), though the processor has it") }
    return table.pointee
  }
}

extension Double: Real {
  static func table(_ set: InstructionSet) -> apus_kernels {
    guard let table = apus_kernels_float64(set.isa) else { fatalError("no float64 table for \(set), though the processor has it") }
    return table.pointee
  }
}

/// Reproducible inputs: the same numbers in both precisions, because each is a multiple of 2⁻²⁰ below 4.
struct Numbers {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  /// SplitMix64 (Steele, Lea, Flood 2014).
  private mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// A whole number below `bound`.
  mutating func whole(below bound: Int) -> Int { Int(next() % UInt64(bound)) }

  /// A number in [-scale, scale).
  mutating func real<T: Real>(_ scale: T = 2) -> T { T(Int64(next() >> 43) - (1 << 20)) / T(1 << 20) * scale }

  mutating func reals<T: Real>(_ count: Int, scale: T = 2) -> [T] { (0..<count).map { _ in real(scale) } }
}

/// Where two results differ most, in units of the last place of max(|expected|, floor).
struct Deviation: CustomStringConvertible {
  var ulps = 0.0
  var description = "equal"

  init<T: Real>(_ found: [T], _ expected: [Double], floor: Double = 1) {
    guard found.count == expected.count else {
      (ulps, description) = (.infinity, "\(found.count) elements instead of \(expected.count)")
      return
    }
    for (index, (value, wanted)) in zip(found, expected).enumerated() {
      let value = Double(value)
      if value == wanted || (value.isNaN && wanted.isNaN) { continue }
      let unit = max(wanted.magnitude, floor) * Double(T.ulpOfOne)
      let distance = value.isFinite && wanted.isFinite ? (value - wanted).magnitude / unit : .infinity
      if distance > ulps { (ulps, description) = (distance, "at \(index): \(value) instead of \(wanted), \(distance) ulp") }
    }
  }
}
