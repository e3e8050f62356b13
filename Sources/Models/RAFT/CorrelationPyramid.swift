import Tensors

/// Section 3.2: the similarity of all pairs of pixels, at several resolutions of image 2.
///
/// `C[i, j, k, l] = ⟨f1[i, j], f2[k, l]⟩ / √D`; level `m` averages `C` over blocks of `2ᵐ x 2ᵐ` cells `(k, l)`, so every level keeps
/// the full resolution of image 1.
struct CorrelationPyramid {
  /// Level `m`: `[n·h·w, ⌊h/2ᵐ⌋, ⌊w/2ᵐ⌋]`.
  private let levels: [Tensor]

  /// - Shape: features `[n, h, w, d]`.
  init(_ f1: Tensor, _ f2: Tensor, levels count: Int) {
    let (n, h, w, d) = f1.shape4
    let queries = f1.reshaped(to: [n, h * w, d]) * (1 / Double(d).squareRoot())
    let volume = queries.matmul(f2.reshaped(to: [n, h * w, d]), otherTransposed: true)  // [n, h·w, h·w]
    var levels = [volume.reshaped(to: [n * h * w, h, w, 1])]
    for m in 1..<count { levels.append(levels[m - 1].averagePooled(window: 2)) }
    self.levels = levels.map { $0.reshaped(to: Array($0.shape.dropLast())) }
  }

  /// The correlations around where each pixel is thought to have gone: a window of constant size on every level.
  /// - Shape: coords `[n, h, w, 2]` in cells of level 0 → `[n, h, w, levels · (2·radius + 1)²]`.
  func lookup(_ coords: Tensor, radius: Int) -> Tensor {
    let (n, h, w, _) = coords.shape4
    let centres = coords.reshaped(to: [n * h * w, 2])
    return Tensor.correlationLookup(levels, centres: centres, radius: radius).reshaped(to: [n, h, w, -1])
  }
}
