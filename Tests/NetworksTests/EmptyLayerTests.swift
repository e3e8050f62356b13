import Base
import Networks
import Tensors
import Testing

/// A frame without detections is a batch of none: layers and losses pass it through.
@Suite("Layers of empty batches") struct EmptyLayerTests {
  @Test("every layer, in training and evaluation", arguments: [true, false]) func layers(isTraining: Bool) throws {
    var random = Random(seed: 1, stream: .initialization)
    let image = [0, 8, 6, 4], pass = isTraining ? Pass(.training) : Pass.evaluation
    let batch = BatchNorm2d(4)
    if isTraining { try batch.freezeStatistics(["*"]) }
    let layers: [(any Layer, [Int])] = [
      (Conv2d(4, 6, kernel: 3, Conv2dOptions(padding: 1), &random), [0, 8, 6, 6]), (Conv2d(4, 6, kernel: 1, &random), [0, 8, 6, 6]),
      (ConvTranspose2d(4, 2, kernel: 2, Conv2dOptions(stride: 2), &random), [0, 16, 12, 2]), (Linear(4, 3, &random), [0, 8, 6, 3]),
      (batch, image), (FrozenBatchNorm2d(4), image), (InstanceNorm2d(4, affine: true), image), (LayerNorm(4), image),
      (GroupNorm(groups: 2, 4), image), (Dropout(0.5), image), (Dropout2d(0.5), image), (Activation.gelu, image),
    ]
    for (layer, shape) in layers {
      let x = Tensor.zeros(image).asLeaf(), y = layer(x, pass)
      #expect(y.shape == shape, "\(type(of: layer))")
      let gradients = y.sum().gradients()
      #expect(gradients[x]?.shape == image, "\(type(of: layer))")
      for (name, parameter) in layer.parameters() {
        #expect(gradients[parameter]?.doubles.allSatisfy { $0 == 0 } == true, "\(type(of: layer)), \(name)")
      }
    }
  }

  @Test("attention of no images, no queries, no keys") func attention() {
    var random = Random(seed: 1, stream: .initialization)
    let layer = MultiHeadAttention(width: 8, heads: 2, dropout: 0.1, &random)
    for (n, t, s) in [(0, 3, 4), (2, 0, 4), (2, 3, 0)] {
      let queries = Tensor.zeros([n, t, 8]), keys = Tensor.zeros([n, s, 8])
      for pass in [Pass(.training), .evaluation] {
        #expect(layer(queries: queries, keys: keys, values: keys, pass).shape == [n, t, 8])
        #expect(layer(queries, pass).shape == [n, t, 8])
      }
    }
  }

  @Test("losses: sums are 0, means of nothing are not a number, as in PyTorch") func losses() {
    let none = Tensor.zeros([0, 3])
    #expect(crossEntropy(none, [], .sum).item == 0 && crossEntropy(none, []).item.isNaN && crossEntropy(none, [], .none).shape == [0])
    #expect(meanSquaredError(none, none, .sum).item == 0 && meanSquaredError(none, none).item.isNaN)
    #expect(smoothL1Loss(none, none, .sum).item == 0 && smoothL1Loss(none, none, .none).shape == [0, 3])
  }

  @Test("a batch norm that takes its statistics from the batch says that there are none") func batchStatistics() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = BatchNorm2d(4)(Tensor.zeros([0, 8, 6, 4]), Pass(.training))
    }
    let text = result.map { String(decoding: $0.standardErrorContent, as: UTF8.self) } ?? ""
    #expect(text.contains("BatchNorm2d: 0 values per channel in shape [0, 8, 6, 4] have no variance; use a larger batch"), "\(text)")
  }
}
