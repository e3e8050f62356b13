import Base
import CKernels

extension Tensor {
  /// The largest element of each window; padding never wins; NaN does.
  /// - Shape: `[n, h, w, c]` → `[n, ⌊(h + 2·padding - window) / stride⌋ + 1, …, c]`.
  /// - Gradient: `dy` to the first largest element of its window, in row-major order (as PyTorch).
  public func maxPooled(window: Extent, stride: Extent? = nil, padding: Extent = 0) -> Tensor {
    let (n, h, w, c) = shape4, stride = stride ?? window
    let size = Conv2dOptions(stride: stride, padding: padding).outputSize(of: Extent(height: h, width: w), kernel: window)
    require(size.height > 0 && size.width > 0, "maxPooled: shape \(shape) is smaller than the window \(window)")
    require(2 * padding.height <= window.height && 2 * padding.width <= window.width,
      "maxPooled: padding \(padding) may be at most half of the window \(window)")
    let options = apus_window(
      height: h, width: w, channels: c, out_height: size.height, out_width: size.width, window_height: window.height,
      window_width: window.width, stride_y: stride.height, stride_x: stride.width, pad_y: padding.height, pad_x: padding.width)
    let (x, y) = (self, fresh([n, size.height, size.width, c]))
    let perImage = size.height * size.width * c
    let places = Tensor(uninitialized: [n, perImage], .float64)  // 64-bit words; they hold indices into the image
    let block = Swift.max(1, (1 << 13) / Swift.max(size.width * c, 1)), blocks = (size.height + block - 1) / block
    parallelFor(n * blocks) { range in
      for task in range {
        var options = options
        let image = task / blocks, first = task % blocks * block
        y.kernels.max_pool(
          x.address(image * h * w * c), &options, first, Swift.min(size.height, first + block), y.address(image * perImage),
          places.address(image * perImage).assumingMemoryBound(to: Int64.self))
      }
    }
    return y.recorded(.maxPool, from: [x], rule: { dy in [dy.reshaped(to: [n, perImage]).unpooled(places, to: [n, h, w, c])] }) { dy in
      [.onto(zeros: [n, h, w, c], dy.precision) { dx in
        let strip = 16, strips = (c + strip - 1) / strip  // channels of one task
        parallelFor(n * strips) { range in
          for task in range {
            let image = task / strips, first = task % strips * strip
            dx.kernels.max_pool_backward(
              dy.address(image * perImage), places.address(image * perImage).assumingMemoryBound(to: Int64.self), size.height * size.width,
              c, first, Swift.min(c, first + strip), dx.address(image * h * w * c))
          }
        }
      }]
    }
  }

  /// Zeros of `shape` with every element added at its place within its image: the transpose of max pooling's choice.
  private func unpooled(_ places: Tensor, to shape: [Int]) -> Tensor {
    let length = shape.dropFirst().reduce(1, *)
    let indices = places.withBytes { Array($0.bindMemory(to: Int64.self)) }
    let perImage = self.shape[1]
    let absolute = indices.enumerated().map { $0 / perImage * length + Int($1) }
    return reshaped(to: [count]).scatterAdded(0, absolute, length: shape[0] * length).reshaped(to: shape)
  }

  /// The mean of each window.
  /// - Parameter countsPadding: whether padded zeros count as elements (PyTorch's `count_include_pad`).
  public func averagePooled(window: Extent, stride: Extent? = nil, padding: Extent = 0, countsPadding: Bool = true) -> Tensor {
    let (_, h, w, _) = shape4, stride = stride ?? window
    let size = Conv2dOptions(stride: stride, padding: padding).outputSize(of: Extent(height: h, width: w), kernel: window)
    require(size.height > 0 && size.width > 0, "averagePooled: shape \(shape) is smaller than the window \(window)")
    func weights(_ length: Int, _ count: Int, _ window: Int, _ stride: Int, _ padding: Int) -> ResamplingMatrix {
      ResamplingMatrix(inputLength: length, rows: (0..<count).map { i in
        let covered = i * stride - padding..<Swift.min(i * stride - padding + window, length + padding)
        let inside = covered.clamped(to: 0..<length)
        let share = 1 / Double(countsPadding ? covered.count : inside.count)
        return inside.map { ($0, share) }
      })
    }
    return resampled(1, weights(h, size.height, window.height, stride.height, padding.height))
      .resampled(2, weights(w, size.width, window.width, stride.width, padding.width))
  }

  /// The mean of each of `size` nearly equal cells: cell `i` covers `⌊i·h/size⌋ ..< ⌈(i+1)·h/size⌉`.
  public func adaptiveAveragePooled(to size: Extent) -> Tensor {
    let (_, h, w, _) = shape4
    func weights(_ length: Int, _ cells: Int) -> ResamplingMatrix {
      ResamplingMatrix(inputLength: length, rows: Self.adaptiveCells(length, cells).map { cell in
        cell.map { ($0, 1 / Double(cell.count)) }
      })
    }
    return resampled(1, weights(h, size.height)).resampled(2, weights(w, size.width))
  }

  /// The largest element of each of `size` nearly equal cells.
  public func adaptiveMaxPooled(to size: Extent) -> Tensor {
    let (_, h, w, _) = shape4
    let rows = Self.adaptiveCells(h, size.height).map { sliced(1, $0).max([1], keepingAxes: true) }
    let tall = concatenate(rows, axis: 1)
    return concatenate(Self.adaptiveCells(w, size.width).map { tall.sliced(2, $0).max([2], keepingAxes: true) }, axis: 2)
  }

  private static func adaptiveCells(_ length: Int, _ cells: Int) -> [Range<Int>] {
    (0..<cells).map { $0 * length / cells..<(($0 + 1) * length + cells - 1) / cells }
  }
}
