import Base
import Models
import Networks
import Training
import WeightFiles

/// The file of a feature network's weights that a setting of a config names: torchvision's, or what `apus convert` made of it.
///
/// Nothing is downloaded and nothing takes the place of a missing file: a loss or metric without its weights is to be switched off in the
/// config.
/// ```swift
/// let vgg = try FeatureWeights("weights/vgg19.safetensors", setting: "loss.perceptual_weights").vgg19()
/// ```
public struct FeatureWeights {
  /// The publishers' files.
  enum Published {
    static let vgg19 = "torchvision's vgg19-dcbb9e9d.pth"
    static let vgg16 = "torchvision's vgg16-397923af.pth"
    static let inception = "pt_inception-2015-12-05-6726825d.pth, the port of the FID graph"
    static let lpips = "the state dictionary of lpips.LPIPS(net='alex'), or torchvision's alexnet-owt-7be5be79.pth with the heads beside it"
    static let lpipsHeads = "alex.pth of the lpips package, version 0.1"
  }

  private let source: WeightSource
  private let setting: String

  /// - Parameters:
  ///   - path: empty if the config names no file.
  ///   - setting: the key of the config that does, for errors.
  public init(_ path: String, setting: String) { (source, self.setting) = (WeightSource(path), setting) }

  /// - Throws: `.usage` without a path, `.missingInput`, `.inputOutput` and `.badData` of reading; each names the file that is expected.
  public func vgg19() throws -> VGG19Features { try loaded(VGG19Features(), "VGG-19's convolutions", "vgg-19", Published.vgg19) }

  /// - Throws: as `vgg19`.
  public func vgg16() throws -> VGG16 { try loaded(VGG16(), "VGG-16", "vgg-16", Published.vgg16) }

  /// - Throws: as `vgg19`.
  public func inception() throws -> Inception { try loaded(Inception(), "Inception-v3 of FID", "inception-2015", Published.inception) }

  /// - Parameter heads: the file of the linear heads, if the other one holds AlexNet alone; empty: it holds both.
  /// - Throws: as `vgg19`.
  public func lpips(heads: String = "") throws -> LPIPS {
    guard !heads.isEmpty else { return try loaded(LPIPS(), "LPIPS on AlexNet", "lpips-alex", Published.lpips) }
    let (file, alexNet) = try told(Published.lpips) { try source.read() }
    return try told(Published.lpipsHeads, at: heads) {
      let merged = try LPIPS.merged(alexNet, heads: WeightSource(heads).read().state, from: heads)
      let model = LPIPS()
      try WeightSource.load(merged, into: model, title: "LPIPS on AlexNet", from: "\(file) and \(heads)")
      return model
    }
  }

  private func loaded<Model: PublishedModel>(_ model: Model, _ title: String, _ name: String, _ expected: String) throws -> Model {
    try told("\(expected), or what `apus convert FILE OUT.safetensors --model \(name)` made of it") {
      try source.load(into: model, title: title)
      return model
    }
  }

  /// Adds to a failure which file is expected.
  private func told<Result>(_ expected: String, at place: String? = nil, _ body: () throws -> Result) throws -> Result {
    guard !(place ?? source.path).isEmpty else {
      throw Failure(.usage, at: setting, "no file of weights is named", remedy: "Expected: \(expected). It is not downloaded.")
    }
    do {
      return try body()
    } catch let failure as Failure {
      let remedy = failure.remedy.isEmpty ? "" : "\(failure.remedy)\n  "
      throw failure.told(remedy: "\(remedy)\(setting) expects \(expected). It is not downloaded.")
    }
  }
}
