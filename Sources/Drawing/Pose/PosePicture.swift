import Vision

/// A body on a picture: found, or true.
public struct PicturedBody: Sendable {
  /// In pixels of the picture; nil: not labelled, or not sure enough to be drawn.
  public var keypoints: [SIMD2<Double>?]
  /// 0...1; nil for true bodies.
  public var score: Double?

  public init(keypoints: [SIMD2<Double>?], score: Double? = nil) {
    self.keypoints = keypoints
    self.score = score
  }

  /// The labelled keypoints of a true body.
  public init(_ keypoints: [Keypoint]) { self.init(keypoints: keypoints.map { $0.isLabeled ? $0.position : nil }) }

  /// Found keypoints of at least this score.
  public init(_ keypoints: [ScoredKeypoint], atLeast threshold: Double, score: Double? = nil) {
    self.init(keypoints: keypoints.map { $0.score >= threshold ? $0.position : nil }, score: score)
  }
}

extension AnnotatedPicture {
  /// A picture with the skeletons of bodies: limbs of the left side blue, of the right side orange, others green; of true bodies grey.
  /// - Parameter width: the picture's width on the sheet; nil: its own.
  public init(_ image: Image, bodies: [PicturedBody], truths: [PicturedBody] = [], _ skeleton: Skeleton, width: Int? = nil) {
    let ranked = bodies.enumerated().sorted { ($0.element.score ?? 1, $0.offset) < ($1.element.score ?? 1, $1.offset) }.map(\.element)
    self.init(
      image, skeletons: truths.map { $0.drawn(skeleton, isTruth: true) } + ranked.map { $0.drawn(skeleton, isTruth: false) }, width: width)
  }
}

extension PicturedBody {
  fileprivate func drawn(_ skeleton: Skeleton, isTruth: Bool) -> PicturedSkeleton {
    PicturedSkeleton(
      joints: keypoints.map { $0.map { Point($0.x, $0.y) } },
      limbs: skeleton.limbs.map { PicturedSkeleton.Limb($0.first, $0.second, isTruth ? Color(150, 150, 150) : skeleton.color(of: $0)) })
  }
}

extension Skeleton {
  /// The colour of a limb: by the side of the ends that have one.
  func color(of limb: Pair) -> Color {
    let sides = limb.indices.compactMap(side)
    guard let side = sides.first, sides.allSatisfy({ $0 == side }) else { return Palette.color(2) }
    return Palette.color(side ? 0 : 1)
  }

  /// Whether a keypoint is the first of its pair, which is the left one where names tell; nil if it is in none.
  private func side(of index: Int) -> Bool? {
    guard let pair = flipPairs.first(where: { $0.indices.contains(index) }) else { return nil }
    return (pair.first == index) != names[pair.first].lowercased().contains("right")
  }
}
