import Base
import Data
import Models
import Networks
import Tensors
import Training

/// Semantic segmentation with HRNetV2.
public enum Segmentation: LearningTask {
  public typealias TaskTraining = SegmentationTraining

  public static func model(_ config: SegmentationConfig) -> HRNetSegmentation {
    var random = Random(seed: UInt64(config.plan.seed), stream: .initialization)
    return HRNetSegmentation(config.model, &random)
  }

  public static func modelTitle(_ config: SegmentationConfig) -> String {
    let width = config.model.backbone.widths.first.map { "-W\($0)" } ?? ""
    return "HRNet\(config.model.representation.configName.uppercased())\(width)" + (config.model.objectContext.enabled ? " with OCR" : "")
  }

  // MARK: Costs

  public static func inputShape(_ config: SegmentationConfig) -> InputShape {
    InputShape(samples: config.train.batchSize, height: config.augmentation.cropHeight, width: config.augmentation.cropWidth)
  }

  public static func inputSizes(_ model: HRNetSegmentation) -> (least: Int, step: Int) { (64, 1) }

  public static func pass(_ model: HRNetSegmentation, _ config: SegmentationConfig, _ shape: InputShape, _ mode: PassMode) -> Tensor {
    let size = Extent(height: shape.height, width: shape.width)
    let images = Tensor.zeros([shape.samples, size.height, size.width, 3])
    let aligns = config.model.alignCorners
    guard mode == .training else {
      let logits = model(images, .evaluation).logits.resized(to: size, alignCorners: aligns)
      return config.inference.mode == .sliding || config.inference.scales.count > 1 ? logits.exp() : logits
    }
    let labels = [Int](repeating: 0, count: shape.samples * size.height * size.width)
    return config.loss(model(images, Pass(.training)), labels, size: size, alignCorners: aligns).total
  }

  public static func memoryRemedy(_ config: SegmentationConfig, _ mode: PassMode) -> String {
    if mode == .training { return "Choose a smaller train.batch_size, or a smaller augmentation.crop_height and crop_width." }
    return "Choose a smaller inference.batch_size, or "
      + (config.inference.mode == .sliding ? "smaller parts: inference.crop_height and crop_width."
        : "--set inference.mode=sliding, which sees the picture in parts.")
  }

  /// The number of classes, where the config leaves it to their names.
  public static func derived(_ config: SegmentationConfig) throws -> [ConfigOverride] {
    guard config.model.classes == 0 else { return [] }
    guard config.labels.classes.count > 1 else {
      throw Failure(.usage, at: "model.classes", "0 means as many as labels.classes, which has \(config.labels.classes.count) names",
                    remedy: "Name the classes, or give model.classes.")
    }
    return [ConfigOverride(key: "model.classes", value: "\(config.labels.classes.count)", option: "the names in labels.classes")]
  }

  // MARK: Words

  public static let help = {
    var help = TaskHelp(title: "HRNet segmentation")
    help.examples = [
      "apus synth segmentation --out demo_data/streets --count 3000 --seed 1",
      "apus train configs/hrnet/seg-demo.yaml --resume auto",
    ]
    help.train = """
      Examples:
        apus train configs/hrnet/seg-demo.yaml
        apus train configs/hrnet/seg-w48-cityscapes.yaml --set data.root=/data/cityscapes --set validation.root=/data/cityscapes
      """
    help.evaluate = """
      Segmentation: mean IoU, pixel and mean accuracy, and IoU class by class; classes that do not occur are in no mean. The section
      inference says how the network is asked: whole or in parts, scales, mirrored. Pictures compare the labels with what is found;
      --results DIR writes the labels found as PNGs.

      Examples:
        apus evaluate configs/hrnet/seg-demo.yaml --weights work_dirs/seg-demo/RUN
        apus evaluate configs/hrnet/seg-demo.yaml --weights work_dirs/seg-demo/RUN --set inference.flip=true --results labels/
      """
    help.predict = """
      Segmentation: the source is a folder of pictures, or pictures. For every picture a PNG with a palette holds the class of each pixel,
      and a second one shows the classes over the picture.

      Example:
        apus predict configs/hrnet/seg-demo.yaml --weights work_dirs/seg-demo/RUN --source pictures/ --out labels/ --flip
      """
    help.inspect = """
      Example:
        apus inspect configs/hrnet/seg-w48-cityscapes.yaml
      """
    help.parity = """
      Segmentation reads image [n, 3, h, w] (normalised) and label [n, h, w] (255: ignored), and writes output.logits, with object context
      output.logits.aux, loss.total and loss.cross_entropy; dropout is left out.

      Example:
        apus parity configs/hrnet/seg-demo.yaml --weights w.safetensors --inputs i.safetensors --out o.safetensors --steps 3
      """
    help.parityInputs = "Inputs are image [n, 3, h, w] and label [n, h, w]."
    return help
  }()
}
