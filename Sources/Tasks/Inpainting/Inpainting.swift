import Base
import Data
import Models
import Networks
import Tensors
import Training

/// Inpainting of large holes with MAT.
public enum Inpainting: LearningTask {
  public typealias TaskTraining = InpaintingTraining

  public static func model(_ config: InpaintingConfig) -> MATGenerator {
    var random = Random(seed: UInt64(config.plan.seed), stream: .initialization)
    return MATGenerator(config.model, &random)
  }

  public static func modelTitle(_ config: InpaintingConfig) -> String { "MAT's generator for \(config.model.resolution) pixels" }

  /// The perceptual loss, if the config has one.
  /// - Throws: the failures of reading its weights.
  static func perception(_ config: InpaintingConfig, section: String = "") throws -> PerceptualLoss? {
    guard config.loss.perceptual > 0 else { return nil }
    return PerceptualLoss(try FeatureWeights(config.loss.perceptualWeights, setting: "\(section)loss.perceptual_weights").vgg19())
  }

  // MARK: Costs

  public static func inputShape(_ config: InpaintingConfig) -> InputShape {
    InputShape(samples: config.train.batchSize, height: config.model.resolution, width: config.model.resolution)
  }

  public static func inputSizes(_ model: MATGenerator) -> (least: Int, step: Int) { (model.config.resolution, model.config.resolution) }

  public static func pass(_ model: MATGenerator, _ config: InpaintingConfig, _ shape: InputShape, _ mode: PassMode) -> Tensor {
    let images = Tensor.zeros([shape.samples, shape.height, shape.width, 3])
    let masks = Tensor.zeros([shape.samples, shape.height, shape.width, 1])
    var random = Random(seed: 0, stream: .noise)
    let draws = model.draws(for: images, &random)
    let output = model(images, mask: masks, draws, noise: .random, .evaluation)
    guard mode == .training, shape.height == config.model.resolution, shape.width == config.model.resolution else {
      return output.image.sum() + output.firstStage.sum()
    }
    let discriminator = MATDiscriminator(config.model, &random)
    return MATLoss.generator(discriminator(output.image, mask: masks, firstStage: output.firstStage))
  }

  public static func memoryRemedy(_ config: InpaintingConfig, _ mode: PassMode) -> String {
    mode == .training ? "Choose a smaller train.batch_size, or a smaller model.resolution."
      : "Choose a smaller picture, or cut it into parts."
  }

  // MARK: Words

  public static let help = {
    var help = TaskHelp(title: "MAT inpainting")
    help.examples = [
      "apus synth inpainting --out demo_data/rooms --count 6000 --width 64 --height 64 --seed 1",
      "apus train configs/mat/demo.yaml --resume auto",
    ]
    help.train = """
      Examples:
        apus train configs/mat/demo.yaml
        apus train configs/mat/places-512.yaml --set data.images=/data/places/train --set loss.perceptual_weights=vgg19.safetensors
      """
    help.evaluate = """
      Inpainting: L1 over the hole and over the picture, PSNR and SSIM of one completion of each picture, beside L1 of the mean colour and
      of the nearest known pixel. FID, P-IDS, U-IDS, LPIPS, precision and recall are added where the section metrics names the weights of
      their networks. --results DIR writes the completions.

      Examples:
        apus evaluate configs/mat/demo.yaml --weights work_dirs/demo/RUN
        apus evaluate configs/mat/celeba-256.yaml --weights CelebA-HQ_256.pkl --set metrics.inception=inception.safetensors
      """
    help.predict = """
      Inpainting: the source is a folder of pictures, or pictures, of any size. A mask is a picture of the same size and name, in another
      folder (--masks) or beside it with _mask in its name; white is known and black is the hole, unless --polarity says otherwise. For
      every picture there is NAME.png, with --completions N also NAME_2.png to NAME_N.png, in which known pixels are as they were, and a
      sheet.

      Example:
        apus predict configs/mat/demo.yaml --weights work_dirs/demo/RUN --source pictures/ --masks masks/ --out filled/ --completions 4
      """
    help.inspect = """
      Example:
        apus inspect configs/mat/places-512.yaml
      """
    help.parity = parityHelp
    help.parityInputs = "Inputs are image, mask, z, keep_first_stage and keep_second_stage, fake and fake_stage1, or it0.image and so on."
    return help
  }()
}

extension Inpainting: DataCheckTask {
  public static func dataReport(_ config: InpaintingConfig) throws -> DataReport {
    guard let training = try config.data.open(config, isTraining: true) else {
      throw Failure(.usage, at: "data.images", "there is no data to check", remedy: "Name the folder of the pictures.")
    }
    let validation = try config.validation.open(config, isTraining: false)
    var reports = [InpaintingReport(of: training, name: "training set", validation: validation)]
    if let validation { reports.append(InpaintingReport(of: validation, name: "validation set")) }
    return DataReport(text: reports.map(\.description).joined(separator: "\n"), isUsable: reports.allSatisfy(\.isUsable),
                      distributions: distributions(of: reports[0], training))
  }

  private static func distributions(of report: InpaintingReport, _ set: InpaintingSet) -> [Distribution] {
    let edges = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
    let headers = set.pictures.paths.indices.compactMap { try? ImageHeader(contentsOf: set.pictures.path(of: $0)) }
    return [
      Distribution("share of the hole, %", unit: "masks", report.holeShares, edges: edges) { "\(Int((100 * $0).rounded()))" },
      Distribution(sizes: headers.map { ($0.height, $0.width) }),
    ]
  }
}
