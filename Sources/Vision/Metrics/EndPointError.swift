/// The end-point error of optical flow and the scores made from it, accumulated image by image.
///
/// The error of a pixel is `e = |f − f*|₂`, in pixels. Two poolings are in use and both are kept:
/// - **Sintel, FlyingChairs**: all known pixels of all images form one pool (`mean`, `fractionBelow1`, …).
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
///   error); Menze, Geiger, "Object scene flow for autonomous vehicles", CVPR 2015 (3 px and 5 % rule). The fractions *below* a
///   threshold (higher is better) follow the training log of RAFT.
public struct EndPointError: Sendable, Equatable {
  /// Known pixels seen so far, in all images.
  public private(set) var pixelCount = 0
  /// Images with at least one known pixel.
  public private(set) var imageCount = 0
  private var errorSum = 0.0
  private var imageMeanSum = 0.0
  private var below = SIMD3<Int>()
  private var outlierCount = 0

  public init() {}

  /// Adds one image.
  /// - Parameters:
  ///   - predicted: the flow to be judged; its validity flags are ignored.
  ///   - truth: the true flow of the same size; only pixels that it knows count.
  ///   - largestMagnitude: true vectors of this length (px) or longer are left out; RAFT's training log uses 400, every
  ///     published score uses no limit.
  public mutating func add(predicted: FlowField, truth: FlowField, largestMagnitude: Float = .infinity) {
    guard predicted.height == truth.height, predicted.width == truth.width else {
      fatalError("EndPointError: predicted \(predicted.height)x\(predicted.width), truth \(truth.height)x\(truth.width)")
    }
    var sum = 0.0, count = 0
    for pixel in 0..<truth.isValid.count where truth.isValid[pixel] {
      let (u, v) = (truth.vectors[2 * pixel], truth.vectors[2 * pixel + 1])
      let magnitude = (u * u + v * v).squareRoot()
      guard magnitude < largestMagnitude else { continue }
      let du = predicted.vectors[2 * pixel] - u, dv = predicted.vectors[2 * pixel + 1] - v
      let error = (du * du + dv * dv).squareRoot()
      sum += Double(error)
      count += 1
      below = below &+ SIMD3(error < 1 ? 1 : 0, error < 3 ? 1 : 0, error < 5 ? 1 : 0)
      if !(error <= 3 || error <= 0.05 * magnitude) { outlierCount += 1 }
    }
    guard count > 0 else { return }
    errorSum += sum
    pixelCount += count
    imageMeanSum += sum / Double(count)
    imageCount += 1
  }

  /// Adds what another accumulator has seen, for images judged in parallel.
  public mutating func merge(_ other: EndPointError) {
    pixelCount += other.pixelCount
    imageCount += other.imageCount
    errorSum += other.errorSum
    imageMeanSum += other.imageMeanSum
    below = below &+ other.below
    outlierCount += other.outlierCount
  }

  /// Mean error over all known pixels, in px (Sintel, FlyingChairs); 0 when nothing was added.
  public var mean: Double { share(errorSum) }
  /// Fraction of pixels with an error below 1 px, 0...1: higher is better.
  public var fractionBelow1: Double { share(Double(below.x)) }
  /// Fraction of pixels with an error below 3 px, 0...1: higher is better.
  public var fractionBelow3: Double { share(Double(below.y)) }
  /// Fraction of pixels with an error below 5 px, 0...1: higher is better.
  public var fractionBelow5: Double { share(Double(below.z)) }
  /// KITTI's error: the mean over images of each image's mean over its known pixels, in px.
  public var meanOfImages: Double { imageCount == 0 ? 0 : imageMeanSum / Double(imageCount) }
  /// KITTI's F1-all: the share of pixels, 0...1, with an error above 3 px and above 5 % of the true length: lower is better.
  public var outlierShare: Double { share(Double(outlierCount)) }

  private func share(_ amount: Double) -> Double { pixelCount == 0 ? 0 : amount / Double(pixelCount) }

  /// The error at every pixel, in px, row-major `height · width`; NaN where the truth is unknown.
  public static func map(predicted: FlowField, truth: FlowField) -> [Float] {
    guard predicted.height == truth.height, predicted.width == truth.width else {
      fatalError("EndPointError.map: predicted \(predicted.height)x\(predicted.width), truth \(truth.height)x\(truth.width)")
    }
    return truth.isValid.indices.map { pixel in
      guard truth.isValid[pixel] else { return .nan }
      let du = predicted.vectors[2 * pixel] - truth.vectors[2 * pixel]
      let dv = predicted.vectors[2 * pixel + 1] - truth.vectors[2 * pixel + 1]
      return (du * du + dv * dv).squareRoot()
    }
  }
}
