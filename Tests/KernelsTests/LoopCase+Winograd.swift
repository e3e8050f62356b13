import CKernels

/// One of `apus_winograd`: its planes, and the taps and results of a tile in both directions.
private struct Form {
  let index: Int32
  let taps, results: (height: Int, width: Int)

  static let all = [
    Form(index: Int32(APUS_WINOGRAD_3X3.rawValue), taps: (3, 3), results: (2, 4)),
    Form(index: Int32(APUS_WINOGRAD_1X5.rawValue), taps: (1, 5), results: (1, 4)),
    Form(index: Int32(APUS_WINOGRAD_5X1.rawValue), taps: (5, 1), results: (4, 1)),
  ]

  var window: (height: Int, width: Int) { (taps.height + results.height - 1, taps.width + results.width - 1) }
  var planes: Int { window.height * window.width }

  /// Pixels of two and a half tiles in a row, of all rows or one less, two columns.
  var pixels: [apus_pixels] {
    [0, 1].map { less in
      apus_pixels(rows: max(1, results.height - less), pixels: 3 * results.width - less * results.width / 2, columns: 2,
                  row: 3 * results.width * 5, pixel: 5)
    }
  }
}

extension LoopCase {
  static var winograd: [LoopCase] {
    [
      LoopCase("winograd_input", ulps: 8, floor: 4) { table, numbers in
        Form.all.flatMap { form in
          [16, 19, 64].flatMap { channels -> [T] in
            let width = 2 * form.results.width + form.window.width
            let x: [T] = draw(&numbers, form.window.height * width * channels)
            var v = zeros(form.planes * 3 * channels)
            table.winograd_input(form.index, x, width * channels, channels, 3, &v, 3 * channels)
            return v
          }
        }
      },
      LoopCase("winograd_weight", ulps: 8) { table, numbers in
        Form.all.flatMap { form -> [T] in
          let w: [T] = draw(&numbers, form.taps.height * form.taps.width * 48)
          var u = zeros(form.planes * 48)
          table.winograd_weight(form.index, w, 48, &u)
          return u
        }
      },
      LoopCase("winograd_output", ulps: 8, floor: 16) { table, numbers in
        Form.all.flatMap { form in
          form.pixels.flatMap { pixels -> [T] in
            let m: [T] = draw(&numbers, form.planes * 3 * 2)  // two columns, laid out as every table wants them
            let width = max(2, table.lanes)
            var wide = zeros(form.planes * 3 * width), pixels = pixels
            for i in 0..<form.planes * 3 { (wide[i * width], wide[i * width + 1]) = (m[2 * i], m[2 * i + 1]) }
            var y: [T] = draw(&numbers, form.results.height * pixels.row)
            table.winograd_output(form.index, wide, 3 * width, &pixels, &y)
            return y
          }
        }
      },
      LoopCase("winograd_gradient", ulps: 8, floor: 16) { table, numbers in
        Form.all.flatMap { form in
          form.pixels.flatMap { pixels -> [T] in
            let dy: [T] = draw(&numbers, form.results.height * pixels.row)
            let width = max(2, table.lanes)
            var z = zeros(form.planes * 3 * width), pixels = pixels
            table.winograd_gradient(form.index, dy, &pixels, &z, 3 * width)
            return (0..<form.planes * 3).flatMap { [z[$0 * width], z[$0 * width + 1]] }
          }
        }
      },
      LoopCase("winograd_weight_gradient", ulps: 8, floor: 4) { table, numbers in
        Form.all.flatMap { form -> [T] in
          let u: [T] = draw(&numbers, form.planes * 50)
          var dw = zeros(form.taps.height * form.taps.width * 60)
          table.winograd_weight_gradient(form.index, u, 50, 37, &dw, 60)
          return dw
        }
      },
    ]
  }
}
