import Base
import CKernels

/// The values that `gridSampled` reads outside the image (`padding_mode`).
public enum GridPadding: String, Sendable, CaseIterable {
  case zeros, border, reflection
}

/// Options of `gridSampled`: PyTorch's `grid_sample` conventions.
public struct GridSampling: Sendable, Equatable {
  /// Read the nearest pixel (ties to even) rather than interpolate bilinearly.
  public var nearest: Bool
  public var padding: GridPadding
  /// -1 and 1 are the centres of the corner pixels; else their outer edges.
  public var alignCorners: Bool

  public init(nearest: Bool = false, padding: GridPadding = .zeros, alignCorners: Bool = false) {
    self.nearest = nearest
    self.padding = padding
    self.alignCorners = alignCorners
  }

  fileprivate func kernelValue(_ image: [Int], points: Int) -> apus_grid {
    let kind = switch padding {
    case .zeros: APUS_PAD_ZEROS
    case .border: APUS_PAD_BORDER
    case .reflection: APUS_PAD_REFLECTION
    }
    return apus_grid(
      height: image[1], width: image[2], channels: image[3], points: points, nearest: nearest ? 1 : 0,
      padding: Int32(kind.rawValue), align_corners: alignCorners ? 1 : 0)
  }
}

extension Tensor {
  /// The image read at the points of `grid`, whose last axis is `(x, y)` in [-1, 1] across the image.
  /// - Shape: `x [n, h, w, c]`, grid `[n, oh, ow, 2]` → `[n, oh, ow, c]`.
  /// - Gradient: to the image (of any order) and to the grid (first order; 0 for `nearest`).
  /// - Source: Jaderberg et al. 2015; PyTorch's `grid_sample`.
  public func gridSampled(_ grid: Tensor, _ options: GridSampling = GridSampling()) -> Tensor {
    let (n, _, _, c) = shape4, (_, oh, ow, _) = grid.shape4
    requireGrid(grid, "gridSampled")
    let (x, y) = (self, fresh([n, oh, ow, c]))
    let image = shape[1] * shape[2] * c
    let block = 256, blocks = (oh * ow + block - 1) / block
    parallelFor(n * blocks) { range in
      for task in range {
        let first = task % blocks * block, points = Swift.min(block, oh * ow - first), start = task / blocks * oh * ow + first
        var shape = options.kernelValue(x.shape, points: points)
        y.kernels.grid_sample(&shape, x.address(task / blocks * image), grid.address(2 * start), y.address(start * c))
      }
    }
    return y.recorded(.gridSample, from: [x, grid]) { dy in
      [x.needsGradient ? dy.gridSampleInputGradient(grid, inputShape: x.shape, options) : nil,
       grid.needsGradient ? x.gridSampleGridGradient(dy, grid, options) : nil]
    }
  }

  /// The transpose of `gridSampled` for a fixed grid: `self` is `dy`. - Gradient: `gridSampled`; to the grid as there.
  package func gridSampleInputGradient(_ grid: Tensor, inputShape: [Int], _ options: GridSampling) -> Tensor {
    let dy = self, dx = Tensor.zeros(inputShape, precision), c = inputShape[3]
    let points = grid.shape[1] * grid.shape[2], image = inputShape[1] * inputShape[2] * c
    let band = 16, bands = (c + band - 1) / band  // threads share an image by channels: no two add to one element
    parallelFor(inputShape[0] * bands) { range in
      for task in range {
        let (n, first) = (task / bands, task % bands * band)
        var shape = options.kernelValue(inputShape, points: points)
        dx.kernels.grid_sample_backward_input(&shape, dy.address(n * points * c), grid.address(2 * n * points), first,
          Swift.min(c, first + band), dx.address(n * image))
      }
    }
    return dx.recorded(.gridSampleInputGradient, from: [dy, grid]) { ddx in
      [dy.needsGradient ? ddx.gridSampled(grid, options) : nil, grid.needsGradient ? ddx.gridSampleGridGradient(dy, grid, options) : nil]
    }
  }

  /// The gradient of `gridSampled` with respect to its grid; `self` is the image. Not differentiable again.
  private func gridSampleGridGradient(_ dy: Tensor, _ grid: Tensor, _ options: GridSampling) -> Tensor {
    let (x, dgrid) = (self, grid.fresh()), c = shape[3]
    let points = grid.shape[1] * grid.shape[2], image = shape[1] * shape[2] * c
    parallelFor(shape[0]) { range in
      for n in range {
        var shape = options.kernelValue(x.shape, points: points)
        dgrid.kernels.grid_sample_backward_grid(&shape, x.address(n * image), dy.address(n * points * c),
          grid.address(2 * n * points), dgrid.address(2 * n * points))
      }
    }
    return dgrid.recorded(.gridSample, from: [x, dy, grid]) { _ in
      stop("gridSample: the gradient of gridSampled with respect to its grid cannot be differentiated again; "
        + "detach the grid if only the image matters")
    }
  }

  private func requireGrid(_ grid: Tensor, _ op: String) {
    requireSamePrecision(grid, op)
    require(grid.shape[0] == shape[0] && grid.shape[3] == 2,
      "\(op): grid of shape \(grid.shape) for an image of shape \(shape); expected [\(shape[0]), h, w, 2]")
  }
}
