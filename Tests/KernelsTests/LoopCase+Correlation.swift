import CKernels

extension LoopCase {
  /// Odd sizes, windows of several tiles, centres outside, and cells too far away to count.
  private static func localCorrelation(
    _ name: String, ulps: Double, body: @escaping (apus_kernels, apus_local_correlation, _ window: Int, inout Numbers) -> [T]
  ) -> LoopCase {
    let levels: [(height: Int, width: Int, channels: Int, radius: Int32, level: Int, reach: Int)] = [
      (13, 11, 33, 4, 0, -1), (5, 4, 64, 3, 1, -1), (9, 12, 7, 17, 2, -1), (3, 5, 1, 0, 0, -1), (7, 6, 19, 4, 1, 5), (13, 11, 16, 2, 0, 0),
    ]
    return LoopCase(name, ulps: ulps, floor: 16) { table, numbers in
      levels.flatMap { item -> [T] in
        let options = apus_local_correlation(
          queries: 19, channels: item.channels, height: item.height, width: item.width, scale: 1 / Double(1 << item.level),
          radius: item.radius, first: 8, row: 6, spacing: 1 << item.level, reach: item.reach)
        let side = 2 * Int(item.radius) + 1
        return body(table, options, side * side, &numbers)
      }
    }
  }

  private static func centres(_ numbers: inout Numbers) -> [T] { draw(&numbers, 38, scale: 24) }

  static var localCorrelations: [LoopCase] {
    [
      localCorrelation("local_correlation", ulps: 64) { table, options, window, numbers in
        var options = options
        let queries: [T] = draw(&numbers, 19 * options.channels), targets: [T] = draw(&numbers, options.height * options.width * options.channels)
        var y = zeros(19 * (window + 3))
        table.local_correlation(&options, queries, targets, centres(&numbers), window + 3, &y)
        return y
      },
      localCorrelation("local_correlation_backward_queries", ulps: 64) { table, options, window, numbers in
        var options = options
        let dy: [T] = draw(&numbers, 19 * (window + 3)), targets: [T] = draw(&numbers, options.height * options.width * options.channels)
        var dqueries: [T] = draw(&numbers, 19 * options.channels)
        table.local_correlation_backward_queries(&options, dy, window + 3, targets, centres(&numbers), &dqueries)
        return dqueries
      },
      localCorrelation("local_correlation_backward_targets", ulps: 64) { table, options, window, numbers in
        var options = options
        let dy: [T] = draw(&numbers, 19 * (window + 3)), queries: [T] = draw(&numbers, 19 * options.channels), points = centres(&numbers)
        var dtargets: [T] = draw(&numbers, options.height * options.width * options.channels)
        let half = options.channels / 2
        table.local_correlation_backward_targets(&options, dy, window + 3, queries, points, 0, half, &dtargets)
        table.local_correlation_backward_targets(&options, dy, window + 3, queries, points, half, options.channels, &dtargets)
        return dtargets
      },
    ]
  }

  static var upsamplings: [LoopCase] {
    func sizes(
      _ name: String, ulps: Double, body: @escaping (apus_kernels, apus_convex_upsampling, inout Numbers) -> [T]
    ) -> LoopCase {
      LoopCase(name, ulps: ulps) { table, numbers in
        [(5, 7, 2, 8), (1, 1, 1, 1), (3, 2, 3, 3)].flatMap { height, width, channels, factor in
          body(table, apus_convex_upsampling(height: height, width: width, channels: channels, factor: factor, scale: 0.25), &numbers)
        }
      }
    }
    return [
      sizes("convex_upsample", ulps: 32) { table, options, numbers in
        var options = options
        let pixels = options.height * options.width, fine = options.factor * options.factor
        let logits: [T] = draw(&numbers, pixels * 9 * fine), x: [T] = draw(&numbers, pixels * options.channels)
        var y = zeros(pixels * fine * options.channels)
        table.convex_upsample(&options, logits, x, 0, options.height / 2, &y)
        table.convex_upsample(&options, logits, x, options.height / 2, options.height, &y)
        return y
      },
      sizes("convex_upsample_backward", ulps: 64) { table, options, numbers in
        var options = options
        let pixels = options.height * options.width, fine = options.factor * options.factor
        let logits: [T] = draw(&numbers, pixels * 9 * fine), x: [T] = draw(&numbers, pixels * options.channels)
        let dy: [T] = draw(&numbers, pixels * fine * options.channels)
        var dlogits = zeros(logits.count), shares = zeros(pixels * 9 * options.channels)
        table.convex_upsample_backward(&options, dy, logits, x, 0, options.height, &dlogits, &shares)
        return dlogits + shares.map { $0 / 8 }
      },
      sizes("convex_gather", ulps: 16) { table, options, numbers in
        var options = options
        let pixels = options.height * options.width
        let shares: [T] = draw(&numbers, pixels * 9 * options.channels)
        var dx = zeros(pixels * options.channels)
        table.convex_gather(&options, shares, 0, options.height, &dx)
        return dx
      },
    ]
  }
}
