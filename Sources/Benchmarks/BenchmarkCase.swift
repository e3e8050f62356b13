import Base
import Tensors

/// One row of the benchmarks.
public struct BenchmarkCase: Sendable {
  public let name: String
  /// Cases whose ratios have a mean in common; empty for none.
  public let group: String
  public let summary: String
  package let workload: any Workload
  /// Further environment variables of our side.
  var environment: [String: String] = [:]
  /// Whether another process keeps one core busy all the time.
  var hasNeighbour = false
  /// Whether the peak memory of each side is measured, in processes that do nothing else.
  var measuresMemory = false

  init(_ name: String, group: String = "", _ summary: String, _ workload: any Workload) {
    (self.name, self.group, self.summary, self.workload) = (name, group, summary, workload)
  }
}

extension BenchmarkCase {
  public static let all = convolutions + others + products + flowSteps + detection + pose + inpainting

  /// The cases with these names, or in groups with these names, in the order of `all`; all of them for no names.
  /// - Throws: `.usage` naming what is known.
  public static func select(_ names: [String]) throws -> [BenchmarkCase] {
    let known = Set(all.flatMap { [$0.name, $0.group] }).subtracting([""])
    for name in names where !known.contains(name) {
      let names = known.sorted().joined(separator: ", ")
      throw Failure(.usage, at: "bench", "there is no benchmark '\(name)'", remedy: "Benchmarks: \(names).")
    }
    return names.isEmpty ? all : all.filter { names.contains($0.name) || names.contains($0.group) }
  }

  private static let convolutions: [BenchmarkCase] = [
    (64, Extent(height: 56, width: 56), 1), (128, Extent(height: 46, width: 62), 1), (32, Extent(height: 64, width: 48), 4),
    (180, Extent(height: 64, width: 64), 1), (512, Extent(height: 14, width: 14), 1),
  ].map { channels, size, batch in
    BenchmarkCase(
      "conv3x3-\(channels)", group: "conv3x3",
      "3x3 convolution, \(channels) channels, \(size.height)x\(size.width), batch \(batch), forward and backward",
      ConvolutionWorkload(channels, size: size, batch: batch))
  }

  /// The products of a transformer's layer, of 1x1 convolutions with their gradients, of attention and of a large square.
  private static let products: [BenchmarkCase] = [
    MatmulWorkload(1700, 256, 256), MatmulWorkload(1700, 2048, 256), MatmulWorkload(1700, 256, 2048),
    MatmulWorkload(256, 2048, 1700, firstTransposed: true), MatmulWorkload(3200, 512, 128), MatmulWorkload(2048, 2048, 2048),
    MatmulWorkload(850, 850, 32, secondTransposed: true), MatmulWorkload(12288, 256, 64, secondTransposed: true),
    MatmulWorkload(12288, 64, 256), MatmulWorkload(256, 64, 12288, firstTransposed: true),
  ].map { sizes in
    let summary = "matrix product of \(sizes.rows)x\(sizes.terms) by \(sizes.terms)x\(sizes.columns)"
    return BenchmarkCase("matmul-\(sizes.label)", group: "matmul", summary, sizes)
  }

  private static var others: [BenchmarkCase] {
    var encoder = BenchmarkCase(
      "encoder-layer", "DETR's encoder layer, 256 wide, 8 heads, 2048 hidden, 850 tokens, batch 2, forward and backward",
      EncoderLayerWorkload(batch: 2, tokens: 850, width: 256, heads: 8, hidden: 2048))
    var stage = BenchmarkCase(
      "resnet50-layer2",
      "layer2 of ResNet-50: four bottlenecks, 128 wide, [256, 80, 80] to [512, 40, 40], batch 2, batch norm training, forward and backward",
      BottleneckWorkload(batch: 2, inputs: 256, width: 128, height: 80, imageWidth: 80, blocks: 4))
    encoder.measuresMemory = true
    stage.measuresMemory = true
    return [
      BenchmarkCase(
        "conv7x7-stem", "7x7 convolution with stride 2, 3 to 64 channels, 368x496, batch 1, forward and weight gradients",
        ConvolutionWorkload(3, to: 64, kernel: 7, size: Extent(height: 368, width: 496), stride: 2, inputGradient: false)),
      BenchmarkCase(
        "conv1x5-gru", "1x5 convolution, 256 to 128 channels, 46x62, batch 1, forward and backward",
        ConvolutionWorkload(256, to: 128, kernel: Extent(height: 1, width: 5), size: Extent(height: 46, width: 62))),
      BenchmarkCase(
        "conv1x1-256", "1x1 convolution, 256 to 64 channels, 64x48, batch 4, forward and backward",
        ConvolutionWorkload(256, to: 64, kernel: 1, size: Extent(height: 64, width: 48), batch: 4)),
      encoder, stage,
    ]
  }

