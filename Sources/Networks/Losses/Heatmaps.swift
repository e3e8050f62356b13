import Base
import Tensors

// Losses of heatmaps, one map for each keypoint.

/// Half of the mean squared error of weighted heatmaps: `½ · mean((w · p - w · t)²)` over images, pixels and keypoints.
/// - Parameters:
///   - prediction, target: `[n, h, w, keypoints]`.
///   - weight: of each keypoint, `[n, keypoints]`; 0 leaves it out, though it counts in the mean. None: 1 everywhere.
/// - Source: the pose repository of HRNet's authors: the mean over keypoints of half the error of each.
public func heatmapMSE(_ prediction: Tensor, _ target: Tensor, weight: Tensor? = nil) -> Tensor {
  weightedError(prediction, target, weight, "heatmapMSE").squared().mean() * 0.5
}

/// As `heatmapMSE`, of the keypoints with the largest errors of each image only: the sum of their errors divided by `top`.
/// - Parameter top: keypoints that count, at most as many as there are. Of equal errors those of lower index count.
/// - Source: Chen et al., "Cascaded Pyramid Network for Multi-Person Pose Estimation", CVPR 2018, section 3.3; the pose repository.
public func onlineHardKeypoints(_ prediction: Tensor, _ target: Tensor, weight: Tensor? = nil, top: Int = 8) -> Tensor {
  let errors = weightedError(prediction, target, weight, "onlineHardKeypoints").squared().mean([1, 2]) * 0.5  // [n, keypoints]
  let (n, keypoints) = (errors.shape[0], errors.shape[1])
  require(top > 0 && top <= keypoints, "onlineHardKeypoints: the hardest \(top) of \(keypoints) keypoints")
  let values = errors.doubles
  var counts = [Double](repeating: 0, count: n * keypoints)
  for image in 0..<n {
    let row = (image * keypoints..<(image + 1) * keypoints)
    for index in row.sorted(by: { (values[$0], $1) > (values[$1], $0) }).prefix(top) { counts[index] = 1 }
  }
  return (errors * Tensor(counts, shape: [n, keypoints], precision: errors.precision)).sum() * (1 / Double(top * n))
}

/// `w · (p - t)`.
private func weightedError(_ prediction: Tensor, _ target: Tensor, _ weight: Tensor?, _ loss: String) -> Tensor {
  require(prediction.shape == target.shape && prediction.rank == 4,
    "\(loss): heatmaps of shape \(prediction.shape) and \(target.shape), expected one shape [n, h, w, keypoints]")
  let (n, _, _, keypoints) = prediction.shape4
  let error = prediction - target
  guard let weight else { return error }
  require(weight.shape == [n, keypoints], "\(loss): weights of shape \(weight.shape) for \(n) images of \(keypoints) keypoints")
  return error * weight.reshaped(to: [n, 1, 1, keypoints])
}
