import Base
import Vision

/// A picture with the part of it that is known.
public struct InpaintingSample: Sendable {
  /// RGB.
  public var image: Image
  /// Of the size of the image.
  public var mask: InpaintingMask

  public init(image: Image, mask: InpaintingMask) {
    self.image = image
    self.mask = mask
  }
}

/// A picture between two steps of its augmentation.
public struct InpaintingView: Sendable {
  public let image: Image
  /// Nil before it is drawn.
  public var mask: InpaintingMask?

  public init(image: Image, mask: InpaintingMask? = nil) { (self.image, self.mask) = (image, mask) }
}

/// Where the masks of a set come from.
public enum MaskSource: Sendable, Equatable {
  /// Drawn anew for every sample.
  case freeForm(FreeFormMask)
  /// Files by the number of the picture.
  case files([String], MaskPolarity)
  /// Files of the network's size, one drawn for every sample.
  case pool([String], MaskPolarity)
}

/// Pictures with masks, all of one size.
///
/// A set for training has every picture twice, the second time mirrored, if the augmentation says so; samples come with random parts and
/// masks. As a `Dataset` it is what evaluation sees: the middles, with masks that depend on the number alone.
public struct InpaintingSet: Dataset {
  public let pictures: PictureTree
  public let masks: MaskSource
  public let augmentation: InpaintingAugmentation
  /// Rows and columns of a sample, px.
  public let size: Int
  private let decoded = SampleCache<Image>(byteLimit: 512 << 20) { $0.pixels.count }

  /// - Throws: `.badData` naming every picture of another size, if the augmentation refuses them.
  public init(_ pictures: PictureTree, _ masks: MaskSource, _ augmentation: InpaintingAugmentation, size: Int) throws {
    self.pictures = pictures
    self.masks = masks
    self.augmentation = augmentation
    self.size = size
    if augmentation.fit == .exact { try requireSizes() }
  }

  private func requireSizes() throws {
    let odd = try pictures.paths.indices.compactMap { index -> String? in
      let found = try ImageHeader(contentsOf: pictures.path(of: index))
      return found.height == size && found.width == size ? nil : "\(pictures.paths[index]): \(found.width)x\(found.height)"
    }
    guard odd.isEmpty else {
      let found = "\(odd.count) of \(pictures.count) pictures are not \(size)x\(size), as augmentation.fit: exact asks"
      throw Failure(.badData, at: pictures.root, found, items: odd,
                    remedy: "Resize or remove them, or choose augmentation.fit: crop or resize.")
    }
  }

  /// Pictures.
  public var count: Int { pictures.count }

  public func name(of index: Int) -> String { pictures.names[index] }

  /// Samples of a pass in training.
  public var trainingCount: Int { augmentation.mirror ? 2 * count : count }

  /// The whole picture in RGB: grey is repeated, opacity dropped, palettes looked up, 16 bits rounded to 8.
  ///
  /// Decoded pictures stay in memory as long as they fit in half a GiB.
  /// - Throws: `.badData` if the file is corrupt.
  public func picture(at index: Int) throws -> Image {
    try decoded.sample(index) { try Image(contentsOf: pictures.path(of: index)).rgb() }
  }

  /// A sample of training.
  /// - Parameter index: below `trainingCount`.
  /// - Throws: what reading and drawing masks throw.
  public func trainingSample(
    at index: Int, random: inout Random, seen: AugmentationObserver<InpaintingView> = { _, _ in }
  ) throws -> InpaintingSample {
    let picture = try picture(at: index % count)
    seen(.asRead) { InpaintingView(image: picture) }
    let image = augmentation(picture, size: size, isMirrored: index >= count, random: &random) { step, image in
      seen(step) { InpaintingView(image: image()) }
    }
    let (mask, origin) = try trainingMask(for: index % count, &random)
    seen(AugmentationStep("mask", origin)) { InpaintingView(image: image, mask: mask) }
    return InpaintingSample(image: image, mask: mask)
  }

  private func trainingMask(for index: Int, _ random: inout Random) throws -> (mask: InpaintingMask, origin: String) {
    switch masks {
    case .freeForm(let settings):
      return (try settings(height: size, width: size, random: &random), "free form, \(settings.preset.configName)")
    case .files(let files, let polarity):
      return (try pooled(files[index], polarity), Path.name(files[index]))
    case .pool(let files, let polarity):
      let file = files[random.integer(in: 0..<files.count)]
      return (try pooled(file, polarity), Path.name(file))
    }
  }

  private func pooled(_ path: String, _ polarity: MaskPolarity) throws -> InpaintingMask {
    let mask = try InpaintingMask.read(contentsOf: path, polarity).mask
    guard mask.height == size, mask.width == size else {
      throw Failure(.badData, at: path, "the mask is \(mask.width)x\(mask.height), but the network sees \(size)x\(size)",
                    remedy: "Masks for training have the size of the network: scale them by the nearest pixel.")
    }
    return mask
  }

  /// A sample as evaluation sees it.
  /// - Throws: `.badData` if a file is corrupt, or mask and picture have different sizes; what drawing a mask throws.
  public func sample(at index: Int) throws -> InpaintingSample {
    let image = try picture(at: index)
    let view = augmentation.evaluated(image, size: size)
    switch masks {
    case .freeForm(let settings):
      var random = Random(seed: Self.evaluationSeed, stream: .augmentation, sample: index)
      return InpaintingSample(image: view, mask: try settings(height: size, width: size, random: &random))
    case .files(let files, let polarity), .pool(let files, let polarity):
      let path = files[index % files.count]
      let mask = try InpaintingMask.read(contentsOf: path, polarity).mask
      if mask.height == size, mask.width == size { return InpaintingSample(image: view, mask: mask) }
      guard augmentation.fit != .resize else { return InpaintingSample(image: view, mask: try pooled(path, polarity)) }
      guard mask.height == image.height, mask.width == image.width else {
        throw Self.misfit(path, mask, pictures.path(of: index), image.height, image.width)
      }
      return InpaintingSample(image: view, mask: augmentation.evaluated(mask, size: size))
    }
  }

  /// Masks of evaluation are the same in every run.
  static let evaluationSeed: UInt64 = 240

  /// The failure for a mask of another size than its picture.
  public static func misfit(_ path: String, _ mask: InpaintingMask, _ picture: String, _ height: Int, _ width: Int) -> Failure {
    Failure(.badData, at: path, "the mask is \(mask.width)x\(mask.height), but its picture \(picture) is \(width)x\(height)",
            remedy: "Take the mask that belongs to the picture, or scale it by the nearest pixel.")
  }
}
