import Base
import Tensors

extension StateDictionary {
  /// The bytes of a `.pth` file, in PyTorch's zip form: an `OrderedDict` that `torch.load(path, weights_only=True)` returns.
  ///
  /// Shared arrays are stored once, and are tensors of one storage under each of their names. The same values give the same bytes.
  /// - Parameter stem: the name of the folder inside the archive; PyTorch takes the file's name without its extension.
  /// - Throws: `.badData` if they are 4 GiB and more.
  public func pyTorchBytes(stem: String = "archive") throws -> [UInt8] {
    let others = Dictionary(grouping: aliases.filter { $0.key != $0.value }, by: \.value).mapValues { $0.map(\.key).sorted() }
    var items: [PickleWriter.Item] = []
    for (number, entry) in entries.enumerated() {
      for name in [entry.name] + (others[entry.name] ?? []) {
        items.append(.init(name: name, storage: "\(number)", type: entry.type, shape: entry.shape))
      }
    }
    let size = entries.reduce(0) { $0 + $1.shape.reduce(1, *) * $1.type.size + 512 + 8 * $1.name.utf8.count }
    guard size < ZipWriter.largestSize else {
      throw Failure(.badData, at: "", "\(size) bytes are too many for a .pth file of ours, which ends at 4 GiB",
                    remedy: "Write .safetensors.")
    }
    var zip = ZipWriter()
    zip.add("\(stem)/data.pkl", PickleWriter(items).bytes)
    zip.add("\(stem)/.format_version", Array("1".utf8))
    zip.add("\(stem)/.storage_alignment", Array("\(ZipWriter.alignment)".utf8))
    zip.add("\(stem)/byteorder", Array("little".utf8))
    for (number, entry) in entries.enumerated() {
      var content: [UInt8] = []
      entry.append(to: &content)
      zip.add("\(stem)/data/\(number)", content)
    }
    zip.add("\(stem)/version", Array("3\n".utf8))
    let identity = zip.names.value.padded(to: 20) + zip.contents.value.padded(to: 20)
    zip.add("\(stem)/.data/serialization_id", Array(identity.utf8))
    return zip.archive
  }
}
