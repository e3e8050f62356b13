import Base
import Data
import Models
import Networks
import Tensors
import Training
import Vision

/// Pose estimation with HRNet: the keypoints of one body at a time, given its box.
public enum Pose: LearningTask {
  public typealias TaskTraining = PoseTraining

  public static func model(_ config: PoseConfig) -> HRNetPose {
    var random = Random(seed: UInt64(config.plan.seed), stream: .initialization)
    return HRNetPose(config.model, &random)
  }

  public static func modelTitle(_ config: PoseConfig) -> String { "HRNet for \(config.model.keypoints) keypoints" }

  // MARK: Costs

  public static func inputShape(_ config: PoseConfig) -> InputShape {
    InputShape(samples: config.train.batchSize, height: config.crop.height, width: config.crop.width)
  }

  /// Twice the step at least: a single cell of a single image has no variance for batch normalisation.
  public static func inputSizes(_ model: HRNetPose) -> (least: Int, step: Int) { (2 * model.sizeStep, model.sizeStep) }

  public static func pass(_ model: HRNetPose, _ config: PoseConfig, _ shape: InputShape, _ mode: PassMode) -> Tensor {
    let images = Tensor.zeros([shape.samples, shape.height, shape.width, 3])
    let heatmaps = model(images, Pass(mode == .training ? .training : .evaluation))
    return mode == .training ? heatmapMSE(heatmaps, .zeros(heatmaps.shape)) : heatmaps
  }

  public static func memoryRemedy(_ config: PoseConfig, _ mode: PassMode) -> String {
    mode == .training ? "Choose a smaller train.batch_size, or a smaller crop." : "Choose a smaller inference.batch_size."
  }

  /// The skeleton of the training data, where the config does not describe one.
  public static func derived(_ config: PoseConfig) throws -> [ConfigOverride] {
    var skeleton = config.skeleton
    var overrides: [ConfigOverride] = []
    if skeleton.kind == .data {
      guard !config.data.annotations.isEmpty else {
        throw Failure(.usage, at: "skeleton.kind", "data means the keypoints of the data, but data.annotations is empty",
                      remedy: "Name the annotations, or set skeleton.kind to coco, mpii or custom.")
      }
      let option = "the keypoints of \(config.data.annotations)"
      skeleton = try config.skeleton.completed(by: skeleton.names.isEmpty ? config.data.skeleton() : nil)
      func add(_ key: String, _ value: some Any) {
        overrides.append(ConfigOverride(key: "skeleton.\(key)", value: "\(value)", option: option))
      }
      add("kind", SkeletonSettings.Kind.custom.configName)
      add("names", "[" + skeleton.names.map { "\"\($0.filter { $0 != "\"" && $0 != "\\" })\"" }.joined(separator: ", ") + "]")
      add("sigmas", skeleton.sigmas)
      add("flip_pairs", skeleton.flipPairs)
      add("limbs", skeleton.limbs)
      add("upper_body", skeleton.upperBody)
    }
    guard config.model.keypoints == 0 else { return overrides }
    let count = skeleton.skeleton.count
    return overrides + [ConfigOverride(key: "model.keypoints", value: "\(count)", option: "the \(count) keypoints of the skeleton")]
  }

  // MARK: Words

  public static let help = {
    var help = TaskHelp(title: "HRNet pose estimation")
    help.examples = [
      "apus synth pose --out demo_data/figures --count 4000 --seed 1",
      "apus train configs/hrnet/pose-demo.yaml --resume auto",
    ]
    help.train = """
      Examples:
        apus train configs/hrnet/pose-demo.yaml
        apus train configs/hrnet/pose-w32-256x192.yaml --set initialize.from=hrnet_w32-36af842e.pth --set initialize.strict=false
      """
    help.evaluate = """
      Pose: COCO's ten numbers for keypoints, or PCKh for MPII; the boxes are those of the annotations unless validation.boxes names a
      detector's file, and the first line says which. --results writes COCO's result format.

      Examples:
        apus evaluate configs/hrnet/pose-w32-256x192.yaml --weights pose_hrnet_w32_256x192.pth
        apus evaluate work_dirs/pose-demo/RUN/config.yaml --weights work_dirs/pose-demo/RUN --results results.json
      """
    help.predict = """
      Pose: the source is a folder of pictures, or pictures. Each shows one body that fills it, or several whose boxes --boxes names: COCO
      annotations, which give file names, or a detector's results, whose image_id is the number in the picture's name. For every picture a
      JSON file in COCO's result format lists the bodies, and a second picture shows them.

      Example:
        apus predict work_dirs/pose-demo/RUN/config.yaml --weights work_dirs/pose-demo/RUN --source pictures/ --out found/ --boxes b.json
      """
    help.inspect = """
      Example:
        apus inspect configs/hrnet/pose-w32-256x192.yaml
      """
    help.convert = """
      Example:
        apus convert pose_hrnet_w32_256x192.pth --config configs/hrnet/pose-w32-256x192.yaml
      """
    help.parity = """
      Pose reads image [n, 3, h, w] (normalised), target [n, keypoints, h / 4, w / 4] and target_weight [n, keypoints, 1]; it writes
      output.heatmap and loss.total.

      Example:
        apus parity configs/hrnet/pose-w32-256x192.yaml --weights w.safetensors --inputs i.safetensors --out o.safetensors --steps 3
      """
    help.parityInputs = "Inputs are image, target and target_weight."
    return help
  }()
}

extension SkeletonSettings {
  /// The same as `custom`, with what is empty taken from a skeleton, or of names alone derived from them.
  func completed(by skeleton: Skeleton?) throws -> SkeletonSettings {
    var whole = SkeletonSettings(skeleton ?? Skeleton(names: names, limbs: []))
    if !sigmas.isEmpty { whole.sigmas = sigmas }
    if !flipPairs.isEmpty { whole.flipPairs = flipPairs }
    if !limbs.isEmpty { whole.limbs = limbs }
    if !upperBody.isEmpty { whole.upperBody = upperBody }
    if let problem = whole.problems().first {
      throw Failure(.usage, at: "skeleton.\(problem.key)", "\(problem.value) does not fit the keypoints of the data",
                    remedy: "Allowed: \(problem.allowed).")
    }
    return whole
  }
}
