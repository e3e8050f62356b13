import CKernels
import Testing

/// The parts of float32 numbers and their layouts, the same bits on every back end.
@Suite struct SplitConversionTests {
  static let special: [Float] = [
    0, -0.0, 1, -1, .infinity, -.infinity, .nan, -.nan, Float(nan: 1, signaling: true), .greatestFiniteMagnitude,
    -.greatestFiniteMagnitude, .leastNormalMagnitude, -.leastNormalMagnitude, .leastNonzeroMagnitude, 1e-38, 3e-36,
    -Float(bitPattern: 0x0001_1111), Float(bitPattern: 0x7f7f_0000), Float(bitPattern: 0x7f7f_7fff),
    Float(bitPattern: 0x7f7f_8000), Float(bitPattern: 0xff7f_8001), Float(bitPattern: 0x3f80_8000),
    Float(bitPattern: 0x3f81_8000), Float(bitPattern: 0x3f80_8001), Float(bitPattern: 0x007f_ffff),
  ]

  /// Numbers of every exponent, and the special ones.
  static func inputs(_ count: Int) -> [Float] {
    var numbers = Numbers(seed: 31)
    return (0..<count).map { index in
      index % 7 == 3 ? special[index / 7 % special.count] : Float(bitPattern: UInt32(numbers.whole(below: 1 << 32)))
    }
  }

  func widened(_ part: UInt16) -> Float { Float(bitPattern: UInt32(part) << 16) }

  /// The three parts by their definition.
  func parts(_ x: Float) -> [UInt16] {
    guard x.isFinite else { return [UInt16(x.bitPattern >> 16) | (x.isNaN ? 0x40 : 0), 0, 0] }
    var rest = x
    return (0..<3).map { _ in
      var bits = rest.magnitude.bitPattern
      bits = bits < 0x0080_0000 ? 0 : min((bits + 0x7fff + bits >> 16 & 1) >> 16, 0x7f7f)
      let part = UInt16(bits) | (rest.sign == .minus ? 0x8000 : 0)
      rest -= widened(part)
      return part
    }
  }

  @Test(arguments: SplitBackend.available, [1, 2, 3])
  func rowsSplitByDefinition(_ backend: SplitBackend, count: Int) {
    for (rows, columns, width, xRow, yRow) in [(1, 2000, 2000, 2000, 2000), (40, 50, 50, 50, 50), (7, 3, 32, 5, 32), (5, 33, 40, 33, 41)] {
      let x = Self.inputs(rows * xRow), plane = rows * yRow + 9
      var y = [UInt16](repeating: 0xabcd, count: count * plane), expected = y
      var options = apus_split_rows(rows: rows, columns: columns, width: width, x_row: xRow, y_row: yRow, y_plane: plane, parts: Int32(count))
      backend.kernels.split(&options, x, &y)
      for row in 0..<rows {
        for column in 0..<width {
          let values = column < columns ? parts(x[row * xRow + column]) : [0, 0, 0]
          for part in 0..<count { expected[part * plane + row * yRow + column] = values[part] }
        }
      }
      #expect(y == expected, "\(rows) x \(columns)")
    }
  }

  @Test(arguments: SplitBackend.available, [1, 2, 3])
  func transposedRowsSplitByDefinition(_ backend: SplitBackend, count: Int) {
    for (rows, columns, width) in [(1, 1, 1), (15, 33, 32), (128, 16, 128), (129, 17, 300), (300, 5, 301), (256, 20, 512), (0, 4, 40)] {
      let xRow = columns + 2, yRow = width + 3, plane = columns * yRow
      let x = Self.inputs(rows * xRow)
      var y = [UInt16](repeating: 0xabcd, count: count * plane), expected = y
      var options = apus_split_rows(rows: rows, columns: columns, width: width, x_row: xRow, y_row: yRow, y_plane: plane, parts: Int32(count))
      backend.kernels.split_transposed(&options, x, &y)
      for column in 0..<columns {
        for row in 0..<width {
          let values = row < rows ? parts(x[row * xRow + column]) : [0, 0, 0]
          for part in 0..<count { expected[part * plane + column * yRow + row] = values[part] }
        }
      }
      #expect(y == expected, "\(rows) x \(columns), filled to \(width)")
    }
  }

  /// Both ways of packing, from the documented layout, with taps in reverse order too.
  @Test(arguments: SplitBackend.available, [1, 2, 3])
  func panelsFollowTheirLayout(_ backend: SplitBackend, count: Int) {
    for (taps, depth, columns) in [(1, 1, 1), (2, 3, 17), (3, 32, 32), (2, 33, 40), (1, 82, 64), (1, 31, 100)] {
      let b = Self.inputs(taps * depth * columns), blocks = (depth + 31) / 32, panels = (columns + 31) / 32
      let transposed = (0..<b.count).map { index in
        let (tap, n, k) = (index / (depth * columns), index / depth % columns, index % depth)
        return b[(tap * depth + k) * columns + n]
      }
      let size = apus_split_panel_size(taps, depth, Int32(count)), total = panels * size
      #expect(size == taps * blocks * count * 1024)
      var expected = [UInt16](repeating: 0, count: total)
      for index in 0..<b.count {
        let (tap, k, n) = (index / (depth * columns), index / columns % depth, index % columns)
        let block = ((n / 32 * taps + taps - 1 - tap) * blocks + k / 32) * count  // taps reversed
        let place = ((n % 32 / 16 * 16 + k % 32 / 2) * 16 + n % 16) * 2 + k % 2
        for (part, value) in parts(b[index]).prefix(count).enumerated() { expected[(block + part) * 1024 + place] = value }
      }
      var y = [UInt16](repeating: 0xabcd, count: total + 1), z = y
      let last = (taps - 1) * depth * columns
      var options = apus_split_panels(taps: taps, depth: depth, columns: columns, tap: -depth * columns, row: columns, parts: Int32(count))
      b.withUnsafeBufferPointer { backend.kernels.pack(&options, $0.baseAddress.map { $0 + last }, &y) }
      options.row = depth
      transposed.withUnsafeBufferPointer { backend.kernels.pack_transposed(&options, $0.baseAddress.map { $0 + last }, &z) }
      #expect(y == expected + [0xabcd] && z == y, "\(taps) taps, \(depth) x \(columns)")
    }
  }

  /// Three parts hold all 24 bits, unless the last one would be below the smallest normal number.
  @Test(arguments: SplitBackend.available)
  func threePartsAreExact(_ backend: SplitBackend) {
    let x = Self.inputs(5000).filter { $0.isFinite && $0.magnitude > 1e-30 }
    var y = [UInt16](repeating: 0, count: 3 * x.count)
    var options = apus_split_rows(rows: 1, columns: x.count, width: x.count, x_row: x.count, y_row: x.count, y_plane: x.count, parts: 3)
    backend.kernels.split(&options, x, &y)
    #expect(x.indices.allSatisfy { i in Double(x[i]) == (0..<3).reduce(0.0) { $0 + Double(widened(y[$1 * x.count + i])) } })
  }
}
