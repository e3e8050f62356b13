import Base
import Data
import Foundation
import Models
import Networks
import Tasks
import Tensors
import Testing
import Training
import Vision

/// What `predict` does with a sequence, worked out with the model alone.
@Suite struct WarmStartTests {
  private func picture(_ seed: UInt64) -> Image {
    var random = Random(seed: seed, stream: .test)
    return Image(height: 131, width: 140, channels: 3, pixels: (0..<131 * 140 * 3).map { _ in UInt8(truncatingIfNeeded: random.nextWord()) })
  }

  /// Three frames with an untrained network: the second pair starts from the first one's coarse flow, moved along itself.
  @Test(arguments: [Padding.Mode.sintel, .kitti]) func eachPairStartsFromTheOneBefore(mode: Padding.Mode) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "apus-\(UUID().uuidString)").path(percentEncoded: false)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try File.createFolder(folder + "/frames")
    let frames = (1...3).map { picture(UInt64($0)) }
    for (index, frame) in frames.enumerated() { try frame.write(to: "\(folder)/frames/\(index).png") }
    var config = OpticalFlowConfig()
    config.inference.iterations = 3
    config.inference.padding = mode
    var random = Random(seed: 7, stream: .initialization)
    let model = RAFT(config.model, &random)
    try model.stateDictionary().safetensors().write(to: "\(folder)/weights.safetensors")
    _ = try OpticalFlow.predict(config, weights: WeightSource("\(folder)/weights.safetensors"), source: ["\(folder)/frames"], out: "\(folder)/flow")

    let padding = Padding(height: 131, width: 140, mode: mode)
    #expect(padding.paddedHeight == 136 && padding.top == (mode == .sintel ? 2 : 0))
    let images = frames.map { frame in
      let padded = padding.pad(frame)
      return Tensor(padded.pixels.map(Float.init), shape: [1, 136, 144, 3])
    }
    let first = model(images[0], images[1], iterations: 3, upsamplesAll: false, .evaluation)
    let coarse = FlowField(height: 17, width: 18, vectors: first.coarseFlow.floats)
    let moved = coarse.forwardInterpolated()
    #expect(moved != coarse)
    let start = Tensor(moved.vectors, shape: [1, 17, 18, 2])
    let second = model(images[1], images[2], iterations: 3, initialFlow: start, upsamplesAll: false, .evaluation)
    for (name, estimate) in [("0", first), ("1", second)] {
      let expected = padding.crop(FlowField(height: 136, width: 144, vectors: estimate.flows[0].floats))
      let isEqual = try FlowField(contentsOf: "\(folder)/flow/\(name).flo") == expected
      #expect(isEqual, "pair \(name)")
    }
  }
}
