import Base
import Data
import Drawing
import Models
import Tensors
import Training
import Vision
import WeightFiles

extension Inpainting: PredictionTask {
  public static let predictOptions = [
    TaskOption("masks", key: "inference.masks", .value,
               help: "The folder of the masks, or the mask of one picture; left out: beside the pictures."),
    TaskOption("mask-suffix", key: "inference.mask_suffix", .value, help: "What a mask's name has behind the picture's; _mask."),
    TaskOption("polarity", key: "inference.polarity", .value, help: "white_is_known (as MAT's masks) or white_is_hole."),
    TaskOption("shrink", key: "inference.shrink", .switchable,
               help: "Complete large pictures at the network's own size, and enlarge the filling."),
    TaskOption("completions", key: "inference.completions", .value, help: "Completions of each picture."),
    TaskOption("seed", key: "inference.seed", .value, help: "Of all that is drawn; another one gives other completions."),
  ]

  public static func predictor(_ config: InpaintingConfig, _ model: MATGenerator, source: [String]) throws -> InpaintingPredictor {
    let items = try MaskedPictures.items(of: ImageFiles.drawn(source), config.inference)
    return InpaintingPredictor(items: items, model: model, config: config)
  }
}

/// Pictures that a user names, with their masks.
enum MaskedPictures {
  /// - Throws: `.missingInput` if there is no picture besides masks, or no such mask; `.badData` naming all pictures without a mask;
  ///   `.usage` if there is one mask for several pictures.
  static func items(of entries: [ImageFiles.Entry], _ settings: InpaintingInferenceSettings) throws -> [InpaintingPredictor.Item] {
    let suffix = settings.maskSuffix
    func isMask(_ entry: ImageFiles.Entry) -> Bool { !suffix.isEmpty && Path.stem(entry.path).hasSuffix(suffix) }
    let pictures = settings.masks.isEmpty ? entries.filter { !isMask($0) } : entries
    guard !pictures.isEmpty else {
      throw Failure(.missingInput, at: "--source", "there is no picture among \(entries.count) masks, whose names end with '\(suffix)'")
    }
    if !settings.masks.isEmpty, try File.kind(at: settings.masks) != .folder {
      guard try File.exists(settings.masks) else {
        throw Failure(.missingInput, at: settings.masks, "there is no such folder of masks, or mask")
      }
      guard pictures.count == 1 else {
        throw Failure(.usage, at: "--masks \(settings.masks)", "this is one mask for \(pictures.count) pictures",
                      remedy: "Name the folder of the masks.")
      }
      return [.init(image: pictures[0], mask: settings.masks)]
    }
    let found = try pictures.map { picture -> String? in
      let folder = settings.masks.isEmpty ? File.folder(of: picture.path) : settings.masks
      let stem = Path.stem(picture.path)
      let stems = settings.masks.isEmpty ? [stem + suffix] : [stem, stem + suffix]
      return try Folder.files(in: folder).first { stems.contains(Path.stem($0)) && Folder.isPictureName($0) }.map { Path.join(folder, $0) }
    }
    let missing = zip(pictures, found).filter { $1 == nil }.map { Path.name($0.0.path) }
    guard missing.isEmpty else {
      throw Failure(
        .badData, at: settings.masks.isEmpty ? "--source" : settings.masks,
        "\(missing.count) of \(pictures.count) pictures have no mask: \(someOf(missing))",
        remedy: settings.masks.isEmpty ? "Name the folder of the masks with --masks, or put NAME\(suffix).png beside each NAME.png."
          : "A mask has its picture's name before the extension, or that and '\(suffix)'.")
    }
    return zip(pictures, found).compactMap { picture, mask in mask.map { .init(image: picture, mask: $0) } }
  }
}

/// Completes one picture after the other.
public struct InpaintingPredictor: PicturePredictor {
  /// A picture and its mask.
  public struct Item: OutputItem {
    let image: ImageFiles.Entry
    let mask: String
    public var result: String { image.name }
    public var inputs: [String] { [image.path, mask] }
  }

  /// All that the bits of a result depend on besides weights, images and masks.
  public struct Settings: Encodable {
    let model: MAT.Config
    let inference: InpaintingInferenceSettings
  }

  public let items: [Item]
  let model: MATGenerator
  let config: InpaintingConfig

  public var suffixes: [String] { (1...config.inference.completions).map(suffix) + ["_sheet.png"] }
  public var noun: String { "pictures" }
  public var explanation: String {
    let more = config.inference.completions > 1 ? ", NAME_2.png to NAME_\(config.inference.completions).png" : ""
    return "NAME.png\(more) (completed) and NAME_sheet.png; \(config.inference.polarity.words)"
  }
  public var settings: Settings {
    var inference = config.inference
    inference.masks = ""
    return Settings(model: config.model, inference: inference)
  }

  private func suffix(_ number: Int) -> String { number == 1 ? ".png" : "_\(number).png" }

  public mutating func write(_ item: Item, from carry: Safetensors?, to place: String, _ memory: MemoryGuard) throws -> Safetensors? {
    let image = try Image(contentsOf: item.image.path).rgb()
    let reading = try InpaintingMask.read(contentsOf: item.mask, config.inference.polarity)
    guard reading.mask.height == image.height, reading.mask.width == image.width else {
      throw InpaintingSet.misfit(item.mask, reading.mask, item.image.path, image.height, image.width)
    }
    for remark in reading.remarks { Warning.emit("\(item.mask): \(remark)") }
    let size = model.config.resolution
    func padded(_ length: Int) -> Int { config.inference.shrink ? size : (length + size - 1) / size * size }
    try memory.require(InputShape(samples: 1, height: padded(image.height), width: padded(image.width)))
    let completer = Completer(model, config.inference)
    var found: [Completer.Completion] = []
    for number in 1...config.inference.completions {
      let completion = completer(image, reading.mask, number: number - 1)
      try AtomicFile.write(PNG.encode(completion.image), to: place + suffix(number))
      if found.count < 4 { found.append(completion) }
    }
    try Inpainting.sheet(of: image, reading.mask, found, name: item.image.name).write(to: "\(place)_sheet.png")
    return nil
  }
}
