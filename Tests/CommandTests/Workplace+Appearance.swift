import Base
import Data
import Vision

/// A small set of figures in colours of their own in the layout of Market-1501, and a narrow appearance network that learns it.
extension Workplace {
  /// A figure of two colours before a pattern, seen by one of three cameras of different brightness.
  static func figure(_ identity: Int, camera: Int, shot: Int, height: Int = 40, width: Int = 20) -> Image {
    var image = Workplace.picture(height: height, width: width, shift: 7 * shot + 3 * camera)
    var colors = Random(seed: 11, stream: .test, sample: identity)
    func level() -> UInt8 { UInt8(colors.integer(in: 30..<220)) }
    let tones = [RGB(level(), level(), level()), RGB(level(), level(), level())]
    let left = 4 + (shot + identity) % 4
    for y in 3..<height - 3 {
      for x in left..<left + 11 {
        let light = 0.1 * Float(camera)
        image[rgb: y * width + x] = tones[y < height / 2 ? 0 : 1].mixed(with: .white, share: light)
      }
    }
    return image
  }

  /// Writes `NAME/{bounding_box_train, query, bounding_box_test}`: identities 1 to `training` to learn, the next `held` ones to look for.
  func writeFigures(_ name: String, training: Int = 6, held: Int = 4) throws {
    for identity in 1...training + held {
      for camera in 1...3 {
        for shot in 0..<2 {
          let folder = identity <= training ? "bounding_box_train" : shot == 0 && camera == 1 ? "query" : "bounding_box_test"
          let number = identity < 10 ? "000\(identity)" : "00\(identity)"
          let picture = PNG.encode(Workplace.figure(identity, camera: camera, shot: shot))
          try write("\(name)/\(folder)/\(number)_c\(camera)s1_00000\(shot)_01.png", picture)
        }
      }
    }
    try write("\(name)/bounding_box_test/-1_c1s1_000009_01.png", PNG.encode(Workplace.figure(90, camera: 1, shot: 0)))
  }

  /// Writes `look.yaml` and the data.
  /// - Parameters:
  ///   - loss: the section `loss`.
  ///   - plan: of the section `plan`.
  func prepareAppearance(loss: String = "{kind: cosine_softmax}", plan: String, more: String = "") throws {
    try writeFigures("figures")
    try write("look.yaml", """
      task: appearance
      model: {height: 32, width: 16, channels: 4, features: 16, initial: he, norm_decay: 0.8, dropout: 0.1}
      data: {root: figures}
      validation: {root: figures}
      train: {batch_size: 12, crops_per_identity: 3, workers: 1}
      loss: \(loss)
      optimizer: {learning_rate: 3.0e-3}
      inference: {batch_size: 5, shown: 3}
      plan: {\(plan), threads: 1}
      \(more)
      """)
  }
}
