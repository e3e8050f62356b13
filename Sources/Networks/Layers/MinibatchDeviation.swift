import Base
import Tensors

/// Appends the mean standard deviation of the samples of a group as one more channel: by it a discriminator sees how varied a batch is.
///
/// Sample `k` belongs to group `k mod (n / size)` with `size = min(groupSize, n)`; the deviation is that of the population,
/// `√(var + 1e-8)`, averaged over pixels and channels.
/// - Shape: `[n, h, w, c]` → `[n, h, w, c + 1]`; n is a multiple of the group's size.   - Names: none.
/// - Source: Karras et al. 2018, section 3; groups as in StyleGAN2.
public struct MinibatchDeviation: StatelessLayer {
  public let groupSize: Int

  public init(groupSize: Int) {
    require(groupSize > 0, "MinibatchDeviation: a group of \(groupSize) samples")
    self.groupSize = groupSize
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    let (n, h, w, c) = x.shape4
    let size = min(groupSize, n)
    require(size > 0 && n % size == 0, "MinibatchDeviation: a batch of \(n) does not divide into groups of \(size)")
    let groups = x.reshaped(to: [size, n / size, h * w * c])
    let centred = groups - groups.mean([0], keepingAxes: true)
    let deviation = (centred.squared().mean([0]) + 1e-8).sqrt().mean([1])  // [groups]
    let channel = deviation.reshaped(to: [1, n / size, 1, 1, 1]).broadcast(to: [size, n / size, h, w, 1])
    return concatenate([x, channel.reshaped(to: [n, h, w, 1])], axis: 3)
  }
}
