import Base
import Foundation
import Vision

/// Synthetic image pairs with exact dense optical flow: textured shapes that move over a textured, moving background.
///
/// What decides whether a network trained on such pairs works on real ones is the statistics of the images and of the motions: luminance
/// with an amplitude spectrum 1/f^0.6...1.6, moderate and weakly correlated colours, edges and plain areas of all sizes, repeating
/// patterns, thin structures, shadows; motions from fractions of a pixel to a sixth of the frame, of one plane, of several in parallax,
/// of surfaces that bend. The flow is that of the front-most surface at each pixel of image 1, computed from the motion of that surface,
/// not estimated; both images are rendered from one description by inverse mapping.
///
/// Three kinds of scenes: flat objects over a plane, as in FlyingChairs; the same with a camera that hardly moves; and the view from a
/// car, with a floor, walls and upright objects in true perspective.
///
/// A sample is a pure function of the settings, the seed and its index.
///
/// ```swift
/// let pair = FlowSynthesis().sample(index: 0, seed: 1)
/// ```
/// - Source: flat scenes follow FlyingChairs (Dosovitskiy et al., "FlowNet", ICCV 2015: affine motions of objects over an affine motion
///   of the background), with drawn instead of photographed surfaces. What helps transfer: Mayer et al., "What makes good synthetic
///   training data for learning disparity and optical flow estimation?", IJCV 2018; Sun et al., "AutoFlow", CVPR 2021.
public struct FlowSynthesis: Codable, Sendable, Equatable {
  /// Rows and columns of the images, px; at least 32.
  public var height = 288
  public var width = 384

  /// Objects in a scene: uniform in this range. Both at least 0.
  public var fewestObjects = 3
  public var mostObjects = 16
  /// Radii of the circles around objects, px: log-uniform in this range.
  public var smallestRadius = 7.0
  public var largestRadius = 100.0
  /// Share of objects made of thin bars: poles, rails, trellises, twigs; 0...1.
  public var thinShare = 0.22

  /// Median shift of the background, px. Shifts are log-normal: a few are much larger.
  public var medianBackgroundMotion = 2.5
  /// Median shift of an object relative to the background, px.
  public var medianObjectMotion = 4.5
  /// Standard deviation of the logarithm of the shifts.
  public var motionSpread = 1.05
  /// No point in the frame moves farther than this, px (objects: than twice this, background and own motion together).
  public var maximumMotion = 40.0
  /// Share of scenes, 0...1, whose background moves by less than about half a pixel.
  public var staticShare = 0.12
  /// Share of scenes, 0...1, in which all shifts are multiplied by 0.05...0.4, so that fractions of a pixel matter.
  public var gentleShare = 0.3
  /// Share of scenes, 0...1, seen by a camera that drives along a floor.
  public var drivingShare = 0.22
  /// Share of objects, 0...1, that move with the background: half of them exactly, the others farther, as if nearer.
  public var attachedShare = 0.35
  /// Share of objects and of backgrounds, 0...1, that bend while they move, and how much: standard deviation of the bend's
  /// displacements as a part of its wavelength.
  public var deformingShare = 0.2
  public var deformation = 0.035
  /// Share of backgrounds, 0...1, that lean away from the camera.
  public var tiltShare = 0.25
  /// Standard deviation of an object's rotation, degrees; the background turns by a quarter of it.
  public var rotation = 5.0
  /// Standard deviation of the logarithm of an object's zoom; the background zooms by a quarter of it.
  public var zoom = 0.06
  /// Standard deviation of an object's shear; that of the background is a quarter.
  public var shear = 0.03

  /// Exponents of the luminance's amplitude spectrum 1/f^e: in this range, more often steep than flat.
  public var flattestSpectrum = 0.6
  public var steepestSpectrum = 1.6

  /// Change of the light between the images: standard deviation of the relative gain (per channel half of it, and as much again as
  /// a gradient over the frame).
  public var illumination = 0.04
  /// Largest darkness of the soft shadows that objects cast, 0...1.
  public var shadow = 0.5
  /// Share of scenes, 0...1, over which shadows move on their own, and over which highlights do.
  public var movingShadowShare = 0.12
  public var highlightShare = 0.06
  /// Share of scenes, 0...1, in fog, and the largest share of a surface's light that it swallows.
  public var fogShare = 0.12
  public var fog = 0.75
  /// Largest standard deviation of sensor noise, grey levels of 255.
  public var noise = 3.0
  /// Largest standard deviation of the lens blur, px (beside the 0.6 px of the texture's spline).
  public var blur = 0.6
  /// Share of backgrounds and objects, 0...1, out of focus: their texels are up to this many px large.
  public var defocusShare = 0.2
  public var defocus = 2.6
  /// Share of scenes, 0...1, with motion blur: the shutter is open for up to this share of the time between the images.
  public var motionBlurShare = 0.1
  public var motionBlur = 0.5
  /// The camera's tones: standard deviations of the logarithms of gamma, contrast and gain per channel; the same in both images.
  public var toneSpread = 0.14
  /// Largest darkening of the corners, 0...1.
  public var vignette = 0.35
  /// Share of scenes, 0...1, stored as JPEG on the way, with a quality of 40...95.
  public var jpegShare = 0.12

