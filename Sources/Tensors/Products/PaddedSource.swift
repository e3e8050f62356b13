/// A batch of images with the zeros that a plan wants around them; the images themselves if it wants none.
struct PaddedSource {
  let tensor: Tensor
  let height, width, channels: Int
  private let top, left: Int

  init(_ x: Tensor, _ plan: TapPlan) {
    let (n, h, w, c) = x.shape4
    (top, left, channels) = (plan.top, plan.left, c)
    (height, width) = (h + plan.top + plan.bottom, w + plan.left + plan.right)
    guard height != h || width != w else {
      tensor = x
      return
    }
    let padded = x.fresh([n, height, width, c])
    let (top, left, height, width) = (self.top, self.left, self.height, self.width)
    parallelFor(n * height) { range in
      for task in range {
        let (image, row) = (task / height, task % height)
        let start = task * width * c
        guard row >= top, row < top + h else {
          x.kernels.fill(padded.address(start), width * c, 0)
          continue
        }
        x.kernels.fill(padded.address(start), left * c, 0)
        padded.address(start + left * c).copyMemory(
          from: x.address((image * h + row - top) * w * c), byteCount: w * c * x.precision.byteCount)
        x.kernels.fill(padded.address(start + (left + w) * c), (width - left - w) * c, 0)
      }
    }
    tensor = padded
  }

  /// The address of the pixel at `row`, `column` of the unpadded image.
  func address(_ image: Int, _ row: Int, _ column: Int, _ channel: Int = 0) -> UnsafeRawPointer {
    UnsafeRawPointer(tensor.address(((image * height + row + top) * width + column + left) * channels + channel))
  }
}
