import Base

/// The end-point error of optical flow and the scores made from it, accumulated image by image.
///
/// The error of a pixel is `e = |f − f*|₂`, in pixels. Two poolings are in use and both are kept:
/// - **Sintel, FlyingChairs**: all known pixels of all images form one pool (`mean`, `fractionBelow1`, `mean(of:)`, …).
/// - **KITTI**: `meanOfImages` averages `e` over each image first, then over images; `outlierShare` ("F1-all") pools all pixels.
///
/// A predicted vector that is not a number counts as an outlier, lies below no threshold and makes the means NaN: a broken
/// prediction shall not look good.
///
/// ```swift
/// var score = EndPointError()
/// score.add(predicted: flow, truth: truth)
/// print(score.mean, score.fractionBelow1)
/// ```
/// - Source: Butler, Wulff, Stanley, Black, "A naturalistic open source movie for optical flow evaluation", ECCV 2012 (pooled
///   error, by speed and occlusion); Menze, Geiger, "Object scene flow for autonomous vehicles", CVPR 2015 (3 px and 5 % rule). The
///   fractions *below* a threshold (higher is better) follow the training log of RAFT.
public struct EndPointError: Sendable, Equatable {
  /// Images with at least one known pixel.
  public private(set) var imageCount = 0
  /// Images without one: they are in none of the metrics.
  public private(set) var unknownImageCount = 0
  private var all = ErrorPool()
  private var byRange = [ErrorPool](repeating: ErrorPool(), count: MotionRange.allCases.count)
  /// Pixels that image 2 shows too, and occluded ones, of images whose occlusion is known.
  public private(set) var matched = ErrorPool(), unmatched = ErrorPool()
  private var imageMeanSum = 0.0
  private var below = SIMD3<Int>()
  private var outlierCount = 0

  public init() {}

  /// Adds one image.
  /// - Parameters:
  ///   - predicted: the flow to be judged; its validity flags are ignored.
  ///   - truth: the true flow of the same size; only pixels that it knows count.
  ///   - occlusion: `height · width` flags, row-major, true where image 2 does not show the pixel; `nil`: not known.
  ///   - largestMagnitude: true vectors of this length (px) or longer are left out; RAFT's training log uses 400, every
  ///     published score uses no limit.
  public mutating func add(
    predicted: FlowField, truth: FlowField, occlusion: [Bool]? = nil, largestMagnitude: Float = .infinity
  ) {
    requireOneSize(predicted, truth, "add")
    guard occlusion.map({ $0.count == truth.isValid.count }) ?? true else {
      stop("EndPointError.add: \(occlusion?.count ?? 0) occlusion flags for \(truth.height)x\(truth.width) pixels")
    }
    var image = EndPointError()
    for pixel in 0..<truth.isValid.count where truth.isValid[pixel] {
      let (u, v) = (truth.vectors[2 * pixel], truth.vectors[2 * pixel + 1])
      let magnitude = (u * u + v * v).squareRoot()
      guard magnitude < largestMagnitude else { continue }
      let du = predicted.vectors[2 * pixel] - u, dv = predicted.vectors[2 * pixel + 1] - v
      image.count((du * du + dv * dv).squareRoot(), speed: magnitude, isOccluded: occlusion?[pixel])
    }
    if image.pixelCount > 0 {
      image.imageCount = 1
      image.imageMeanSum = image.mean
    } else {
      image.unknownImageCount = 1
    }
    merge(image)
  }

  private mutating func count(_ error: Float, speed: Float, isOccluded: Bool?) {
    all.add(error)
    byRange[MotionRange(speed: speed).rawValue].add(error)
    if let isOccluded { if isOccluded { unmatched.add(error) } else { matched.add(error) } }
    below = below &+ SIMD3(error < 1 ? 1 : 0, error < 3 ? 1 : 0, error < 5 ? 1 : 0)
    if !(error <= 3 || error / speed <= 0.05) { outlierCount += 1 }
  }

