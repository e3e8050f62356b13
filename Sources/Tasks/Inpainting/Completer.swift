import Base
import Data
import Foundation
import Models
import Networks
import Tensors
import Training
import Vision

/// Completes pictures of any size with a generator.
///
/// Pictures are filled up with hole at the lower and right border to a multiple of the network's resolution, and cut back. Known pixels
/// keep their bytes. With `shrink`, larger pictures are completed at the network's size, and what fills the hole is enlarged.
struct Completer {
  private let model: MATGenerator
  private let settings: InpaintingInferenceSettings

  /// Both pictures of a completion; known pixels are the original's.
  struct Completion {
    let image: Image
    let firstStage: Image
  }

  init(_ model: MATGenerator, _ settings: InpaintingInferenceSettings) { (self.model, self.settings) = (model, settings) }

  /// All random numbers of a completion, by its number.
  private func source(_ number: Int) -> Random { Random(seed: UInt64(settings.seed), stream: .noise, sample: number) }

  /// - Parameter number: of the completion; another one gives another picture.
  func callAsFunction(_ image: Image, _ mask: InpaintingMask, number: Int, seen: MATGenerator.Observer = { _, _, _ in }) -> Completion {
    let longest = max(image.height, image.width)
    guard settings.shrink, longest > model.config.resolution else { return completions([(image, mask, number)], seen: seen)[0] }
    func scaled(_ side: Int) -> Int { max(1, (side * model.config.resolution + longest / 2) / longest) }
    let (height, width) = (scaled(image.height), scaled(image.width))
    // What a hole has a part in is hole.
    let grey = mask.image.resizedAntialiased(height: height, width: width)
    let small = InpaintingMask(height: height, width: width, known: grey.pixels.map { $0 == 255 ? 1 : 0 })
    let found = completions([(image.resizedAntialiased(height: height, width: width), small, number)], seen: seen)[0]
    func enlarged(_ completed: Image) -> Image {
      image.withHole(of: mask, from: completed.resizedAntialiased(height: image.height, width: image.width))
    }
    return Completion(image: enlarged(found.image), firstStage: enlarged(found.firstStage))
  }

  /// Completes pictures of one size together.
  func completions(
    _ requests: [(image: Image, mask: InpaintingMask, number: Int)], seen: MATGenerator.Observer = { _, _, _ in }
  ) -> [Completion] {
    let (height, width) = (requests[0].image.height, requests[0].image.width)
    func padded(_ length: Int) -> Int { (length + model.config.resolution - 1) / model.config.resolution * model.config.resolution }
    let (rows, columns) = (padded(height), padded(width))
    let noise: SynthesisNoise = settings.noise == .constant && (rows, columns) != (model.config.resolution, model.config.resolution)
      ? .random : settings.noise
    // Noise is drawn for a whole batch: pictures whose noise is their own are asked for alone.
    guard noise != .random || requests.count == 1 else { return requests.flatMap { completions([$0], seen: seen) } }
    let inputs = requests.map { request in
      let picture = request.image.part(top: 0, left: 0, height: rows, width: columns)
      return (pixels: picture.symmetricValues, known: request.mask.padded(height: rows, width: columns).known.map { Float($0) })
    }
    let images = Tensor(inputs.flatMap(\.pixels), shape: [requests.count, rows, columns, 3])
    let masks = Tensor(inputs.flatMap(\.known), shape: [requests.count, rows, columns, 1])
    var sources = requests.map { source($0.number) }
    let draws = drawn(images, &sources)
    let pass = Pass(.evaluation, random: sources[0])
    let output = noGradient { model(images, mask: masks, draws, truncation: settings.truncation, noise: noise, pass, seen: seen) }
    let (final, first) = (output.image.floats, output.firstStage.floats)
    return requests.enumerated().map { index, request in
      Completion(image: pasted(final, index, (rows, columns), request.image, request.mask),
                 firstStage: pasted(first, index, (rows, columns), request.image, request.mask))
    }
  }

  /// Draws for each picture from its own numbers, so that no batch matters.
  private func drawn(_ images: Tensor, _ sources: inout [Random]) -> MATGenerator.Draws {
    let one = images.sliced(0, 0..<1)
    var all: [MATGenerator.Draws] = []
    for index in sources.indices { all.append(model.draws(for: one, &sources[index])) }
    guard all.count > 1 else { return all[0] }
    return MATGenerator.Draws(
      z: concatenate(all.map(\.z), axis: 0), keepFirstStage: concatenate(all.map(\.keepFirstStage), axis: 0),
      keepSecondStage: concatenate(all.map(\.keepSecondStage), axis: 0))
  }

  /// The hole of one picture of a batch, in the original.
  private func pasted(
    _ values: [Float], _ index: Int, _ size: (rows: Int, columns: Int), _ original: Image, _ mask: InpaintingMask
  ) -> Image {
    var result = original
    for y in 0..<original.height {
      for x in 0..<original.width where mask.known[y * original.width + x] == 0 {
        let source = ((index * size.rows + y) * size.columns + x) * 3
        let found = Image(symmetric: values[source..<source + 3], height: 1, width: 1)
        result.pixels.replaceSubrange((y * original.width + x) * 3..<(y * original.width + x) * 3 + 3, with: found.pixels)
      }
    }
    return result
  }
}
