import Base
import Foundation
import Vision

/// Synthetic image pairs with exact dense optical flow: textured shapes that move over a textured, moving background.
///
/// The statistics of images and motions are those of real films, for they decide whether a network trained here works there: luminance
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
///   of the background), with drawn instead of photographed surfaces. On what helps transfer: Mayer et al., "What makes good synthetic
///   training data for learning disparity and optical flow estimation?", IJCV 2018; Sun et al., "AutoFlow", CVPR 2021.
public struct FlowSynthesis: Codable, Sendable, Equatable, ValidatedConfig {
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

  /// The settings that are out of range.
  public func problems() -> [ConfigProblem] {
    var problems: [ConfigProblem] = []
    problems.require((32...8192).contains(height), "height", height, "32 to 8192 px")
    problems.require((32...8192).contains(width), "width", width, "32 to 8192 px")
    problems.require((0..<10_000).contains(fewestObjects), "fewest_objects", fewestObjects, "0 to 9999")
    problems.require(
      mostObjects >= fewestObjects && mostObjects < 10_000, "most_objects", mostObjects, "fewest_objects (\(fewestObjects)) to 9999")
    problems.require((3...10_000).contains(smallestRadius), "smallest_radius", smallestRadius, "3 to 10000 px")
    problems.require(largestRadius >= smallestRadius && largestRadius <= 10_000, "largest_radius", largestRadius,
                     "smallest_radius (\(smallestRadius)) to 10000 px")
    for (key, value) in [("median_background_motion", medianBackgroundMotion), ("median_object_motion", medianObjectMotion),
                         ("maximum_motion", maximumMotion)] {
      problems.require(value > 0 && value <= 10_000, key, value, "above 0, at most 10000 px")
    }
    for (name, share) in shares { problems.require((0...1).contains(share), name.snakeCased, share, "0 to 1") }
    for (key, value) in [("motion_spread", motionSpread), ("rotation", rotation), ("zoom", zoom), ("shear", shear),
                         ("illumination", illumination), ("noise", noise)] {
      problems.require(value >= 0 && value <= 1000, key, value, "0 to 1000")
    }
    problems.require((0...1).contains(blur), "blur", blur, "0 to 1 px (the filter has five taps)")
    problems.require((0...0.5).contains(toneSpread), "tone_spread", toneSpread, "0 to 0.5")
    problems.require((0...0.1).contains(deformation), "deformation", deformation, "0 to 0.1 (more would fold the surface)")
    problems.require((1...8).contains(defocus), "defocus", defocus, "1 to 8 px")
    problems.require((0...3).contains(flattestSpectrum), "flattest_spectrum", flattestSpectrum, "0 to 3")
    problems.require(steepestSpectrum >= flattestSpectrum && steepestSpectrum <= 3, "steepest_spectrum", steepestSpectrum,
                     "flattest_spectrum (\(flattestSpectrum)) to 3")
    return problems
  }

  /// All settings whose range is 0...1, with their names.
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
    let first = scene.render(second: false)
    let second = scene.render(second: true)
    let cameras = cameras(index: index, seed: seed, frames: 2)
    return (
      cameras[0].develop(first.colors, height: height, width: width, source(.noise, 1, index, seed)),
      cameras[1].develop(second.colors, height: height, width: width, source(.noise, 2, index, seed)),
      FlowField(height: height, width: width, vectors: scene.flow(owners: first.owners))
    )
  }

  /// The random numbers for one purpose within one sample.
  func source(_ stream: Random.Stream, _ purpose: Int, _ index: Int, _ seed: UInt64) -> Random {
    Random(seed: seed, stream: stream, epoch: purpose, sample: index)
  }

  /// The light and the camera of each frame: the same lens and sensor, a light slightly different from the first one's.
  func cameras(index: Int, seed: UInt64, frames count: Int) -> [CameraModel] {
    var random = source(.synthesis, -1, index, seed)
    func factor(_ spread: Double) -> Double { exp(spread * random.normal().clamped(to: -3...3)) }
    var first = CameraModel()
    first.blur = random.uniform(0, blur)
    first.noise = random.chance(0.3) ? 0 : random.uniform(0, noise)
    first.gamma = factor(toneSpread)
    first.contrast = max(0.6, factor(toneSpread))
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
