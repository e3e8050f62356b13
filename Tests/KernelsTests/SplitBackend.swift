import CKernels

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The back ends of split products; tests run on those this machine has.
enum SplitBackend: String, CaseIterable, Sendable {
  case amx, avx512BF16, portable, emulated

  static let available = allCases.filter { apus_split_kernels_of($0.code) != nil }

  var code: apus_split_backend {
    switch self {
    case .amx: APUS_SPLIT_AMX
    case .avx512BF16: APUS_SPLIT_AVX512_BF16
    case .portable: APUS_SPLIT_PORTABLE
    case .emulated: APUS_SPLIT_AMX_EMULATED
    }
  }

  var kernels: apus_split_kernels {
    guard let kernels = apus_split_kernels_of(code) else { fatalError("no split products for \(self), though they are available") }
    return kernels.pointee
  }
}

/// Elements that end where readable memory ends: reading one more is a fault.
final class GuardedElements {
  let elements: UnsafeMutableBufferPointer<UInt16>
  private let base: UnsafeMutableRawPointer
  private let size: Int

  init(_ values: [UInt16]) {
    let page = Int(sysconf(Int32(_SC_PAGESIZE))), bytes = 2 * values.count, readable = (bytes + page - 1) / page * page
    size = readable + page
    guard let memory = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), memory != MAP_FAILED,
      mprotect(memory + readable, page, PROT_NONE) == 0
    else { fatalError("no memory for a guarded page") }
    base = memory
    let start = (memory + readable - bytes).bindMemory(to: UInt16.self, capacity: values.count)
    elements = UnsafeMutableBufferPointer(start: start, count: values.count)
    _ = elements.initialize(from: values)
  }

  deinit { munmap(base, size) }
}

/// One split product: flat A read at overlapping rows and taps, B per tap, and its exact and its plain float32 result.
struct SplitProductCase {
  enum Inputs: CaseIterable { case uniform, badlyScaled, cancelling }

  let rows = 50, columns = 32
  let depth: Int, aRow: Int
  let taps = [3, 0, 3]
  let a: [Float], b: [Float]

  var roundedDepth: Int { (depth + 31) / 32 * 32 }
  /// Elements of A that the product may read.
  var extent: Int { (rows - 1) * aRow + 3 + roundedDepth }

  init(_ inputs: Inputs, depth: Int, aRow: Int, seed: UInt64) {
    var numbers = Numbers(seed: seed)
    (self.depth, self.aRow) = (depth, aRow)
    let count = (rows - 1) * aRow + 3 + (depth + 31) / 32 * 32
    func scaled(_ x: Float) -> Float {
      inputs == .badlyScaled ? x * Float(sign: .plus, exponent: numbers.whole(below: 31) - 15, significand: 1) : x
    }
    a = (0..<count).map { _ in scaled(numbers.real(1)) }
    var b: [Float] = (0..<3 * depth * columns).map { _ in scaled(numbers.real(1)) }
    if inputs == .badlyScaled {  // columns over twelve powers of ten
      for index in b.indices { b[index] *= [1e-6, 1e-3, 1, 1e3, 1e6][index % columns % 5] }
    }
    if inputs == .cancelling {  // the third tap reads what the first reads and takes nearly all of it away
      for index in 0..<depth * columns { b[2 * depth * columns + index] = -b[index] * (1 + numbers.real(1) / 4096) }
    }
    self.b = b
  }

  /// Results in [rows, columns]: in float64, in float32 term by term, and the sum of magnitudes.
  func references() -> (exact: [Double], plain: [Float], magnitudes: [Double]) {
    var exact: [Double] = [], plain: [Float] = [], magnitudes: [Double] = []
    for row in 0..<rows {
      for column in 0..<columns {
        var sum = 0.0, single: Float = 0, magnitude = 0.0
        for (tap, offset) in taps.enumerated() {
          for k in 0..<depth {
            let (x, w) = (a[row * aRow + offset + k], b[(tap * depth + k) * columns + column])
            sum += Double(x) * Double(w)
            single += x * w
            magnitude += (Double(x) * Double(w)).magnitude
          }
        }
        exact.append(sum)
        plain.append(single)
        magnitudes.append(magnitude)
      }
    }
    return (exact, plain, magnitudes)
  }

  /// The last `rows` rows and first `columns` columns of the product, added to `initial`; checks that nothing else is written.
  func product(_ kernels: apus_split_kernels, parts: Int, rows: Int, columns: Int, adding initial: Float? = nil) -> [Float] {
    var planes = [UInt16](repeating: 0, count: parts * a.count)
    var split = apus_split_rows(
      rows: 1, columns: a.count, width: a.count, x_row: a.count, y_row: a.count, y_plane: a.count, parts: Int32(parts))
    kernels.split(&split, a, &planes)
    let guarded = GuardedElements(planes)
    var packing = apus_split_panels(
      taps: taps.count, depth: depth, columns: columns, tap: depth * self.columns, row: self.columns, parts: Int32(parts))
    var panel = [UInt16](repeating: 0, count: apus_split_panel_size(taps.count, depth, Int32(parts)))
    kernels.pack(&packing, b, &panel)
    let stride = columns + 3
    var c = [Float](repeating: initial ?? -7, count: rows * stride)
    taps.withUnsafeBufferPointer { taps in
      var options = apus_split_product(
        rows: rows, columns: columns, depth: depth, taps: taps.count, tap_offsets: taps.baseAddress, a_row: aRow, a_plane: a.count,
        c_row: stride, parts: Int32(parts), adds: initial == nil ? 0 : 1)
      let from = guarded.elements.baseAddress.map { $0 + (self.rows - rows) * aRow }
      kernels.tiles_begin()
      for _ in 0..<2 {  // the second call must find the tiles as the first did
        c = [Float](repeating: initial ?? -7, count: c.count)
        kernels.product(&options, from, panel, &c)
      }
      kernels.tiles_end()
    }
    var result: [Float] = []
    for row in 0..<rows {
      result += c[row * stride..<row * stride + columns]
      guard c[row * stride + columns..<(row + 1) * stride].allSatisfy({ $0 == initial ?? -7 }) else { return [] }
    }
    return result
  }
}
