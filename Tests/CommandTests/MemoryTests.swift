import Data
import Foundation
import Testing
import Vision

/// What needs more memory than there is gets refused before anything is computed, with a remedy that fits.
@Suite struct MemoryTests {
  @Test(arguments: ["train.batch_size=4000", "augmentation.crop_height=8192,augmentation.crop_width=8192"])
  func aBatchThatIsTooLargeIsRefused(settings: String) throws {
    let place = try Workplace()
    try place.generatePairs()
    let options = settings.split(separator: ",").flatMap { ["--set", String($0)] }
    let outcome = try place.apus(["train", "config.yaml", "--work-dir", "run", "--set", "train.iterations=12"] + options)
    expectFailure(outcome, 64, "memory: training on a batch of ", " needs about ", "iB are available", "train.batch_size",
                  "model.correlation=on_the_fly")
    #expect(!place.exists("run"))
  }

  @Test func imagesThatAreTooLargeAreRefused() throws {
    let place = try Workplace()
    try place.trainBriefly()
    let image = Image(height: 4320, width: 7680, channels: 3, pixels: [UInt8](repeating: 90, count: 4320 * 7680 * 3))
    for name in ["a.ppm", "b.ppm"] { try image.write(to: place.path(name)) }
    let outcome = try place.apus("predict", "config.yaml", "--weights", "run", "--source", "a.ppm", "b.ppm", "--out", "out")
    expectFailure(outcome, 64, "memory: the network on an input of 1 of 7680x4320 pixels needs about ",
                  "--set model.correlation=on_the_fly")
    #expect(try place.names(in: "out").isEmpty)
  }

  /// What `inspect` says about a batch is what a training on it takes, within a fifth.
  @Test(arguments: [1, 3]) func inspectionCountsTheBatch(samples: Int) throws {
    let place = try Workplace(plan: "steps: 10")
    try place.generatePairs()
    let size = ["--set", "train.batch_size=\(samples)", "--set", "train.iterations=4", "--set", "augmentation.crop_height=152"]
    let inspected = try place.apus(["inspect", "config.yaml"] + size)
    expectSuccess(inspected)
    let said = try #require(inspected.output.firstMatch(of: #/about ([0-9.]+) MiB for the batch of (\d+)/#), "\(inspected.output)")
    #expect(said.2 == "\(samples)")
    let profiled = try place.apus(["train", "config.yaml", "--work-dir", "run", "--profile", "2"] + size)
    expectSuccess(profiled)
    let used = try #require(profiled.output.firstMatch(of: #/Memory of tensors: (\d+) MiB in use at most/#), "\(profiled.output)")
    let (expected, found) = (try #require(Double(said.1)), try #require(Double(used.1)))
    #expect(abs(expected - found) < 0.2 * found, "inspect says \(expected) MiB, a step took \(found)")
  }
}