  /// Adds the images of another accumulator, for images judged in parallel.
  public mutating func merge(_ other: EndPointError) {
    imageCount += other.imageCount
    unknownImageCount += other.unknownImageCount
    all.merge(other.all)
    for range in MotionRange.allCases { byRange[range.rawValue].merge(other.byRange[range.rawValue]) }
    matched.merge(other.matched)
    unmatched.merge(other.unmatched)
    imageMeanSum += other.imageMeanSum
    below = below &+ other.below
    outlierCount += other.outlierCount
  }

  /// Known pixels seen so far, in all images.
  public var pixelCount: Int { all.pixelCount }
  /// Mean error over all known pixels, in px (Sintel, FlyingChairs); 0 when nothing was added.
  public var mean: Double { all.mean ?? 0 }
  /// Mean error over the pixels that truly move at such a speed, in px; `nil` if there is none.
  public func mean(of range: MotionRange) -> Double? { byRange[range.rawValue].mean }
  /// Known pixels that truly move at such a speed.
  public func pixelCount(of range: MotionRange) -> Int { byRange[range.rawValue].pixelCount }
  /// Fraction of pixels with an error below 1 px, 0...1: higher is better.
  public var fractionBelow1: Double { share(below.x) }
  /// Fraction of pixels with an error below 3 px, 0...1: higher is better.
  public var fractionBelow3: Double { share(below.y) }
  /// Fraction of pixels with an error below 5 px, 0...1: higher is better.
  public var fractionBelow5: Double { share(below.z) }
  /// KITTI's error: the mean over images of each image's mean over its known pixels, in px.
  public var meanOfImages: Double { imageCount == 0 ? 0 : imageMeanSum / Double(imageCount) }
  /// KITTI's F1-all: the share of pixels, 0...1, with an error above 3 px and above 5 % of the true length: lower is better.
  public var outlierShare: Double { share(outlierCount) }

  private func share(_ count: Int) -> Double { pixelCount == 0 ? 0 : Double(count) / Double(pixelCount) }

  /// The error at every pixel, in px, row-major `height · width`; NaN where the truth is unknown.
  public static func map(predicted: FlowField, truth: FlowField) -> [Float] {
    requireOneSize(predicted, truth, "map")
    return truth.isValid.indices.map { pixel in
      guard truth.isValid[pixel] else { return .nan }
      let du = predicted.vectors[2 * pixel] - truth.vectors[2 * pixel]
      let dv = predicted.vectors[2 * pixel + 1] - truth.vectors[2 * pixel + 1]
      return (du * du + dv * dv).squareRoot()
    }
  }
}

/// The true speed of a pixel, in px from one frame to the next, in the three classes by which the Sintel benchmark divides its scores.
public enum MotionRange: Int, Sendable, CaseIterable {
  case below10, from10To40, from40

  public init(speed: Float) { self = speed < 10 ? .below10 : speed < 40 ? .from10To40 : .from40 }

  /// The benchmark's name: `s0-10`, `s10-40`, `s40+`.
  public var name: String {
    switch self {
    case .below10: "s0-10"
    case .from10To40: "s10-40"
    case .from40: "s40+"
    }
  }
}

/// The errors of some of the pixels: how many, and their mean.
public struct ErrorPool: Sendable, Equatable {
  public private(set) var pixelCount = 0
  private var sum = 0.0

  /// The mean error, in px; `nil` without pixels.
  public var mean: Double? { pixelCount == 0 ? nil : sum / Double(pixelCount) }

  mutating func add(_ error: Float) {
    pixelCount += 1
    sum += Double(error)
  }

  mutating func merge(_ other: ErrorPool) {
    pixelCount += other.pixelCount
    sum += other.sum
  }
}

private func requireOneSize(_ predicted: FlowField, _ truth: FlowField, _ operation: String) {
  guard predicted.height == truth.height, predicted.width == truth.width else {
    stop("EndPointError.\(operation): predicted \(predicted.height)x\(predicted.width), truth \(truth.height)x\(truth.width)")
  }
}
