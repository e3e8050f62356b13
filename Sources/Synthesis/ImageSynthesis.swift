import Base
import Vision

/// What the generators of single images share: the surfaces and the camera of flow scenes, and the files that are written.
protocol ImageSynthesis: ValidatedConfig {
  /// Rows and columns of the images, px.
  var height: Int { get }
  var width: Int { get }
  /// Largest standard deviation of sensor noise, grey levels of 255.
  var noise: Double { get }
  /// Largest standard deviation of the lens blur, px.
  var blur: Double { get }
  /// Of JPEG files, 1...100.
  var quality: Int { get }
}

extension ImageSynthesis {
  /// The surfaces and the camera, which are those of flow scenes.
  var surfaces: FlowSynthesis {
    var surfaces = FlowSynthesis()
    surfaces.height = height
    surfaces.width = width
    surfaces.noise = noise
    surfaces.blur = blur
    surfaces.jpegShare = 0
    return surfaces
  }

  /// The photograph of a rendered frame.
  func developed(_ frame: FlowScene.Frame, index: Int, seed: UInt64) -> Image {
    let surfaces = surfaces
    let camera = surfaces.cameras(index: index, seed: seed, frames: 1)[0]
    return camera.develop(frame.colors, height: height, width: width, surfaces.source(.noise, 1, index, seed))
  }

  /// Sides of the images that are out of range.
  var sizeProblems: [ConfigProblem] {
    var problems: [ConfigProblem] = []
    problems.require((32...8192).contains(height), "height", height, "32 to 8192 px")
    problems.require((32...8192).contains(width), "width", width, "32 to 8192 px")
    return problems
  }

  /// Values of the camera and of the files that are out of range.
  var pictureProblems: [ConfigProblem] {
    var problems: [ConfigProblem] = []
    problems.require((0...100).contains(noise), "noise", noise, "0 to 100 grey levels")
    problems.require((0...1).contains(blur), "blur", blur, "0 to 1 px (the filter has five taps)")
    problems.require((1...100).contains(quality), "quality", quality, "1 to 100")
    return problems
  }
}
