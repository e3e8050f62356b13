import Base
import Vision

/// The frames of a folder in natural order (`frame9` before `frame10`), for prediction: neighbours form the pairs.
public struct FrameSequence: Sendable {
  /// The paths of the frames.
  public let files: [String]

  public var count: Int { files.count }

  /// Lists the `.png`, `.jpg`, `.jpeg`, `.ppm` and `.pgm` files of a folder.
  ///
  /// KITTI's flow maps are left out; other PNGs of 16 bits are frames, read with 8. Folders and pipes are no frames, whatever they are
  /// called.
  /// - Throws: `.missingInput` if there is no such folder, or fewer than two frames in it; `.badData` for a name that is not UTF-8, or
  ///   a link that leads nowhere.
  public init(folder: String) throws {
    let pictures = try Folder.files(in: folder, where: Folder.isPictureName)
    files = try pictures.map { Path.join(folder, $0) }.filter { try !Folder.isKITTIFlow($0) }
    guard files.count >= 2 else { throw try FrameSequence.tooFew(files.count, of: pictures, in: folder) }
    Orientation.warn(about: files, in: folder)
  }

  /// These frames in this order.
  public init(files: [String]) { self.files = files }

  /// Reads one frame as RGB.
  /// - Throws: `.missingInput`, `.badData` if the file is gone or corrupt.
  public func image(at index: Int) throws -> Image { try Image(contentsOf: files[index]).rgb() }

  /// The stem of the frame's file.
  public func name(of index: Int) -> String { Path.stem(files[index]) }

  private static func tooFew(_ count: Int, of pictures: [String], in folder: String) throws -> Failure {
    let found = "\(count) frames found"
    let expected = "expected at least two (\(ImageFormat.list))"
    if count < pictures.count {
      let maps = "\(pictures.count - count) flow maps of KITTI (16-bit RGB PNGs)"
      return Failure(.missingInput, at: folder, "\(found) besides \(maps), \(expected)",
                     remedy: "If they are frames, convert them to 8 bits.")
    }
    let names = try Folder.files(in: folder)
    let others = Folder.otherContents(of: folder, names)
    return Failure(.missingInput, at: folder, "\(found) among \(names.count) files, \(expected)\(others.text)", remedy: others.remedy)
  }
}
