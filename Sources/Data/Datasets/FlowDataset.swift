import Base
import Vision

/// Two frames and the true flow from the first to the second; all three have one size, and the frames are RGB.
public struct FlowSample: Sendable, Equatable {
  public var image1: Image
  public var image2: Image
  public var flow: FlowField
  /// `height · width` flags, row-major, true where image 2 does not show the pixel of image 1; `nil`: not known. Only read for
  /// evaluation: augmentation drops it.
  public var occlusion: [Bool]?

  /// Grey frames are repeated to RGB, alpha is dropped.
  /// - Precondition: one size.
  public init(image1: Image, image2: Image, flow: FlowField, occlusion: [Bool]? = nil) {
    let isOneSize = image1.height == image2.height && image1.width == image2.width
      && flow.height == image1.height && flow.width == image1.width
    require(isOneSize, "FlowSample: images of \(image1.height)x\(image1.width) and \(image2.height)x\(image2.width), "
      + "flow of \(flow.height)x\(flow.width), expected one size")
    require(occlusion.map { $0.count == flow.isValid.count } ?? true,
            "FlowSample: \(occlusion?.count ?? 0) occlusion flags for \(flow.height)x\(flow.width) pixels")
    self.image1 = image1.rgb()
    self.image2 = image2.rgb()
    self.flow = flow
    self.occlusion = occlusion
  }
}

/// A collection of frame pairs with true flow.
public protocol FlowDataset: Dataset<FlowSample> {}

/// The files of one sample.
public struct FlowSampleFiles: Sendable, Equatable {
  public let name: String
  public let image1: String
  public let image2: String
  public let flow: String

  /// Reads the three files.
  /// - Throws: `.missingInput`, `.badData` if one is gone, corrupt, or their sizes differ.
  public func read() throws -> FlowSample {
    let first = try Image(contentsOf: image1)
    let second = try Image(contentsOf: image2)
    let field = try FlowField(contentsOf: flow)
    try FlowSampleFiles.requireSize(of: second.height, second.width, image2, like: first, image1)
    try FlowSampleFiles.requireSize(of: field.height, field.width, flow, like: first, image1)
    return FlowSample(image1: first, image2: second, flow: field)
  }

  private static func requireSize(of height: Int, _ width: Int, _ path: String, like first: Image, _ firstPath: String) throws {
    guard height == first.height, width == first.width else {
      throw Failure(.badData, at: path,
                    "the size is \(width) x \(height), expected \(first.width) x \(first.height) as in \(Path.name(firstPath))")
    }
  }
}
