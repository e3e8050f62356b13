import Base
import Data
import Models
import Networks
import Tensors
import Training

/// Appearance of objects as vectors, by which a tracker knows them again.
public enum Appearance: LearningTask {
  public typealias TaskTraining = AppearanceTraining

  public static func model(_ config: AppearanceConfig) -> AppearanceNetwork {
    var random = Random(seed: UInt64(config.plan.seed), stream: .initialization)
    return AppearanceNetwork(config.model, &random)
  }

  public static func modelTitle(_ config: AppearanceConfig) -> String {
    let model = config.model
    return "DeepSORT's appearance network for \(model.width)x\(model.height)" + (model.channels == 32 ? "" : ", \(model.channels) channels")
  }

  /// The number of identities, where the config leaves it to the data; as it is where the data are not there.
  public static func derived(_ config: AppearanceConfig) throws -> [ConfigOverride] {
    guard config.loss.kind == .cosineSoftmax, config.loss.identities == 0 else { return [] }
    do {
      guard let training = try config.data.openTraining(config.model), training.identities.count > 1 else { return [] }
      return [ConfigOverride(key: "loss.identities", value: "\(training.identities.count)", option: "the identities of the data")]
    } catch let failure as Failure where failure.kind == .missingInput {
      return []
    }
  }

  // MARK: Costs

  public static func inputShape(_ config: AppearanceConfig) -> InputShape {
    InputShape(samples: config.train.batchSize, height: config.model.height, width: config.model.width)
  }

  public static func inputSizes(_ model: AppearanceNetwork) -> (least: Int, step: Int) {
    let side = max(model.config.height, model.config.width)
    return (side, side)
  }

  /// The network takes crops of one size: an input of another one counts as as many crops as have its area.
  public static func pass(
    _ model: AppearanceNetwork, _ config: AppearanceConfig, _ shape: InputShape, _ mode: PassMode
  ) -> Tensor {
    let area = config.model.height * config.model.width
    let crops = max(1, (shape.samples * shape.height * shape.width + area - 1) / area)
    // A single crop has no variance in the dense layer's normalisation.
    let pass = mode == .training && crops > 1 ? Pass(.training) : Pass(.training, frozenNormalization: true)
    return model(.zeros([crops, config.model.height, config.model.width, 3]), mode == .training ? pass : .evaluation).sum()
  }

  public static func memoryRemedy(_ config: AppearanceConfig, _ mode: PassMode) -> String {
    mode == .training ? "Choose a smaller train.batch_size." : "Choose a smaller inference.batch_size."
  }

  // MARK: Words

  public static let help = {
    var help = TaskHelp(title: "DeepSORT's appearance network")
    help.examples = ["apus train configs/tracking/appearance-demo.yaml --resume auto"]
    help.train = """
      Examples:
        apus train configs/tracking/appearance-demo.yaml
        apus train configs/tracking/appearance-demo.yaml --set data.root=/data/market1501 --set validation.root=/data/market1501
        apus train configs/tracking/appearance-demo.yaml --set data.format=mot --set data.root=/data/MOT17/train
      """
    help.evaluate = """
      Appearance: rank-1, rank-5, rank-10 and mean average precision by the rules of Market-1501: pictures of the query's identity from its
      own camera are left out. Sets without queries are judged by every picture against all others. Pictures show queries and what is
      nearest to them.

      Example:
        apus evaluate configs/tracking/appearance-demo.yaml --weights work_dirs/appearance-demo/RUN
      """
    help.predict = """
      Appearance: the source is a folder of crops, or crops. For every crop there is a file with its vector of length 1, a NumPy array or,
      with --vectors safetensors, the tensor `features`.

      Example:
        apus predict configs/tracking/appearance-demo.yaml --weights work_dirs/appearance-demo/RUN --source crops/ --out features/
      """
    help.inspect = """
      Example:
        apus inspect configs/tracking/appearance-demo.yaml
      """
    help.parity = """
      Appearance reads image [n, 3, h, w] (0 to 255) and label [n] (identities from 0), and writes output.features, loss.total and, with the
      cosine softmax, loss.scale; dropout is left out. The weights hold what the loss learns, too, as head.*.

      Example:
        apus parity configs/tracking/appearance-demo.yaml --weights w.safetensors --inputs i.safetensors --out o.safetensors --steps 3
      """
    help.parityInputs = "Inputs are image [n, 3, h, w] and label [n]."
    return help
  }()
}
