import Base
import Foundation
import Models
import Networks
import Tensors
import Testing
import TestSupport
import Vision
import WeightFiles

/// The networks behind perceptual losses and metrics against torchvision and the `lpips` package, in float64.
@Suite("Feature networks") struct FeatureNetworkTests {
  /// Gives a network the fixtures' weights.
  private func prepare(_ model: some Module, _ change: (String, Double) -> Double = { $1 }) throws {
    model.convert(to: .float64)
    try model.load(StateDictionary(model.stateDictionary().entries.map { entry in
      let values = FixtureHash.weights(entry.name, entry.shape).map { change(entry.name, $0) }
      return .init(entry.name, Tensor(values, shape: entry.shape, precision: .float64))
    }))
  }

  /// Multiples of 1/64 in -1...1, channels last.
  private func pictures(_ name: String, _ n: Int, _ h: Int, _ w: Int) -> Tensor {
    let key = FixtureHash.key(name)
    let values = (0..<n * 3 * h * w).map { (-64 + 129 * FixtureHash.fraction(key, $0)).rounded(.down) / 64 }
    return Tensor(values, shape: [n, 3, h, w], precision: .float64).channelsLast
  }

  private func compare(_ file: String, _ output: String, _ found: Tensor) throws {
    let fixture = try Fixture(file)
    let largest = try fixture.tensor("f64/output.statistics/\(output)").doubles[5]
    let bounds = (element: 1e-9 * largest, mean: 1e-9 * largest)
    #expect(try fixture.mismatch("output", output, found.channelsFirst.doubles, bounds) == nil)
  }

  /// ImageNet's mean and deviation, of pictures in -1...1.
  private func normalized(_ x: Tensor) -> Tensor {
    let mean = Tensor([0.485, 0.456, 0.406], shape: [3], precision: .float64)
    return ((x + 1) * 0.5 - mean) / Tensor([0.229, 0.224, 0.225], shape: [3], precision: .float64)
  }

  @Test("VGG-19: both maps, the perceptual loss and its gradient") func vgg19() throws {
    let network = VGG19Features(width: 8)
    try prepare(network)
    let found = pictures("vgg19/found", 2, 48, 56).asLeaf()
    let maps = network(normalized(found))
    try compare("feature_vgg19", "conv4", maps.conv4)
    try compare("feature_vgg19", "conv5", maps.conv5)
    let loss = PerceptualLoss(network)(found, pictures("vgg19/truth", 2, 48, 56))
    try compare("feature_vgg19", "loss", loss)
    let gradients = loss.gradients()
    try compare("feature_vgg19", "gradient", try #require(gradients[found]))
    for (name, parameter) in network.parameters() { #expect(gradients[parameter] == nil, "\(name) learns") }
  }

  @Test("VGG-16: features of a picture whose maps are not 7x7") func vgg16() throws {
    let network = VGG16(width: 4, hidden: 32)
    try prepare(network)
    try compare("feature_vgg16", "features", network(normalized(pictures("vgg16/images", 2, 96, 80))))
  }

  @Test("Inception-v3 of FID", .enabled(if: !BuildKind.isDebug)) func inception() throws {
    let network = Inception()
    try prepare(network)
    try compare("feature_inception", "features", network(pictures("inception/images", 1, 139, 107)))
  }

  @Test("pictures at 299x299 as TensorFlow 1 resizes them") func inceptionInput() throws {
    let key = FixtureHash.key("inception/picture")
    let pixels = (0..<37 * 50 * 3).map { UInt8((256 * FixtureHash.fraction(key, $0)).rounded(.down)) }
    let input = Inception.input(Image(height: 37, width: 50, channels: 3, pixels: pixels))
    let fixture = try Fixture("feature_inception")
    // The file has the array as [h, w, c]; the positions of samples are rounded to float32 here.
    #expect(try fixture.mismatch("output", "input", input.doubles, (element: 1e-4, mean: 1e-4)) == nil)
  }

  @Test("LPIPS") func lpips() throws {
    let network = LPIPS()
    try prepare(network) { name, value in name.hasPrefix("lin") ? abs(value) : value }
    let (first, second) = (pictures("lpips/first", 2, 64, 75), pictures("lpips/second", 2, 64, 75))
    try compare("feature_lpips", "distances", network(first, second))
    #expect(network(first, first).doubles == [0, 0])
  }

  // MARK: Names and files

  /// A network and its fixture.
  static let networks = BuildKind.some(["feature_lpips", "feature_vgg19", "feature_inception", "feature_vgg16"], inDebug: 3)

  private func network(_ file: String) -> (model: any PublishedModel, name: String) {
    switch file {
    case "feature_vgg19": (VGG19Features(), "vgg-19")
    case "feature_vgg16": (VGG16(), "vgg-16")
    case "feature_inception": (Inception(), "inception-2015")
    default: (LPIPS(), "lpips-alex")
    }
  }

  @Test("names and shapes are the published ones", arguments: networks) func names(_ file: String) throws {
    let text = try #require(try Fixture(file).file.metadata["names"])
    let list = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[Any]])
    let expected = list.map { "\($0[0]) \(($0[1] as? [Int]) ?? [])" }
    #expect(network(file).model.stateDictionary().entries.map { "\($0.name) \($0.shape)" }.sorted() == expected.sorted())
    #expect(expected.count > 10)
  }

