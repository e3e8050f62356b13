import Base
import Vision

/// The frames of a folder in natural order (`frame9` before `frame10`), for prediction: neighbours form the pairs.
public struct FrameSequence: Sendable {
  /// The paths of the frames.
  public let files: [String]

  public var count: Int { files.count }

  /// Lists the `.png`, `.jpg`, `.jpeg`, `.ppm` and `.pgm` files of a folder. PNGs of 16-bit RGB are KITTI's flow maps and left out.
  /// - Throws: `.missingInput` if there is no such folder, or fewer than two frames in it.
  public init(folder: String) throws {
    let paths = try Folder.names(in: folder).map { Path.join(folder, $0) }
    files = try paths.filter(Folder.isFrame)
    guard files.count >= 2 else {
      throw Failure(.missingInput, at: folder,
                    "\(files.count) frames found among \(paths.count) files, expected at least two (\(ImageFormat.list))",
                    remedy: "16-bit RGB PNGs count as flow maps; convert them to 8 bits if they are frames.")
    }
  }

  /// These frames in this order.
  public init(files: [String]) { self.files = files }

  /// Reads one frame as RGB.
  /// - Throws: `.missingInput`, `.badData` if the file is gone or corrupt.
  public func image(at index: Int) throws -> Image { try Image(contentsOf: files[index]).rgb() }

  /// The stem of the frame's file.
  public func name(of index: Int) -> String { Path.stem(files[index]) }
}