  public init() {}

  /// Checks the ranges of all settings.
  /// - Throws: `Failure(.usage)` naming the setting.
  public func validate() throws {
    func check(_ isRight: Bool, _ name: String, _ expected: String) throws {
      if !isRight { throw Failure(.usage, at: name, "out of range", remedy: "expected \(expected)") }
    }
    try check(height >= 32 && width >= 32, "height, width", "at least 32 px")
    try check(fewestObjects >= 0 && mostObjects >= fewestObjects && mostObjects < 10_000,
              "fewestObjects, mostObjects", "0 <= fewest <= most < 10000")
    try check(smallestRadius >= 3 && largestRadius >= smallestRadius, "smallestRadius, largestRadius", "3 <= smallest <= largest, px")
    let positive = [medianBackgroundMotion, medianObjectMotion, maximumMotion]
    try check(positive.allSatisfy { $0 > 0 }, "medianBackgroundMotion, medianObjectMotion, maximumMotion", "above 0 px")
    for (name, share) in shares { try check((0...1).contains(share), name, "0...1") }
    let spreads = [motionSpread, rotation, zoom, shear, illumination, noise, blur, toneSpread]
    try check(spreads.allSatisfy { $0 >= 0 }, "motionSpread, rotation, zoom, shear, illumination, noise, blur, toneSpread", "0 or more")
    try check(blur <= 1, "blur", "at most 1 px (the filter has five taps)")
    try check(toneSpread <= 0.5, "toneSpread", "at most 0.5")
    try check((0...0.1).contains(deformation), "deformation", "0...0.1 (more would fold the surface)")
    try check((1...8).contains(defocus), "defocus", "1...8 px")
    try check(flattestSpectrum >= 0 && steepestSpectrum >= flattestSpectrum && steepestSpectrum <= 3,
              "flattestSpectrum, steepestSpectrum", "0 <= flattest <= steepest <= 3")
  }

  /// The settings that are shares, with their names.
  private var shares: [(String, Double)] {
    [("staticShare", staticShare), ("gentleShare", gentleShare), ("drivingShare", drivingShare), ("attachedShare", attachedShare),
     ("deformingShare", deformingShare), ("tiltShare", tiltShare), ("thinShare", thinShare), ("shadow", shadow),
     ("movingShadowShare", movingShadowShare), ("highlightShare", highlightShare), ("fogShare", fogShare), ("fog", fog),
     ("defocusShare", defocusShare), ("motionBlurShare", motionBlurShare), ("motionBlur", motionBlur), ("vignette", vignette),
     ("jpegShare", jpegShare)]
  }

  /// One pair of RGB images and the flow from the first to the second, all `height` x `width`.
  /// - Parameters:
  ///   - index: of the sample, 0 or more.
  ///   - seed: of the data set.
  public func sample(index: Int, seed: UInt64) -> (image1: Image, image2: Image, flow: FlowField) {
    let scene = scene(index: index, seed: seed)
    let first = scene.render(second: false), second = scene.render(second: true)
    let exposures = exposures(index: index, seed: seed, frames: 2)
    return (
      exposures[0].develop(first.colors, height: height, width: width, source(.noise, 1, index, seed)),
      exposures[1].develop(second.colors, height: height, width: width, source(.noise, 2, index, seed)),
      FlowField(height: height, width: width, vectors: scene.flow(owners: first.owners))
    )
  }

  /// The random numbers for one purpose within one sample.
  func source(_ stream: Random.Stream, _ purpose: Int, _ index: Int, _ seed: UInt64) -> Random {
    Random(seed: seed, stream: stream, epoch: purpose, sample: index)
  }

  /// The light and the camera of each frame: the same lens and sensor, a light slightly different from the first one's.
  func exposures(index: Int, seed: UInt64, frames count: Int) -> [Exposure] {
    var random = source(.synthesis, -1, index, seed)
    func factor(_ spread: Double) -> Double { exp(spread * random.normal().clamped(to: -3...3)) }
    var first = Exposure()
    first.blur = random.uniform(0, blur)
    first.noise = random.chance(0.3) ? 0 : random.uniform(0, noise)
    (first.gamma, first.contrast) = (factor(toneSpread), max(0.6, factor(toneSpread)))
    first.gain = SIMD4(Float(factor(toneSpread / 2)), Float(factor(toneSpread / 2)), Float(factor(toneSpread / 2)), 1)
    first.vignette = Float(random.uniform(0, vignette) * random.uniform())
    if random.chance(jpegShare) { first.quality = random.integer(in: 40..<96) }
    return [first] + (1..<max(1, count)).map { _ in
      var next = first
      let common = illumination * random.normal()
      let channels = SIMD3(random.normal(), random.normal(), random.normal()) * (illumination / 2)
      let factors = [common + channels.x, common + channels.y, common + channels.z].map { Float(exp($0.clamped(to: -0.5...0.5))) }
      next.gain *= SIMD4(factors[0], factors[1], factors[2], 1)
      next.slope = SIMD2<Float>(SIMD2(random.normal(), random.normal()) * illumination)
      return next
    }
  }
}
