import Base
import Data
import Models
import Networks
import Tensors
import Training

/// Optical flow with RAFT.
public enum OpticalFlow: LearningTask {
  public typealias TaskTraining = FlowTraining

  public static func model(_ config: OpticalFlowConfig) -> RAFT {
    var random = Random(seed: UInt64(config.plan.seed), stream: .initialization)
    return RAFT(config.model, &random)
  }

  public static func modelTitle(_ config: OpticalFlowConfig) -> String { "RAFT-\(config.model.variant.rawValue)" }

  // MARK: Costs

  public static func inputShape(_ config: OpticalFlowConfig) -> InputShape {
    InputShape(samples: config.train.batchSize, height: config.augmentation.cropHeight, width: config.augmentation.cropWidth)
  }

  public static func inputSizes(_ model: RAFT) -> (least: Int, step: Int) { (model.minimumSize, RAFT.stride) }

  public static func pass(_ model: RAFT, _ config: OpticalFlowConfig, _ shape: InputShape, _ mode: PassMode) -> Tensor {
    let (n, h, w) = (shape.samples, shape.height, shape.width)
    let image = Tensor.zeros([n, h, w, 3])
    guard mode == .training else {
      let iterations = min(2, config.inference.iterations)  // without gradients nothing is kept from one update to the next but one
      return model(image, image, iterations: iterations, upsamplesAll: false, .evaluation).flows[0]
    }
    let flows = model(image, image, iterations: config.train.iterations,
                      Pass(.training, frozenNormalization: config.train.freezeBatchNorm)).flows
    return RAFT.sequenceLoss(flows, target: .zeros([n, h, w, 2]), valid: .ones([n, h, w, 1]), gamma: config.loss.gamma)
  }

  public static func memoryRemedy(_ config: OpticalFlowConfig, _ mode: PassMode) -> String {
    let volume = config.model.correlation == .volume && config.model.refinement == .correlation
    let onTheFly = "--set model.correlation=on_the_fly needs memory in proportion to the pixels"
    switch (mode, volume) {
    case (.training, true): return "Choose a smaller train.batch_size, or a smaller augmentation.crop_height and crop_width; \(onTheFly)."
    case (.training, false): return "Choose a smaller train.batch_size, or a smaller augmentation.crop_height and crop_width."
    case (.inference, true): return "\(onTheFly)."
    case (.inference, false): return "Make the images smaller, or cut them into parts."
    }
  }

  // MARK: Words

  public static let help = {
    var help = TaskHelp(title: "RAFT optical flow")
    help.examples = [
      "apus synth flow --out data/flow --count 400 --seed 1",
      "apus train configs/raft/demo.yaml --set data.root=data/flow --resume auto",
      "apus evaluate configs/raft/demo.yaml --weights work_dirs/demo/RUN",
      "apus predict configs/raft/demo.yaml --weights work_dirs/demo/RUN --source frames/ --out flow/",
    ]
    help.train = """
      Optical flow, small data: a picture smaller than the crop is enlarged until the crop and augmentation.crop_margin fit, and its flow
      with it. A set smaller than a batch is repeated within it, each copy with random changes of its own; a larger one drops the rest of
      an epoch that fills no batch.

      Examples:
        apus train configs/raft/demo.yaml
        apus train configs/raft/demo.yaml --resume auto
        apus train configs/raft/pairs.yaml --set data.root=my_pairs --steps 500 --work-dir work_dirs/mine
      """
    help.evaluate = """
      Examples:
        apus evaluate configs/raft/demo.yaml --weights work_dirs/demo/RUN
        apus evaluate configs/raft/demo.yaml --weights model.safetensors --json
        apus evaluate configs/raft/demo.yaml --weights work_dirs/demo/RUN --save-visuals pictures
      """
    help.predict = """
      Optical flow: the source is a folder of frames (PNG, JPEG, PPM, PGM), whose neighbours are paired in natural order, or two or more
      pictures. For every pair a .flo file and a picture with the colour wheel are written. Each pair starts from the flow of the one
      before (warm start). Images of any size work; they are padded and the result is cut back. With --format sintel or kitti the source
      is the benchmark's folder, and the results are what it takes as a submission.

      Examples:
        apus predict configs/raft/demo.yaml --weights work_dirs/demo/RUN --source frames/ --out flow/
        apus predict configs/raft/demo.yaml --weights work_dirs/demo/RUN --source a.png b.png --out flow/ --occlusion
        apus predict configs/raft/demo.yaml --weights work_dirs/demo/RUN --source MPI-Sintel/ --out sintel/ --format sintel
        apus predict configs/raft/demo.yaml --weights work_dirs/demo/RUN --source KITTI-2015/ --out kitti/ --format kitti \\
          --set inference.padding=kitti
      """
    help.inspect = """
      Examples:
        apus inspect configs/raft/small-chairs.yaml
        apus inspect configs/raft/small-chairs.yaml --names
      """
    help.convert = """
      Examples:
        apus convert raft-things.pth
        apus convert raft-small.pth raft-small.safetensors --model raft-small
        apus convert work_dirs/demo/RUN for-torchvision.pth --model raft-small --names torchvision
        apus convert checkpoint.pth weights.safetensors --key state_dict --config configs/raft/small-chairs.yaml
      """
    help.parity = """
      Optical flow reads image1, image2 (0...255), flow and valid, and writes output.flow.<i> and loss.total.

      Example:
        apus parity configs/raft/small-chairs.yaml --weights w.safetensors --inputs i.safetensors --out o.safetensors --steps 3
      """
    help.parityInputs = "Inputs are image1, image2, flow and valid."
    return help
  }()
}
