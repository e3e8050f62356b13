import Base
import Data
import Models
import Networks
import Tensors
import Training

/// Detection with DETR.
public enum Detection: LearningTask {
  public typealias TaskTraining = DetectionTraining

  public static func model(_ config: DetectionConfig) -> DETRModel {
    var random = Random(seed: UInt64(config.plan.seed), stream: .initialization)
    return DETRModel(config.model, &random)
  }

  public static func modelTitle(_ config: DetectionConfig) -> String {
    "DETR-\(config.model.backbone.variant.rawValue)" + (config.model.masks ? " with masks" : "")
  }

  // MARK: Costs

  public static func inputShape(_ config: DetectionConfig) -> InputShape {
    let height = config.augmentation.sizes.max() ?? 800
    let width = min(height * 4 / 3, config.augmentation.maximumSize)
    return InputShape(samples: config.train.batchSize, height: height, width: width)
  }

  public static func inputSizes(_ model: DETRModel) -> (least: Int, step: Int) { (64, 1) }

  public static func pass(_ model: DETRModel, _ config: DetectionConfig, _ shape: InputShape, _ mode: PassMode) -> Tensor {
    let size = Extent(height: shape.height, width: shape.width)
    let images = PaddedImages(
      pixels: .zeros([shape.samples, size.height, size.width, 3]), sizes: Array(repeating: size, count: shape.samples))
    let isTraining = mode == .training
    let output = model.detr(images, auxiliary: isTraining && config.loss.auxiliary, Pass(isTraining ? .training : .evaluation))
    guard let segmentation = model.segmentation else { return output.logits.sum() + output.boxes.sum() }
    // As many masks as an image of COCO has objects, or all slots.
    let queries = mode == .training ? min(config.model.queries, 8) : config.model.queries
    let slots = (0..<shape.samples).flatMap { image in (0..<queries).map { (image: image, query: $0) } }
    return output.logits.sum() + segmentation.masks(of: slots, output).sum()
  }

  public static func memoryRemedy(_ config: DetectionConfig, _ mode: PassMode) -> String {
    mode == .training ? "Choose a smaller train.batch_size, or smaller augmentation.sizes and maximum_size."
      : "Choose a smaller inference.batch_size or augmentation.evaluation_size."
  }

  /// The classes of the training data, where the config does not name them.
  public static func derived(_ config: DetectionConfig) throws -> [ConfigOverride] {
    guard config.model.classes == 0 else { return [] }
    let data = config.data
    guard !data.annotations.isEmpty else {
      throw Failure(.usage, at: "model.classes", "0 means the classes of the data, but data.annotations is empty",
                    remedy: "Name the annotations, or give model.classes.")
    }
    let categories = try COCODetection.categories(of: data.annotations, isPanoptic: !data.panopticMasks.isEmpty)
    let option = "the categories of \(data.annotations)"
    let names = categories.map { "\"\($0.name.filter { $0 != "\"" && $0 != "\\" })\"" }
    return [
      ConfigOverride(key: "model.classes", value: "\(categories.count)", option: option),
      ConfigOverride(key: "data.category_ids", value: "\(categories.map(\.id))", option: option),
      ConfigOverride(key: "data.category_names", value: "[\(names.joined(separator: ", "))]", option: option),
    ]
  }

  // MARK: Words

  public static let help = {
    var help = TaskHelp(title: "DETR detection")
    help.examples = [
      "apus synth detection --out demo_data/scenes --count 10000 --seed 1",
      "apus train configs/detr/demo.yaml --resume auto",
    ]
    help.train = """
      Examples:
        apus train configs/detr/demo.yaml
        apus train configs/detr/finetune.yaml --set data.annotations=mine/train.json --set data.images=mine/images
      """
    help.evaluate = """
      Detection: COCO's twelve numbers for boxes, and for masks and panoptic sets if the network makes masks; --results writes COCO's result
      format. Give the run's own config.yaml if classes were taken from the training data and that is not here.

      Examples:
        apus evaluate configs/detr/demo.yaml --weights work_dirs/demo/RUN
        apus evaluate work_dirs/demo/RUN/config.yaml --weights work_dirs/demo/RUN --results results.json
      """
    help.predict = """
      Detection: the source is a folder of pictures, or pictures. For every picture a JSON file lists class, score and box in its pixels
      (and the mask), and a second picture shows them.

      Example:
        apus predict work_dirs/demo/RUN/config.yaml --weights work_dirs/demo/RUN --source pictures/ --out found/ --threshold 0.5
      """
    help.inspect = """
      Example:
        apus inspect configs/detr/r50.yaml
      """
    help.convert = """
      Examples:
        apus convert detr-r50-e632da11.pth
        apus convert model.safetensors detr-r50.pth --model detr-r50
      """
    help.parity = """
      Detection reads image.<i> [3, h, w] (normalised), boxes.<i> [n, 4] (cx cy w h, relative), labels.<i> [n], masks.<i> [n, h, w] and
      original_size.<i> [2] (height, width); it writes output.*, match.*, loss.*, post.* with DETR's names.

      Example:
        apus parity configs/detr/r50.yaml --weights w.safetensors --inputs i.safetensors --out o.safetensors --steps 3
      """
    help.parityInputs = "Inputs are image.<i>, boxes.<i>, labels.<i>, and masks.<i> and original_size.<i> if there are any."
    return help
  }()
}

extension DetectionConfig {
  /// The category of each class: those of the data, or without any the ids themselves.
  var categories: CategoryMap {
    CategoryMap(ids: data.categoryIds.isEmpty ? Array(0..<model.classes) : data.categoryIds, names: data.categoryNames)
  }
}
