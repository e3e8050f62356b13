import CKernels

extension LoopCase {
  static var products: [LoopCase] {
    winograd + [
      LoopCase("pack", ulps: 0) { table, numbers in
        let b: [T] = draw(&numbers, 40 * 40)
        return [1, 2, 3, 4].flatMap { columns -> [T] in
          [(40, 1), (1, 40)].flatMap { row, column -> [T] in
            var panel = zeros(19 * 2 * table.lanes)
            table.pack(b, row, column, 19, columns, &panel)
            let width = columns > table.lanes ? 2 * table.lanes : table.lanes
            return (0..<19).flatMap { panel[$0 * width..<$0 * width + columns] }
          }
        }
      },
      LoopCase("product", ulps: 64, floor: 16) { table, numbers in
        [(1, 1, 3), (13, 5, 21), (14, 16, 64), (15, 17, 9), (29, 32, 400), (60, 9, 1)].flatMap { rows, columns, depth in
          product(table, &numbers, rows: rows, columns: columns, depth: depth)
        }
      },
      LoopCase("epilogue", ulps: 8, floor: 1) { table, numbers in
        [(7, 3, 3), (5, 300, 300), (4, 33, 40)].flatMap { (rows, columns, stride) -> [T] in
          let bias: [T] = draw(&numbers, columns)
          return [-1, Int32(APUS_RELU.rawValue), Int32(APUS_TANH.rawValue), Int32(APUS_LEAKY_RELU.rawValue)].flatMap { activation -> [T] in
            let given: [T] = draw(&numbers, rows * stride)
            let residual: [T] = draw(&numbers, rows * stride)
            return bias.withUnsafeBytes { bias in
              residual.withUnsafeBytes { residual in
                (0..<8).flatMap { form -> [T] in
                  var y = given
                  var tail = apus_epilogue(
                    activation: activation, parameter: 0.2, scale: form & 1 != 0 ? bias.baseAddress : nil,
                    residual: form & 2 != 0 ? residual.baseAddress : nil, bias: form & 4 != 0 ? bias.baseAddress : nil)
                  table.epilogue(&tail, rows, columns, stride, &y)
                  return y
                }
              }
            }
          }
        }
      },
    ]
  }

  /// Three taps over overlapping rows, then the same with rows and depth exchanged on top; panels are cut as the table wants them.
  private static func product(_ table: apus_kernels, _ numbers: inout Numbers, rows: Int, columns: Int, depth: Int) -> [T] {
    let taps = [0, 7, 2], stride = columns + 3
    let a: [T] = draw(&numbers, (rows + depth + 8) * 5 + rows * depth), b: [T] = draw(&numbers, 3 * depth * stride)
    var c: [T] = draw(&numbers, rows * stride)
    for first in Swift.stride(from: 0, to: columns, by: 2 * table.lanes) {
      let count = min(columns - first, 2 * table.lanes)
      var panel = zeros(3 * depth * 2 * table.lanes)
      b.withUnsafeBufferPointer { table.pack($0.baseAddress.map { $0 + first }, stride, 1, 3 * depth, count, &panel) }
      taps.withUnsafeBufferPointer { taps in
        c.withUnsafeMutableBufferPointer { c in
          let to = c.baseAddress.map { $0 + first }
          var options = apus_product(
            rows: rows, columns: count, depth: depth, tap_count: 3, taps: taps.baseAddress, a_row: 5, a_depth: 1, c_row: stride, adds: 0,
            next: apus_fetch())
          table.product(&options, a, panel, to)
          (options.a_row, options.a_depth, options.adds) = (1, rows, 1)
          options.next = apus_fetch(from: to, rows: depth, bytes: columns, pitch: 2 * columns)
          table.product(&options, a, panel, to)
        }
      }
    }
    return c
  }
}
