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
      statistic("moments", ulps: 16, floor: 100) { table, x, _, _, shape in
        var mean = zeros(shape.1), square = zeros(shape.1)
        table.moments(x, 1, shape.0, shape.1, shape.2, &mean, &square)
        return mean + square
      },
      statistic("combine_moments", ulps: 4) { table, x, y, _, shape in
        var mean = zeros(shape.1), variance = zeros(shape.1), rstd = zeros(shape.1)
        let squares = y.map { abs($0) }
        table.combine_moments(x, squares, 1, shape.0 * shape.2, shape.1, 8, 5, 1e-3, &mean, &variance, &rstd)
        return mean + variance + rstd
      },
      statistic("normalize", ulps: 8) { table, x, y, options, shape in
        var options = options, result = zeros(x.count)
        table.normalize(&options, x, y, 1, shape.0, shape.1, shape.2, &result)
        return result
      },
      statistic("normalize_backward_sums", ulps: 32, floor: 100) { table, x, y, options, shape in
        var options = options, first = zeros(shape.1 * shape.2), second = first
        table.normalize_backward_sums(&options, x, y, y, shape.0, shape.1, shape.2, &first, &second)
        return first + second
      },
      statistic("normalize_backward", ulps: 32) { table, x, y, options, shape in
        var options = options, dx = zeros(x.count), rest = zeros(x.count)
        table.normalize_backward(&options, x, y, y, [T](repeating: 0.3, count: 2 * shape.1), shape.0, shape.1, shape.2, &dx, &rest)
        return dx + rest
      },
      LoopCase("layer_backward", ulps: 64, floor: 10) { table, numbers in
        [(1, 1), (5, 33), (3, 300)].flatMap { (tokens, channels) -> [T] in
          let draws: [[T]] = [tokens * channels, tokens * channels, tokens, tokens, channels, channels].map { draw(&numbers, $0) }
          var dx = zeros(tokens * channels), rest = dx, sum = zeros(channels), product = sum
          withNormalization(draws[2], draws[3], draws[4], draws[5]) { options in
            var options = options
            table.layer_backward(&options, draws[0], draws[1], draws[1], tokens, channels, &dx, &rest, &sum, &product)
          }
          return dx + rest + sum + product
        }
      },
    ]
  }

  /// Both activations, weight and bias.
  private static func withNormalization(_ mean: [T], _ rstd: [T], _ weight: [T], _ bias: [T], _ body: (apus_normalization) -> Void) {
    mean.withUnsafeBytes { mean in
      rstd.withUnsafeBytes { rstd in
        weight.withUnsafeBytes { weight in
          bias.withUnsafeBytes { bias in
            body(apus_normalization(mean: mean.baseAddress, rstd: rstd.baseAddress, weight: weight.baseAddress, bias: bias.baseAddress,
                                    relu: 1, output_relu: 1))
          }
        }
      }
    }
  }

  static var recurrences: [LoopCase] {
    [
      LoopCase("gru_reset", ulps: 8) { table, numbers in
        let (rows, hidden, width) = (5, 19, 30)
        let gates: [T] = draw(&numbers, rows * 2 * hidden), joined: [T] = draw(&numbers, rows * width)
        var y = zeros(rows * width)
        table.gru_reset(gates, joined, rows, hidden, width, &y)
        return y
      },
      LoopCase("gru_reset_backward", ulps: 16) { table, numbers in
        let (rows, hidden, width) = (5, 300, 310)
        let gates: [T] = draw(&numbers, rows * 2 * hidden), joined: [T] = draw(&numbers, rows * width), dy: [T] = draw(&numbers, rows * width)
        var dgates = zeros(rows * 2 * hidden), djoined = zeros(rows * width)
        table.gru_reset_backward(dy, gates, joined, rows, hidden, width, 0, &dgates, &djoined)
        table.gru_reset_backward(dy, gates, joined, rows, hidden, width, 1, &dgates, &djoined)
        return dgates + djoined
      },
      LoopCase("gru_update", ulps: 8) { table, numbers in
        let draws: [[T]] = [10 * 33, 5 * 33, 5 * 33].map { draw(&numbers, $0) }
        var y = zeros(5 * 33)
        table.gru_update(draws[0], draws[1], draws[2], 5, 33, &y)
        return y
      },
      LoopCase("gru_update_backward", ulps: 16) { table, numbers in
        let draws: [[T]] = [10 * 33, 5 * 33, 5 * 33, 5 * 33].map { draw(&numbers, $0) }
        var dgates = zeros(10 * 33), dcandidate = zeros(5 * 33), dh = dcandidate
        table.gru_update_backward(draws[3], draws[0], draws[1], draws[2], 5, 33, &dgates, &dcandidate, &dh)
        return dgates + dcandidate + dh
      },
    ]
  }

  private typealias Statistic = (apus_kernels, [T], [T], apus_normalization, (Int, Int, Int)) -> [T]

  private static func statistic(_ name: String, ulps: Double, floor: Double = 1, body: @escaping Statistic) -> LoopCase {
    LoopCase(name, ulps: ulps, floor: floor) { table, numbers in
      statisticShapes.flatMap { shape -> [T] in
        let count = shape.0 * shape.1 * shape.2
        let (x, y): ([T], [T]) = (draw(&numbers, count), draw(&numbers, count))
        let vectors: [[T]] = [shape.1, shape.1, shape.1 * shape.2, shape.1 * shape.2].map { draw(&numbers, $0) }
        var result: [T] = []
        withNormalization(vectors[0], vectors[1], vectors[2], vectors[3]) { result = body(table, x, y, $0, shape) }
        return result
      }
    }
  }

  static var softmaxes: [LoopCase] {
    [
      softmaxCase("softmax", ulps: 8) { $0.softmax($1, $3, $4, &$5) },
      softmaxCase("scaled_softmax", ulps: 16) { $0.scaled_softmax($1, 0.3, $2, $4, $3, $4, &$5) },
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