  private static var flowSteps: [BenchmarkCase] {
    let workload = FlowStepWorkload(variant: .small, batch: 1, height: 256, width: 320, iterations: 6)
    let summary = "training step of RAFT-small, 256x320, batch 1, 6 iterations: forward, loss, backward, clipping, AdamW"
    var step = BenchmarkCase("raft-small-step", summary, workload)
    var busy = BenchmarkCase("raft-small-busy", summary + "; another process keeps one core busy", workload)
    var avx512 = BenchmarkCase("raft-small-avx512", summary + "; our side with APUS_ISA=avx512", workload)
    busy.hasNeighbour = true
    avx512.environment = ["APUS_ISA": "avx512"]
    step.measuresMemory = true
    avx512.measuresMemory = true
    return [step, busy, avx512] + largeFlow
  }

  private static var largeFlow: [BenchmarkCase] {
    var step = BenchmarkCase(
      "raft-large-step", "training step of RAFT-large, 256x320, batch 1, 6 iterations: forward, loss, backward, clipping, AdamW",
      FlowStepWorkload(variant: .large, batch: 1, height: 256, width: 320, iterations: 6))
    var inference = BenchmarkCase(
      "raft-large-inference",
      "inference of RAFT-large, 440x1024, batch 1, 12 iterations, no gradients; PyTorch's model upsamples all iterations",
      FlowInferenceWorkload(variant: .large, batch: 1, height: 440, width: 1024, iterations: 12))
    step.measuresMemory = true
    inference.measuresMemory = true
    return [step, inference]
  }

  private static var detection: [BenchmarkCase] {
    var step = BenchmarkCase(
      "detr-r50-step", group: "detr",
      "training step of DETR-R50, 320x320, batch 2, 7 objects an image: forward, matching, losses, backward, clipping, AdamW",
      DetectionStepWorkload(batch: 2, height: 320, width: 320, objects: 7))
    var inference = BenchmarkCase(
      "detr-r50-inference", group: "detr", "inference of DETR-R50, 800x1066, batch 1, no gradients",
      DetectionInferenceWorkload(batch: 1, height: 800, width: 1066))
    step.measuresMemory = true
    inference.measuresMemory = true
    return [
      step, inference,
      BenchmarkCase(
        "cross-attention", group: "detr",
        "DETR's decoder attention: 100 queries, 850 cells, 256 wide, 8 heads, batch 2, forward and backward",
        CrossAttentionWorkload(batch: 2, queries: 100, tokens: 850, width: 256, heads: 8)),
      BenchmarkCase(
        "assignment-100x60", group: "detr", "Hungarian assignment of 60 objects to 100 slots; the other side is scipy",
        AssignmentWorkload(rows: 100, columns: 60)),
    ]
  }

  private static var pose: [BenchmarkCase] {
    var step = BenchmarkCase(
      "hrnet-w32-step", group: "hrnet", "training step of HRNet-W32 for pose, 256x192, batch 4: forward, loss, backward, Adam",
      PoseStepWorkload(batch: 4, height: 256, width: 192))
    var inference = BenchmarkCase(
      "hrnet-w32-inference", group: "hrnet", "inference of HRNet-W32 for pose, 256x192, batch 1, no gradients",
      PoseInferenceWorkload(batch: 1, height: 256, width: 192))
    step.measuresMemory = true
    inference.measuresMemory = true
    return [step, inference]
  }
  private static var inpainting: [BenchmarkCase] {
    let cases: [(name: String, summary: String, any Workload)] = [
      ("mat-generator", "forward and backward of MAT's generator", MATGeneratorWorkload(batch: 1, resolution: 256)),
      ("mat-step", "alternating step of MAT without R1: both losses, backward, Adam, average", MATStepWorkload(batch: 1, resolution: 256)),
      ("mat-r1", "R1 phase of MAT, due in one step of 16: penalty, backward, Adam", MATPenaltyWorkload(batch: 1, resolution: 256)),
    ]
    return cases.map { name, summary, workload in
      var item = BenchmarkCase(name, group: "mat", summary + "; 256x256, batch 1, published width", workload)
      item.measuresMemory = true
      return item
    }
  }
}
