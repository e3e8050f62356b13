import CKernels

/// One use of a function of the table: random inputs of odd sizes in, all outputs in one array out.
struct LoopCase<T: Real> {
  let name: String
  /// Largest difference between two tables in units of the last place of max(|value|, floor): the number of roundings that fused
  /// multiplication or another order of summation can change.
  let ulps: Double
  let floor: Double
  let run: (apus_kernels, inout Numbers) -> [T]

  init(_ name: String, ulps: Double, floor: Double = 1, run: @escaping (apus_kernels, inout Numbers) -> [T]) {
    (self.name, self.ulps, self.floor, self.run) = (name, ulps, floor, run)
  }

  static var all: [LoopCase] {
    elementwise + randoms + moving + reductions + normalizations + softmaxes + images + products + lookups + localCorrelations + upsamplings
      + recurrences + optimizers
  }

  static var lengths: [Int] { [0, 1, 3, 7, 17, 31, 63, 100, 255, 1003] }

  static func zeros(_ count: Int) -> [T] { [T](repeating: 0, count: count) }

  /// `count` numbers in [-scale, scale).
  static func draw(_ numbers: inout Numbers, _ count: Int, scale: T = 2) -> [T] { numbers.reals(count, scale: scale) }

  static var elementwise: [LoopCase] {
    [
      LoopCase("fill", ulps: 0) { table, _ in
        lengths.flatMap { n in
          var y = zeros(n)
          table.fill(&y, n, 0.125)
          return y
        }
      },
      LoopCase("leaky_relu", ulps: 1) { table, numbers in
        [1, 8, 37].flatMap { n -> [T] in
          let x: [T] = draw(&numbers, n)
          var y = zeros(n)
          var bits = [UInt8](repeating: 255, count: (n + 7) / 8)
          table.leaky_relu(x, &y, &bits, n, 0.3)
          return y + bits.map { T($0) }
        }
      },
      LoopCase("gate_by_bits", ulps: 1) { table, numbers in
        [1, 8, 37].flatMap { n -> [T] in
          let x: [T] = draw(&numbers, n)
          let bits = (0..<(n + 7) / 8).map { _ in UInt8(numbers.whole(below: 256)) }
          var y = zeros(n)
          table.gate_by_bits(x, bits, &y, n, 0.3)
          return y
        }
      },
      LoopCase("unary", ulps: 4) { table, numbers in
        lengths.flatMap { n -> [T] in
          let x: [T] = draw(&numbers, n)
          return (0..<22).flatMap { function in
            var y = zeros(n)
            table.unary(Int32(function), function == 2 || function == 3 ? x.map { abs($0) } : x, &y, n, -0.5, 0.75)
            return y.map { $0.isInfinite || $0.isNaN ? 0 : $0 }
          }
        }
      },
      LoopCase("binary", ulps: 8) { table, numbers in binary(table, &numbers) },
      LoopCase("select", ulps: 0) { table, numbers in
        lengths.flatMap { n -> [T] in
          let mask = draw(&numbers, n, scale: 2).map { ($0 > 0 ? 1 : 0) as T }
          let (a, b): ([T], [T]) = (draw(&numbers, n), draw(&numbers, n))
          var y = zeros(n)
          table.select(mask, a, b, &y, n)
          return y
        }
      },
      LoopCase("accumulate", ulps: 0) { table, numbers in
        lengths.flatMap { n -> [T] in
          let x: [T] = draw(&numbers, n)
          var y: [T] = draw(&numbers, n)
          table.accumulate(x, &y, n)
          return y
        }
      },
      LoopCase("accumulate_rows", ulps: 0) { table, numbers in
        let x: [T] = draw(&numbers, 7 * 40)
        var y: [T] = draw(&numbers, 7 * 50)
        table.accumulate_rows(x, 40, 7, 33, 50, &y)
        return y
      },
      LoopCase("scale_add", ulps: 2) { table, numbers in
        lengths.flatMap { n -> [T] in
          let x: [T] = draw(&numbers, n)
          var y: [T] = draw(&numbers, n)
          table.scale_add(0.3, x, 0.7, &y, n)
          table.scale_add(0.3, y, 0, &y, n)
          return y
        }
      },
    ]
  }

  /// Every function over every kind of broadcasting: whole, one row, one column, one element, rows with gaps.
  private static func binary(_ table: apus_kernels, _ numbers: inout Numbers) -> [T] {
    var results: [T] = []
    for (rows, columns) in [(1, 1), (5, 1), (1, 5), (7, 3), (100, 33), (3, 255), (3, 1001)] {
      let steps = [(columns, 1), (0, 1), (1, 0), (0, 0), (columns + 2, 1)]
      let (a, b): ([T], [T]) = (draw(&numbers, rows * (columns + 2)), draw(&numbers, rows * (columns + 2)).map { $0 == 0 ? 1 : $0 })
      for function in 0..<15 {
        for (aRow, aColumn) in steps {
          for (bRow, bColumn) in steps {
            var y = zeros(rows * columns)
            table.binary(Int32(function), rows, columns, a, aRow, aColumn, b, bRow, bColumn, &y, 0.2)
            results += y
          }
        }
      }
    }
    return results
  }

  static var moving: [LoopCase] {
    [
      LoopCase("copy", ulps: 0) { table, numbers in
        let shape = [3, 17, 5]
        let x: [T] = draw(&numbers, 255)
        var y = zeros(255)
        table.copy(3, shape, x, [85, 5, 1], &y, [17, 1, 51])
        return y
      },
      LoopCase("gather", ulps: 0) { table, numbers in
        [1, 3, 70].flatMap { inner -> [T] in
          let x: [T] = draw(&numbers, 2 * 9 * inner)
          let indices = (0..<13).map { _ in Int64(numbers.whole(below: 9)) }
          var y = zeros(2 * 13 * inner)
          table.gather(x, 2, 9, inner, indices, 13, &y)
          return y
        }
      },
      LoopCase("scatter_add", ulps: 0) { table, numbers in
        [1, 3, 70].flatMap { inner -> [T] in
          let x: [T] = draw(&numbers, 2 * 13 * inner)
          let indices = (0..<13).map { _ in Int64(numbers.whole(below: 9)) }
          var y: [T] = draw(&numbers, 2 * 9 * inner)
          table.scatter_add(x, 2, 9, inner, indices, 13, &y)
          return y
        }
      },
    ]
  }
}
