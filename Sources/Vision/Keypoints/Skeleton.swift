import Base

/// The keypoints of a kind of body: their names, how exactly they can be placed, which are mirror images, and the limbs between them.
///
/// ```swift
/// let skeleton = Skeleton.coco
/// skeleton.count                       // 17
/// skeleton.mirrored[5]                 // 6: the right shoulder for the left one
/// ```
public struct Skeleton: Sendable, Equatable {
  /// Two keypoints by their indices.
  public struct Pair: Sendable, Hashable {
    public let first: Int
    public let second: Int

    public init(_ first: Int, _ second: Int) {
      self.first = first
      self.second = second
    }

    public var indices: [Int] { [first, second] }
  }

  public let names: [String]
  /// Standard deviation of annotators, as a share of the square root of the body's area; COCO's falloff is κ = 2σ.
  public let sigmas: [Double]
  /// Left and right of the same thing; exchanged when a picture is flipped.
  public let flipPairs: [Pair]
  public let limbs: [Pair]
  /// Keypoints of the upper body, for half-body augmentation; empty: there is none.
  public let upperBody: [Int]

  /// The σ of keypoints that nobody has measured: between those of a wrist and of a shoulder.
  public static let standardSigma = 0.07

  /// - Parameters:
  ///   - sigmas: one for each name; none: `standardSigma` for all.
  /// - Precondition: `problem` of these is nil.
  public init(names: [String], sigmas: [Double] = [], flipPairs: [Pair] = [], limbs: [Pair] = [], upperBody: [Int] = []) {
    self.names = names
    self.sigmas = sigmas.isEmpty ? names.map { _ in Skeleton.standardSigma } : sigmas
    self.flipPairs = flipPairs
    self.limbs = limbs
    self.upperBody = upperBody
    let problem = problem
    require(problem == nil, "Skeleton: \(problem ?? "")")
  }

  /// The skeleton of a list of names: a published one if it has these names, else pairs are found by "left" and "right" in the names.
  public init(names: [String], limbs: [Pair]) {
    if let known = [Skeleton.coco, .mpii].first(where: { $0.names == names }) {
      self = known
      return
    }
    self.init(names: names, flipPairs: Skeleton.flipPairs(of: names), limbs: limbs.filter { pair in
      pair.indices.allSatisfy(names.indices.contains)
    })
  }

  public var count: Int { names.count }

  /// For each keypoint the one whose place it takes in a flipped picture.
  public var mirrored: [Int] {
    var indices = Array(names.indices)
    for pair in flipPairs { indices.swapAt(pair.first, pair.second) }
    return indices
  }

  /// Left and right by their names: `left_eye` and `right_eye`, `LeftEye` and `RightEye`, `l_eye` and `r_eye`.
  static func flipPairs(of names: [String]) -> [Pair] {
    let lowered = names.map { $0.lowercased() }
    return lowered.indices.compactMap { index in
      let name = lowered[index]
      let twins = [name.replacing("left", with: "right", maxReplacements: 1)] + (name.hasPrefix("l_") ? ["r_" + name.dropFirst(2)] : [])
      return twins.lazy.filter { $0 != name }.compactMap { lowered.firstIndex(of: $0) }.first.map { Pair(index, $0) }
    }
  }

  /// The first thing that does not fit, in words; nil if all does.
  private var problem: String? {
    if sigmas.count != count { return "\(sigmas.count) sigmas of \(count) keypoints" }
    let indices = flipPairs.flatMap(\.indices) + limbs.flatMap(\.indices) + upperBody
    if let outside = indices.first(where: { !names.indices.contains($0) }) { return "no keypoint \(outside) among \(count)" }
    let paired = flipPairs.flatMap(\.indices)
    return Set(paired).count == paired.count ? nil : "a keypoint is in two flip pairs"
  }
}

extension Skeleton {
  /// The 17 keypoints of COCO's persons.
  /// - Source: cocodataset.org/#keypoints-eval; upper body as in half-body augmentation of HRNet's authors.
  public static let coco = Skeleton(
    names: [
      "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow", "right_elbow",
      "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle",
    ],
    sigmas: [0.026, 0.025, 0.025, 0.035, 0.035, 0.079, 0.079, 0.072, 0.072, 0.062, 0.062, 0.107, 0.107, 0.087, 0.087, 0.089, 0.089],
    flipPairs: [1, 3, 5, 7, 9, 11, 13, 15].map { Pair($0, $0 + 1) },
    limbs: [
      Pair(15, 13), Pair(13, 11), Pair(16, 14), Pair(14, 12), Pair(11, 12), Pair(5, 11), Pair(6, 12), Pair(5, 6), Pair(5, 7), Pair(6, 8),
      Pair(7, 9), Pair(8, 10), Pair(1, 2), Pair(0, 1), Pair(0, 2), Pair(1, 3), Pair(2, 4), Pair(3, 5), Pair(4, 6),
    ],
    upperBody: Array(0...10))

  /// The 16 keypoints of MPII Human Pose.
  /// - Source: Andriluka et al. 2014; order of the joints as in HRNet's annotation files. MPII measures PCKh: its σ are not measured.
  public static let mpii = Skeleton(
    names: [
      "right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle", "pelvis", "thorax", "upper_neck", "head_top",
      "right_wrist", "right_elbow", "right_shoulder", "left_shoulder", "left_elbow", "left_wrist",
    ],
    flipPairs: [Pair(0, 5), Pair(1, 4), Pair(2, 3), Pair(10, 15), Pair(11, 14), Pair(12, 13)],
    limbs: [
      Pair(0, 1), Pair(1, 2), Pair(2, 6), Pair(5, 4), Pair(4, 3), Pair(3, 6), Pair(6, 7), Pair(7, 8), Pair(8, 9), Pair(7, 12),
      Pair(12, 11), Pair(11, 10), Pair(7, 13), Pair(13, 14), Pair(14, 15),
    ],
    upperBody: Array(7...15))
}
