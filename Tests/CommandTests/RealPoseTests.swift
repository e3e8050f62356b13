import Foundation
import Testing

/// Three real people of COCO, whose keypoints a small network knows by heart.
@Suite struct RealPoseTests {
  private static let samples = "\(Workplace.checkout)/../shared/data/coco_images"

  @Test("overfitting reaches AP 1 at OKS 0.75", .enabled(if: FileManager.default.fileExists(atPath: samples)))
  func peopleAreLearnedByHeart() throws {
    let place = try Workplace()
    try place.write("pose.yaml", """
      task: pose
      model:
        backbone:
          {stages: [{modules: 1, blocks: 1, widths: [8, 16]}, {modules: 1, blocks: 1, widths: [8, 16, 32]},
                    {modules: 1, blocks: 1, widths: [8, 16, 32, 64]}], stem_width: 16, layer1_blocks: 1, layer1_width: 8}
        keypoints: 17
      skeleton: {kind: coco}
      data: {annotations: \(Self.samples)/person_keypoints.json, images: \(Self.samples)}
      validation: {annotations: \(Self.samples)/person_keypoints.json, images: \(Self.samples)}
      crop: {width: 96, height: 128, sigma: 1.5}
      augmentation: {flip_probability: 0, scale_factor: 0, rotation_probability: 0, half_body_probability: 0}
      train: {batch_size: 3, workers: 0}
      optimizer: {learning_rate: 5.0e-3}
      schedule: {kind: cosine}
      inference: {flip_test: false}
      plan: {steps: 150, log_every: 25, evaluate_every: 0, save_every: 0}
      """)
    expectSuccess(try place.apus("train", "pose.yaml", "--work-dir", "run"))
    let outcome = try place.apus("evaluate", "pose.yaml", "--weights", "run", "--json")
    let metrics = try JSONDecoder().decode([String: Double].self, from: Foundation.Data(outcome.output.utf8))
    print("AP \(metrics["AP"] ?? .nan), AP75 \(metrics["AP75"] ?? .nan)")
    // Precision is a little below 1 at best: COCO adds 2⁻⁵² to the denominator.
    #expect(metrics["truths"] == 3 && (metrics["AP75"] ?? 0) > 1 - 1e-9, "\(outcome.output)")
  }
}
