import CKernels
import Testing

/// Products of bfloat16 parts against float64, on every back end of this machine.
@Suite struct SplitProductTests {
  static let depths = [3, 21, 24, 32, 82, 146, 246]

  /// Root mean squares of the errors: relative to each element's sum of magnitudes, and to the result as a whole.
  func errors(_ found: [Float], _ exact: [Double], _ magnitudes: [Double]) -> (scaled: Double, whole: Double, worst: Double) {
    var scaled = 0.0, error = 0.0, norm = 0.0, worst = found.count == exact.count ? 0 : Double.infinity
    for (value, (wanted, magnitude)) in zip(found, zip(exact, magnitudes)) {
      let difference = Double(value) - wanted
      scaled += difference * difference / (magnitude * magnitude)
      error += difference * difference
      norm += wanted * wanted
      worst = max(worst, difference.magnitude / magnitude)
    }
    return ((scaled / Double(found.count)).squareRoot(), (error / norm).squareRoot(), worst)
  }

  /// Three parts are as good as float32, two miss at most 3 2⁻¹⁶ of the sum of magnitudes, one at most 2⁻⁷.
  @Test(arguments: SplitBackend.available, SplitProductCase.Inputs.allCases)
  func errorsStayInBounds(_ backend: SplitBackend, _ inputs: SplitProductCase.Inputs) {
    for depth in Self.depths {
      for aRow in [depth + 5, (depth + 2) / 3] {  // the second as in a convolution over three neighbours
        let product = SplitProductCase(inputs, depth: depth, aRow: aRow, seed: UInt64(depth))
        let (exact, plain, magnitudes) = product.references()
        let (single, place) = (errors(plain, exact, magnitudes), "\(inputs), depth \(depth), rows \(aRow) apart")
        let three = errors(product.product(backend.kernels, parts: 3, rows: 50, columns: 32), exact, magnitudes)
        #expect(three.scaled <= 1.5 * single.scaled && three.whole <= 1.5 * single.whole, "\(place): \(three), float32 \(single)")
        let two = errors(product.product(backend.kernels, parts: 2, rows: 50, columns: 32), exact, magnitudes)
        #expect(two.worst <= 3 * 0x1p-16 && (inputs != .uniform || two.whole <= 6e-6), "\(place): \(two)")
        let one = errors(product.product(backend.kernels, parts: 1, rows: 50, columns: 32), exact, magnitudes)
        #expect(one.worst <= 0x1.01p-7 && (inputs != .uniform || one.whole <= 4e-3), "\(place): \(one)")
      }
    }
  }

  /// Cuts into rows and columns change no bit, write nothing beside the result and read nothing behind A's last row.
  @Test(arguments: SplitBackend.available)
  func cutsDoNotChangeTheResult(_ backend: SplitBackend) {
    for depth in Self.depths {
      for parts in 1...3 {
        let product = SplitProductCase(.uniform, depth: depth, aRow: (depth + 2) / 3, seed: 5)
        let whole = product.product(backend.kernels, parts: parts, rows: 50, columns: 32)
        for rows in [1, 15, 16, 17, 32, 33, 50] {
          for columns in [1, 2, 16, 17, 31, 32] {
            let found = product.product(backend.kernels, parts: parts, rows: rows, columns: columns)
            let expected = (50 - rows..<50).flatMap { whole[$0 * 32..<$0 * 32 + columns] }
            #expect(found == expected, "depth \(depth), \(parts) parts, \(rows) x \(columns)")
          }
        }
      }
    }
  }

  /// Adding adds the complete sum: one rounding.
  @Test(arguments: SplitBackend.available)
  func addsTheCompleteSum(_ backend: SplitBackend) {
    let product = SplitProductCase(.uniform, depth: 82, aRow: 28, seed: 6)
    for (rows, columns) in [(50, 32), (17, 16), (33, 5), (1, 1)] {
      let fresh = product.product(backend.kernels, parts: 3, rows: rows, columns: columns)
      let added = product.product(backend.kernels, parts: 3, rows: rows, columns: columns, adding: 3.25)
      #expect(fresh.count == rows * columns && added == fresh.map { 3.25 + $0 })
    }
  }

  /// An infinity or NaN makes its row not finite and leaves the others alone.
  @Test(arguments: SplitBackend.available, 1...3)
  func nonFiniteNumbersStayInTheirRows(_ backend: SplitBackend, parts: Int) {
    let (rows, columns, depth) = (19, 20, 40)
    var numbers = Numbers(seed: 8)
    var a: [Float] = numbers.reals(rows * 64)
    let b: [Float] = (0..<depth * columns).map { _ in 1.25 + numbers.real(0.5) }
    let clean = matrixProduct(backend.kernels, a, b, rows, columns, depth, parts)
    (a[2 * 64 + 1], a[5 * 64 + 33], a[18 * 64]) = (.infinity, .nan, -.infinity)
    let found = matrixProduct(backend.kernels, a, b, rows, columns, depth, parts)
    for row in 0..<rows {
      for column in 0..<columns {
        let value = found[row * columns + column]
        #expect([2, 5, 18].contains(row) ? !value.isFinite : value == clean[row * columns + column])
      }
    }
  }

  /// a [rows, 64] b [depth, columns] through packing from b's transpose, depth at most 64.
  func matrixProduct(
    _ kernels: apus_split_kernels, _ a: [Float], _ b: [Float], _ rows: Int, _ columns: Int, _ depth: Int, _ parts: Int
  ) -> [Float] {
    var planes = [UInt16](repeating: 0, count: parts * a.count)
    var split = apus_split_rows(
      rows: rows, columns: depth, width: 64, x_row: 64, y_row: 64, y_plane: a.count, parts: Int32(parts))
    kernels.split(&split, a, &planes)
    let transposed = (0..<columns * depth).map { b[$0 % depth * columns + $0 / depth] }
    var packing = apus_split_panels(taps: 1, depth: depth, columns: columns, tap: 0, row: depth, parts: Int32(parts))
    var panel = [UInt16](repeating: 0, count: apus_split_panel_size(1, depth, Int32(parts)))
    kernels.pack_transposed(&packing, transposed, &panel)
    var c = [Float](repeating: 0, count: rows * columns)
    [0].withUnsafeBufferPointer { taps in
      var options = apus_split_product(
        rows: rows, columns: columns, depth: depth, taps: 1, tap_offsets: taps.baseAddress, a_row: 64, a_plane: a.count, c_row: columns,
        parts: Int32(parts), adds: 0)
      kernels.tiles_begin()
      kernels.product(&options, planes, panel, &c)
      kernels.tiles_end()
    }
    return c
  }

  @Test func missingBackendsAreNil() {
    #expect(apus_split_kernels_of(APUS_SPLIT_PORTABLE) != nil)
    #expect((apus_split_kernels_of(APUS_SPLIT_AMX) != nil) == (apus_tiles_permitted() == 1))
  }
}
