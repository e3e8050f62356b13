import Base
import Foundation
import Models
import Networks
import Tasks
import Tensors
import Testing
import TestSupport
import Vision
import WeightFiles

/// Feature networks from files that a config names, and what they make of pictures.
@Suite("Weights of feature networks") struct FeatureWeightTests {
  /// A folder that goes with the test.
  private final class Place {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("apus-\(UUID())").path

    init() throws { try File.createFolder(folder) }
    deinit { try? FileManager.default.removeItem(atPath: folder) }

    func path(_ name: String) -> String { "\(folder)/\(name)" }
  }

  private func weights(_ model: some Module, where isWanted: (String) -> Bool = { _ in true }) -> StateDictionary {
    StateDictionary(model.stateDictionary().entries.filter { isWanted($0.name) }.map { entry in
      let values = FixtureHash.weights(entry.name, entry.shape).map { entry.name.hasPrefix("lin") ? abs($0) : $0 }
      return .init(entry.name, Tensor(values.map(Float.init), shape: entry.shape))
    })
  }

  private func picture(_ name: String, _ height: Int = 64, _ width: Int = 72) -> Image {
    let key = FixtureHash.key(name)
    return Image(height: height, width: width, channels: 3, pixels: (0..<height * width * 3).map { UInt8(256 * FixtureHash.fraction(key, $0)) })
  }

  @Test("LPIPS from one file and from two") func lpips() throws {
    let place = try Place()
    try weights(LPIPS()).write(to: place.path("whole.safetensors"))
    try weights(LPIPS()) { $0.hasPrefix("lin") }.write(to: place.path("alex.pth"))
    try weights(LPIPS()) { $0.hasPrefix("features") }.write(to: place.path("alexnet.pth"))
    let pair = [picture("a"), picture("b")]
    let whole = try FeatureWeights(place.path("whole.safetensors"), setting: "lpips").lpips().distances([pair[0]], [pair[1]])
    let parts = try FeatureWeights(place.path("alexnet.pth"), setting: "lpips").lpips(heads: place.path("alex.pth")).distances([pair[0]], [pair[1]])
    #expect(whole == parts && whole[0] > 0)
  }

  @Test("a missing, another and no file: the message says which one is expected") func expected() throws {
    let place = try Place()
    func failure(_ path: String, _ load: (FeatureWeights) throws -> Void) -> Failure? {
      #expect(throws: Failure.self) { try load(FeatureWeights(path, setting: "loss.perceptual_weights")) }
    }
    let none = failure("") { _ = try $0.vgg19() }
    #expect(none?.kind == .usage && none?.place == "loss.perceptual_weights" && none?.remedy.contains("vgg19-dcbb9e9d.pth") == true)
    let missing = failure(place.path("nix.pth")) { _ = try $0.vgg19() }
    #expect(missing?.kind == .missingInput && missing?.remedy.contains("vgg19-dcbb9e9d.pth") == true)
    #expect(missing?.remedy.contains("It is not downloaded") == true)
    try weights(LPIPS()).write(to: place.path("other.safetensors"))
    let other = failure(place.path("other.safetensors")) { _ = try $0.vgg19() }
    #expect(other?.kind == .badData && other?.remedy.contains("loss.perceptual_weights expects torchvision's vgg19") == true)
    #expect(other?.problem.contains("do not fit VGG-19's convolutions") == true, "\(String(describing: other))")
    let heads = failure(place.path("other.safetensors")) { _ = try $0.lpips(heads: place.path("nix.pth")) }
    #expect(heads?.kind == .missingInput && heads?.remedy.contains("alex.pth of the lpips package") == true)
  }

  @Test("weights that are not finite are refused") func broken() throws {
    let place = try Place()
    let entries = LPIPS().stateDictionary().entries.map { $0.name == "features.3.bias" ? .init($0.name, Tensor(filling: $0.shape, with: .nan)) : $0 }
    try StateDictionary(entries).write(to: place.path("nan.safetensors"))
    let error = #expect(throws: Failure.self) { try FeatureWeights(place.path("nan.safetensors"), setting: "metrics.lpips").lpips() }
    #expect(error?.problem.contains("features.3.bias") == true)
  }

  @Test("metrics of features over a set, and the vectors in files", .enabled(if: !BuildKind.isDebug)) func judge() throws {
    let place = try Place()
    try weights(Inception()).write(to: place.path("inception.safetensors"))
    try weights(LPIPS()).write(to: place.path("lpips.safetensors"))
    var settings = FeatureMetricSettings()
    settings.inception = place.path("inception.safetensors")
    settings.lpips = place.path("lpips.safetensors")
    settings.features = place.path("features")
    var judge = try FeatureJudge(settings)
    for i in 0..<9 { judge.add("\(i)", truth: picture("real \(i)", 40, 50 + i), found: picture("found \(i)", 40, 50 + i)) }
    let (metrics, notes) = try judge.result()
    #expect(metrics.names == ["FID", "U-IDS", "P-IDS", "LPIPS"])
    #expect(notes.joined().contains("of 9 pairs; fewer than the 2048 dimensions"))
    let real = try FeatureSet(at: place.path("features/inception_real.npy"))
    let found = try FeatureSet(at: place.path("features/inception_found.npy"))
    #expect(real.names == (0..<9).map { "\($0)" } && real.width == 2048)
    #expect(try frechetDistance(real, found) == metrics["FID"])
    var same = try FeatureJudge(settings)
    for i in 0..<4 { same.add("\(i)", truth: picture("real \(i)"), found: picture("real \(i)")) }
    let equal = try same.result().metrics
    #expect(try #require(equal["FID"]) < 1e-9 && equal["P-IDS"] == 0 && equal["U-IDS"] == 50 && equal["LPIPS"] == 0)
  }

  @Test("without weights there are no metrics") func idle() throws {
    var judge = try FeatureJudge(FeatureMetricSettings())
    judge.add("a", truth: picture("a"), found: picture("b"))
    let metrics = try judge.result().metrics
    #expect(judge.isIdle && metrics.isEmpty)
    var settings = FeatureMetricSettings()
    (settings.features, settings.lpipsHeads) = ("x", "alex.pth")
    #expect(settings.problems().map(\.key) == ["lpips", "features"])
  }
}