  @Test("a file's variant is found by its names and shapes", arguments: BuildKind.some(networks, inDebug: 1)) func variants(_ file: String) {
    let (model, name) = network(file)
    #expect(PublishedModels.variant(of: model.stateDictionary())?.name == name)
  }

  @Test("what torchvision's and the authors' files have besides is left out") func officialFiles() throws {
    let vgg = VGG19Features(width: 8)
    let file = StateDictionary(vgg.stateDictionary().entries + [.init("classifier.0.weight", .ones([2, 2])), .init("classifier.6.bias", .ones([2]))])
    #expect(vgg.incompatibleKeys(of: try VGG19Features.official(file, from: "vgg19.pth")).isEmpty)
    let inception = Inception()
    let counted = StateDictionary(inception.stateDictionary().entries + [.init("Conv2d_1a_3x3.bn.num_batches_tracked", integers: [0], shape: [])])
    #expect(inception.incompatibleKeys(of: try Inception.official(counted, from: "pt_inception.pth")).isEmpty)
    let lpips = LPIPS()
    let slices = [0: 1, 3: 2, 6: 3, 8: 4, 10: 5]
    let authors = lpips.stateDictionary().entries.flatMap { entry -> [Safetensors.Entry] in
      let parts = entry.name.split(separator: ".")
      if parts[0] == "features" { return [entry.renamed("net.slice\(slices[Int(parts[1]) ?? -1] ?? 0).\(parts[1]).\(parts[2])")] }
      return [entry, entry.renamed("lins.\(parts[0].dropFirst(3)).model.1.weight")]
    } + [.init("scaling_layer.shift", .ones([1, 3, 1, 1])), .init("scaling_layer.scale", .ones([1, 3, 1, 1]))]
    #expect(lpips.incompatibleKeys(of: try LPIPS.official(StateDictionary(authors), from: "lpips.pth")).isEmpty)
  }

  @Test("AlexNet and the heads from files of their own") func mergedFiles() throws {
    let entries = LPIPS().stateDictionary().entries
    let heads = StateDictionary(entries.filter { $0.name.hasPrefix("lin") })
    let alexNet = StateDictionary(entries.filter { $0.name.hasPrefix("features.") } + [.init("classifier.1.weight", .ones([2, 2]))])
    let merged = try LPIPS.official(LPIPS.merged(alexNet, heads: heads, from: "alex.pth"), from: "alex.pth")
    #expect(LPIPS().incompatibleKeys(of: merged).isEmpty)
    #expect(throws: Failure.self) { try LPIPS.merged(heads, heads: heads, from: "alex.pth") }
  }
}
