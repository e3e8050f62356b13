import Base
import Tensors

/// How hard it is to tell completions from real pictures by a linear function of their features: 0 if it is easy.
///
/// A linear support vector machine learns real from found on all vectors and is judged on the same ones.
/// - Source: Zhao et al. 2021 (CoModGAN, arXiv 2103.10428), section 4; the features are Inception-v3's, not normalised.
public struct InceptionDiscriminativeScore: Sendable, Equatable {
  /// U-IDS: the share of vectors on the wrong side, at most about 0.5.
  public let unpaired: Double
  /// P-IDS: the share of pairs whose completion looks more real than the real picture, strictly.
  public let paired: Double

  /// - Parameter found: completions under the names of the real pictures that they belong to.
  /// - Throws: `.badData` if the vectors have different lengths or the names are not the same ones.
  public init(real: FeatureSet, found: FeatureSet) throws {
    try FeatureSet.requireComparable(real, found)
    let found = try found.ordered(like: real)
    let x = concatenate([real.values, found.values], axis: 0)
    let machine = LinearSVM(x, labels: Array(repeating: 1, count: real.count) + Array(repeating: -1, count: found.count))
    let decisions = machine.decisions(x)
    let (ofReal, ofFound) = (decisions.prefix(real.count), decisions.suffix(found.count))
    // On the border a vector counts as found.
    let wrong = ofReal.count { $0 <= 0 } + ofFound.count { $0 > 0 }
    unpaired = Double(wrong) / Double(2 * real.count)
    paired = Double(zip(ofReal, ofFound).count { $1 > $0 }) / Double(real.count)
  }
}
