import CKernels

extension LoopCase {
  /// [outer, reduced, inner]
  private static var reducedShapes: [(Int, Int, Int)] {
    [(1, 1, 1), (3, 5, 1), (2, 100, 1), (1, 1025, 1), (1, 10_007, 1), (2, 33, 2), (2, 257, 7), (1, 70, 256), (2, 65, 300), (1, 130, 31)]
  }

  /// [rows, keep, fold]
  private static var statisticShapes: [(Int, Int, Int)] {
    [(1, 1, 1), (50, 32, 1), (257, 3, 1), (37, 300, 1), (1, 40, 33), (60, 8, 4), (9, 3, 300), (11, 100, 7), (4, 5, 128), (2, 7, 129)]
  }

  static var reductions: [LoopCase] {
    [
      LoopCase("sum", ulps: 16, floor: 100) { table, numbers in
        reducedShapes.flatMap { (outer, reduced, inner) -> [T] in
          let x: [T] = draw(&numbers, outer * reduced * inner)
          var y = zeros(outer * inner)
          table.sum(x, outer, reduced, inner, &y)
          return y
        }
      },
      LoopCase("maximum", ulps: 0) { table, numbers in
        reducedShapes.flatMap { (outer, reduced, inner) -> [T] in
          var x: [T] = draw(&numbers, outer * reduced * inner)
          if inner == 2 { x[x.count / 2] = .nan }
          var y = zeros(outer * inner)
          table.maximum(x, outer, reduced, inner, &y)
          return y
        }
      },
      LoopCase("sum_of_squares", ulps: 1) { table, numbers in
        lengths.map { n in T(table.sum_of_squares(draw(&numbers, n), n)) }
      },
      LoopCase("all_finite", ulps: 0) { table, numbers in
        lengths.filter { $0 > 0 }.flatMap { n -> [T] in
          var x: [T] = draw(&numbers, n)
          let clean = table.all_finite(x, n)
          x[numbers.whole(below: n)] = n % 2 == 0 ? .nan : -.infinity
          return [T(clean), T(table.all_finite(x, n))]
        }
      },
    ]
  }

  static var normalizations: [LoopCase] {
    [
      statistic("moment_sum", ulps: 16, floor: 100) { table, x, _, vectors, shape, sums in
        table.moment_sum(x, shape.0, shape.1, shape.2, &sums)
      },
      statistic("moment_square", ulps: 16, floor: 100) { table, x, _, vectors, shape, sums in
        table.moment_square(x, vectors[0], shape.0, shape.1, shape.2, &sums)
      },
      statistic("normalize_backward_sums", ulps: 16, floor: 100) { table, x, y, _, shape, sums in
        var first = zeros(shape.1), second = zeros(shape.1)
        table.normalize_backward_sums(x, y, shape.0, shape.1, shape.2, &first, &second)
        sums = first + second
      },
      statistic("normalize", ulps: 4) { table, x, _, vectors, shape, y in
        y = zeros(x.count)
        table.normalize(x, vectors[0], vectors[1], shape.0, shape.1, shape.2, &y)
      },
      statistic("normalize_backward", ulps: 16) { table, x, y, vectors, shape, dx in
        dx = zeros(x.count)
        table.normalize_backward(x, y, vectors[1], vectors[0], vectors[2], shape.0, shape.1, shape.2, &dx)
      },
    ]
  }

  private typealias Statistic = (apus_kernels, [T], [T], [[T]], (Int, Int, Int), inout [T]) -> Void

  private static func statistic(_ name: String, ulps: Double, floor: Double = 1, body: @escaping Statistic) -> LoopCase {
    LoopCase(name, ulps: ulps, floor: floor) { table, numbers in
      statisticShapes.flatMap { shape -> [T] in
        let count = shape.0 * shape.1 * shape.2
        let (x, y): ([T], [T]) = (draw(&numbers, count), draw(&numbers, count))
        let vectors: [[T]] = (0..<3).map { _ in draw(&numbers, shape.1) }
        var result = zeros(shape.1)
        body(table, x, y, vectors, shape, &result)
        return result
      }
    }
  }

  static var softmaxes: [LoopCase] {
    [
      softmaxCase("softmax", ulps: 8) { $0.softmax($1, $3, $4, &$5) },
      softmaxCase("softmax_backward", ulps: 64) { $0.softmax_backward($1, $2, $3, $4, &$5) },
      softmaxCase("log_softmax", ulps: 8) { $0.log_softmax($1, $3, $4, &$5) },
      softmaxCase("log_softmax_backward", ulps: 64, floor: 10) { $0.log_softmax_backward($1, $2, $3, $4, &$5) },
    ]
  }

  private static func softmaxCase(
    _ name: String, ulps: Double, floor: Double = 1, body: @escaping (apus_kernels, [T], [T], Int, Int, inout [T]) -> Void
  ) -> LoopCase {
    LoopCase(name, ulps: ulps, floor: floor) { table, numbers in
      [(1, 1), (5, 9), (33, 9), (70, 16), (4, 100), (2, 1003)].flatMap { (rows, columns) -> [T] in
        let (x, y): ([T], [T]) = (draw(&numbers, rows * columns), draw(&numbers, rows * columns))
        var result = zeros(rows * columns)
        body(table, x, y, rows, columns, &result)
        return result
      }
    }
  }
}
