import CKernels

extension LoopCase {
  static var images: [LoopCase] {
    [
      maxPool, maxPoolBackward, resample,
      maskedL1("masked_l1") { table, x, target, mask, channels in [T(table.masked_l1(x, target, mask, 37, channels))] },
      maskedL1("masked_l1_backward") { table, x, target, mask, channels in
        var dx = zeros(x.count)
        table.masked_l1_backward(x, target, mask, 0.3, 37, channels, &dx)
        return dx
      },
      grid("grid_sample", ulps: 64) { table, options, x, _, points in
        var options = options
        var y = zeros(options.points * options.channels)
        table.grid_sample(&options, x, points, &y)
        return y
      },
      grid("grid_sample_backward_input", ulps: 64) { table, options, x, dy, points in
        var options = options
        var dx = x
        table.grid_sample_backward_input(&options, dy, points, 0, options.channels / 2, &dx)
        table.grid_sample_backward_input(&options, dy, points, options.channels / 2, options.channels, &dx)
        return dx
      },
      grid("grid_sample_backward_grid", ulps: 64, floor: 100) { table, options, x, dy, points in
        var options = options
        var gradient = zeros(2 * options.points)
        table.grid_sample_backward_grid(&options, x, dy, points, &gradient)
        return gradient
      },
    ]
  }

  private static var maxPool: LoopCase {
    LoopCase("max_pool", ulps: 0) { table, numbers in
      [1, 5, 64].flatMap { channels -> [T] in
        var window = apus_window(
          height: 9, width: 7, channels: channels, out_height: 5, out_width: 4, window_height: 3, window_width: 3, stride_y: 2,
          stride_x: 2, pad_y: 1, pad_x: 1)
        let x: [T] = draw(&numbers, 63 * channels).map { ($0 * 2).rounded() }  // many ties
        var y = zeros(20 * channels)
        var indices = [Int64](repeating: 0, count: y.count)
        table.max_pool(x, &window, 0, 2, &y, &indices)
        table.max_pool(x, &window, 2, 5, &y, &indices)
        return y + indices.map { T($0) }
      }
    }
  }

  private static var maxPoolBackward: LoopCase {
    LoopCase("max_pool_backward", ulps: 0) { table, numbers in
      [1, 5, 64].flatMap { channels -> [T] in
        let dy: [T] = draw(&numbers, 20 * channels)
        let indices = (0..<20 * channels).map { Int64(numbers.whole(below: 9) * channels + $0 % channels) }
        var dx: [T] = draw(&numbers, 9 * channels)
        table.max_pool_backward(dy, indices, 20, channels, 0, channels / 2, &dx)
        table.max_pool_backward(dy, indices, 20, channels, channels / 2, channels, &dx)
        return dx
      }
    }
  }

  private static func maskedL1(_ name: String, body: @escaping (apus_kernels, [T], [T], [T], Int) -> [T]) -> LoopCase {
    LoopCase(name, ulps: 8, floor: 10) { table, numbers in
      [1, 2, 3, 40].flatMap { channels -> [T] in
        let x: [T] = draw(&numbers, 37 * channels), target: [T] = draw(&numbers, 37 * channels)
        let mask: [T] = draw(&numbers, 37).map { $0 > 0 ? $0 : 0 }
        return body(table, x, target, mask, channels)
      }
    }
  }

  private static var resample: LoopCase {
    LoopCase("resample", ulps: 8) { table, numbers in
      [1, 3, 64, 67].flatMap { inner -> [T] in
        let starts: [Int32] = [0, 2, 3, 3, 8]
        let columns = (0..<8).map { _ in Int32(numbers.whole(below: 5)) }
        let weights = draw(&numbers, 8).map { Double($0) }
        let x: [T] = draw(&numbers, 2 * 5 * inner)
        var y = zeros(2 * 4 * inner)
        table.resample(x, 2, 5, inner, 4, starts, columns, weights, &y)
        return y
      }
    }
  }

