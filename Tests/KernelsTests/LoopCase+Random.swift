import CKernels

extension LoopCase {
  /// Arrays of random numbers have the same bits in every table. The counter wraps on the way, and the first element lies inside a block.
  static var randoms: [LoopCase] {
    func source(_ offset: Int) -> apus_random {
      apus_random(key: (1, 0xFFFF_FFFF), counter: (0xFFFF_FFF0, 2, 0xDEAD_BEEF, 4), offset: UInt32(offset))
    }
    func drawn(_ draw: @escaping (apus_kernels, UnsafePointer<apus_random>, Int, Int, inout [T]) -> Void) -> (apus_kernels) -> [T] {
      { table in
        [0, 1, 3].flatMap { offset in
          lengths.flatMap { n -> [T] in
            var y = zeros(n), start = source(offset)
            draw(table, &start, 5, n, &y)
            return y
          }
        }
      }
    }
    let uniform = drawn { $0.random_uniform($1, $2, $3, -0.7, 1.3, &$4) }
    let normal = drawn { $0.random_normal($1, $2, $3, 0.3, &$4) }
    let factors = drawn { $0.dropout($1, $2, $3, 0.3, nil, &$4) }
    return [
      // Half an ulp: that float64 is rounded to float32.
      LoopCase("uniform numbers", ulps: 0.5) { table, _ in uniform(table) },
      LoopCase("normal numbers", ulps: 0.5) { table, _ in normal(table) },
      LoopCase("dropout", ulps: 0.5) { table, numbers in
        factors(table) + lengths.flatMap { n -> [T] in
          let x: [T] = draw(&numbers, n)
          var y = x, start = source(2)
          table.dropout(&start, 0, n, 0.5, x, &y)
          return y
        }
      },
    ]
  }
}
