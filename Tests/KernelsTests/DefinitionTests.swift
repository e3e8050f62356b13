import CKernels
import Testing

/// The portable float64 loops against their definitions, written out element by element, and each gradient against its forward.
@Suite struct DefinitionTests {
  let table = Double.table(.portable)

  func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }

  /// One bilinear sample of [height, width], zero outside.
  func sample(_ plane: ArraySlice<Double>, _ height: Int, _ width: Int, _ x: Double, _ y: Double) -> Double {
    let (left, top) = (Int(x.rounded(.down)), Int(y.rounded(.down)))
    var sum = 0.0
    for (column, row) in [(left, top), (left + 1, top), (left, top + 1), (left + 1, top + 1)]
    where column >= 0 && column < width && row >= 0 && row < height {
      sum += (1 - abs(x - Double(column))) * (1 - abs(y - Double(row))) * plane[plane.startIndex + row * width + column]
    }
    return sum
  }

  @Test(arguments: [0, 3, 4, 17])
  func lookupSamplesItsWindow(radius: Int) {
    let (queries, height, width, side) = (9, 11, 13, 2 * radius + 1)
    var numbers = Numbers(seed: 21)
    let volume: [Double] = numbers.reals(queries * height * width), centres: [Double] = numbers.reals(2 * queries, scale: 40)
    var y = [Double](repeating: 0, count: queries * side * side)
    table.lookup(volume, centres, 0.5, queries, height, width, Int32(radius), side * side, &y)
    var expected: [Double] = []
    for query in 0..<queries {
      let plane = volume[query * height * width..<(query + 1) * height * width]
      for ox in -radius...radius {
        for oy in -radius...radius {
          expected.append(sample(plane, height, width, centres[2 * query] / 2 + Double(ox), centres[2 * query + 1] / 2 + Double(oy)))
        }
      }
    }
    #expect(Deviation(y, expected).ulps <= 16)

    let dy: [Double] = numbers.reals(y.count)
    var gradient = [Double](repeating: 0, count: volume.count)
    table.lookup_backward(dy, side * side, centres, 0.5, queries, height, width, Int32(radius), &gradient)
    #expect(abs(dot(dy, y) - dot(gradient, volume)) < 1e-10)
  }

  @Test(arguments: InstructionSet.available)
  func lookupSurvivesWildCentres(_ set: InstructionSet) {
    let centres: [Float] = [1e30, 0, -.infinity, 2, .nan, .nan, 3e9, -3e9, -1e19, 1e19]
    let volume = [Float](repeating: 1, count: 5 * 12)
    var y = [Float](repeating: 7, count: 5 * 81), gradient = [Float](repeating: 0, count: 60)
    Float.table(set).lookup(volume, centres, 1, 5, 3, 4, 4, 81, &y)
    Float.table(set).lookup_backward(y, 81, centres, 1, 5, 3, 4, 4, &gradient)
    #expect(y.allSatisfy { $0 == 0 })
    #expect(gradient.allSatisfy { $0 == 0 })
  }

  @Test func gridSampleBlendsTheCellsAround() {
    let (height, width, points) = (5, 7, 60)
    var numbers = Numbers(seed: 22)
    let x: [Double] = numbers.reals(height * width), grid: [Double] = numbers.reals(2 * points, scale: 1.4)
    for aligned in [true, false] {
      var options = apus_grid(
        height: height, width: width, channels: 1, points: points, nearest: 0, padding: Int32(APUS_PAD_ZEROS.rawValue),
        align_corners: aligned ? 1 : 0)
      func cell(_ u: Double, _ size: Int) -> Double { aligned ? (u + 1) / 2 * Double(size - 1) : ((u + 1) * Double(size) - 1) / 2 }
      var y = [Double](repeating: 0, count: points), dx = [Double](repeating: 0, count: x.count)
      var slopes = [Double](repeating: 0, count: 2 * points)
      table.grid_sample(&options, x, grid, &y)
      let expected = (0..<points).map { sample(x[...], height, width, cell(grid[2 * $0], width), cell(grid[2 * $0 + 1], height)) }
      #expect(Deviation(y, expected).ulps <= 32)

      let dy: [Double] = numbers.reals(points)
      table.grid_sample_backward_input(&options, dy, grid, 0, 1, &dx)
      #expect(abs(dot(dy, y) - dot(dx, x)) < 1e-12)

      table.grid_sample_backward_grid(&options, x, dy, grid, &slopes)
      var moved = [Double](repeating: 0, count: points)
      let step = 1e-6, shifted = grid.enumerated().map { $0.offset % 2 == 0 ? $0.element + step : $0.element }
      table.grid_sample(&options, x, shifted, &moved)
      for point in 0..<points {  // the secant of a piecewise linear function: exact up to rounding, unless it crosses a cell border
        let (before, after) = (cell(grid[2 * point], width), cell(shifted[2 * point], width))
        if before.rounded(.down) != after.rounded(.down) { continue }
        #expect(abs(dy[point] * (moved[point] - y[point]) / step - slopes[2 * point]) < 1e-7)
      }
    }
  }

  /// Borders and mirrors by hand on the row 1 2 3 4 (cells 0...3), aligned: u = 2/3 k - 1.
  @Test func paddingsClipAndMirror() {
    let x: [Double] = [1, 2, 3, 4]
    let grid: [Double] = [5.0 / 3, 0, -5.0 / 3, 0, 1, 0, .nan, 0]  // cells 4, -1, 3, NaN
    for (padding, expected) in [(APUS_PAD_ZEROS, [0, 0, 4, .nan]), (APUS_PAD_BORDER, [4, 1, 4, 1]), (APUS_PAD_REFLECTION, [3, 2, 4, 1])] {
      var options = apus_grid(height: 1, width: 4, channels: 1, points: 4, nearest: 0, padding: Int32(padding.rawValue), align_corners: 1)
      var y = [Double](repeating: 0, count: 4)
      table.grid_sample(&options, x, grid, &y)
      #expect(Deviation(y, expected).ulps <= 16, "\(padding): \(y)")
    }
  }

  @Test(arguments: [(1000, 3, 1), (1, 5, 40), (30, 4, 6), (7, 3, 200)])
  func momentsAndNormalization(rows: Int, keep: Int, fold: Int) {
    var numbers = Numbers(seed: 23)
    let x: [Double] = numbers.reals(rows * keep * fold)
    let (mean, rstd): ([Double], [Double]) = (numbers.reals(keep), numbers.reals(keep))
    var means = [Double](repeating: 0, count: keep), squares = means, y = [Double](repeating: 0, count: x.count)
    table.moments(x, 1, rows, keep, fold, &means, &squares)
    mean.withUnsafeBytes { mean in
      rstd.withUnsafeBytes { rstd in
        var options = apus_normalization(mean: mean.baseAddress, rstd: rstd.baseAddress, weight: nil, bias: nil, relu: 0, output_relu: 0)
        table.normalize(&options, x, nil, 1, rows, keep, fold, &y)
      }
    }
    var expectedMeans = [Double](repeating: 0, count: keep), expectedSquares = expectedMeans
    for (index, value) in x.enumerated() { expectedMeans[index / fold % keep] += value / Double(rows * fold) }
    for (index, value) in x.enumerated() {
      let k = index / fold % keep
      expectedSquares[k] += (value - expectedMeans[k]) * (value - expectedMeans[k])
      #expect(abs(y[index] - (value - mean[k]) * rstd[k]) < 1e-14)
    }
    #expect(Deviation(means, expectedMeans).ulps <= 32)
    #expect(Deviation(squares, expectedSquares).ulps <= Double(rows * fold))
  }

  /// A float sum of n equal numbers is off by n/2 units if added one by one; pairwise by less than the number of halvings plus lanes.
  @Test(arguments: InstructionSet.available)
  func longFloatSumsStayAccurate(_ set: InstructionSet) {
    let n = 3_000_001
    let x = [Float](repeating: 0.1, count: n)
    var y: [Float] = [0]
    Float.table(set).sum(x, 1, n, 1, &y)
    let exact = Double(Float(0.1)) * Double(n)
    #expect(abs(Double(y[0]) - exact) / exact < 32 * Double(Float.ulpOfOne))
    var columns: [Float] = [0, 0, 0]
    Float.table(set).sum(x, 1, n / 3, 3, &columns)
    #expect(columns.allSatisfy { abs(Double($0) - exact / 3) / exact * 3 < 32 * Double(Float.ulpOfOne) })
  }

  @Test func scatterAddTransposesGather() {
    var numbers = Numbers(seed: 24)
    let x: [Double] = numbers.reals(2 * 7 * 3), dy: [Double] = numbers.reals(2 * 11 * 3)
    let indices = (0..<11).map { _ in Int64(numbers.whole(below: 7)) }
    var y = [Double](repeating: 0, count: dy.count), dx = [Double](repeating: 0, count: x.count)
    table.gather(x, 2, 7, 3, indices, 11, &y)
    table.scatter_add(dy, 2, 7, 3, indices, 11, &dx)
    #expect(abs(dot(y, dy) - dot(x, dx)) < 1e-12)
  }
}