  /// All paddings, modes and alignments. Coordinates are odd multiples of 2⁻¹⁰: in cells they are exact in both precisions and
  /// never on a border between cells, where the derivative and the nearest cell jump.
  private static func grid(
    _ name: String, ulps: Double, floor: Double = 1, body: @escaping (apus_kernels, apus_grid, [T], [T], [T]) -> [T]
  ) -> LoopCase {
    LoopCase(name, ulps: ulps, floor: floor) { table, numbers in
      var results: [T] = []
      for channels in [1, 3, 33] {
        for variant in 0..<12 {
          let options = apus_grid(
            height: 5, width: 9, channels: channels, points: 41, nearest: Int32(variant % 2), padding: Int32(variant / 4),
            align_corners: Int32(variant / 2 % 2))
          let points: [T] = (0..<82).map { _ in (T(numbers.whole(below: 768)) + 0.25) / 256 - 1.5 }
          results += body(table, options, draw(&numbers, 45 * channels), draw(&numbers, 41 * channels), points)
        }
      }
      return results
    }
  }

  static var lookups: [LoopCase] {
    let levels: [(height: Int, width: Int, radius: Int, scale: Double)] = [(13, 11, 4, 1), (5, 4, 3, 0.5), (30, 41, 17, 0.25), (3, 5, 0, 1)]
    return [
      LoopCase("lookup", ulps: 8) { table, numbers in
        levels.flatMap { level -> [T] in
          let side = 2 * level.radius + 1, stride = side * side + 3
          let volume: [T] = draw(&numbers, 19 * level.height * level.width)
          let centres: [T] = draw(&numbers, 38, scale: 64)
          var y = zeros(19 * stride)
          table.lookup(volume, centres, level.scale, 19, level.height, level.width, Int32(level.radius), stride, &y)
          return y
        }
      },
      LoopCase("lookup_backward", ulps: 16) { table, numbers in
        levels.flatMap { level -> [T] in
          let side = 2 * level.radius + 1, stride = side * side + 3
          let dy: [T] = draw(&numbers, 19 * stride)
          let centres: [T] = draw(&numbers, 38, scale: 64)
          var volume: [T] = draw(&numbers, 19 * level.height * level.width)
          table.lookup_backward(dy, stride, centres, level.scale, 19, level.height, level.width, Int32(level.radius), &volume)
          return volume
        }
      },
    ]
  }

  static var optimizers: [LoopCase] {
    [
      adam, sgd, multiplyAdd,
    ]
  }

  /// Each round halves the earlier error, so the number of rounds does not matter.
  private static var multiplyAdd: LoopCase {
    LoopCase("multiply_add", ulps: 2) { table, numbers in
      lengths.flatMap { n -> [T] in
        var y: [T] = draw(&numbers, n)
        table.multiply_add(9, -0.5, 0.75, &y, n)
        return y
      }
    }
  }

  private static var adam: LoopCase {
    LoopCase("adam", ulps: 8) { table, numbers in
      lengths.flatMap { n in [0.9, 0].flatMap { beta1 -> [T] in
        var options = apus_adam(
          rate: 0.01, beta1: beta1, beta2: 0.999, epsilon: 1e-3, correction1: 0.19, correction2: 0.002, decay: 0.99, l2: 0.1, scale: 0.5)
        let gradient: [T] = draw(&numbers, n)
        var p: [T] = draw(&numbers, n), m: [T] = draw(&numbers, n), v: [T] = draw(&numbers, n).map { abs($0) }
        table.adam(&options, gradient, &p, &m, &v, n)
        return p + m + v
      } }
    }
  }

  private static var sgd: LoopCase {
    LoopCase("sgd", ulps: 8) { table, numbers in
      lengths.flatMap { n -> [T] in
        let gradient: [T] = draw(&numbers, n)
        var p: [T] = draw(&numbers, n), velocity: [T] = draw(&numbers, n)
        for (momentum, nesterov, first) in [(0.0, 0, 0), (0.9, 0, 1), (0.9, 1, 0)] as [(Double, Int32, Int32)] {
          var options = apus_sgd(
            rate: 0.1, momentum: momentum, dampening: 0.2, l2: 0.1, scale: 0.5, nesterov: nesterov, first: first)
          table.sgd(&options, gradient, &p, &velocity, n)
        }
        return p + velocity
      }
    }
  }
}
