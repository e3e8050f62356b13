import Base
import Tensors

/// The files that hold weights.
public enum WeightFormat: String, Sendable, CaseIterable {
  case safetensors, pth

  /// The format to write a file in, by its name.
  /// - Throws: `.usage` if the name ends in neither `.safetensors` nor `.pth`, `.pt`.
  public init(ofName path: String) throws {
    let name = path.split(separator: "/").last ?? ""
    let ending = name.contains(".") ? name.split(separator: ".").last.map { $0.lowercased() } : nil
    switch ending {
    case "safetensors": self = .safetensors
    case "pth", "pt": self = .pth
    default: throw Failure(.usage, at: path, "the name does not tell the format to write", remedy: "End it in .safetensors or .pth.")
    }
  }
}

extension StateDictionary {
  /// Reads a weight file; what is in it tells its format.
  /// - Parameters:
  ///   - key: which dictionary of a `.pth` file, see `PyTorchFile.stateDictionary(key:)`.
  ///   - warn: told what is left out.
  /// - Throws: `.missingInput` or `.inputOutput` if it cannot be read, `.badData` if it is damaged, no regular file or larger than the free
  ///   memory, `.usage` for a key that leads nowhere.
  public init(at path: String, key: String? = nil, warn: (String) -> Void = { _ in }) throws {
    let bytes = try File.bytes(at: path, limit: MemoryPool.available) { head in
      guard PyTorchFile.recognizes(head) || Safetensors.recognizes(head) else {
        throw Failure.unrecognized(head, at: path, expected: "a .safetensors file, one of torch.save, or a snapshot of networks (.pkl)")
      }
    }
    try self.init(bytes: bytes, name: path, key: key, warn: warn)
  }

  /// The same for the content of a file; `path` is what messages call it.
  public init(bytes: [UInt8], name path: String, key: String? = nil, warn: (String) -> Void = { _ in }) throws {
    // What is neither is explained as what its name promises.
    let isNamedSo = ["pth", "pt", "bin", "ckpt", "tar", "pkl"].contains(Path.fileExtension(path)) && !Safetensors.recognizes(bytes)
    if PyTorchFile.recognizes(bytes) || isNamedSo {
      self = try PyTorchFile(bytes: bytes, name: path).stateDictionary(key: key, warn: warn)
    } else {
      let file = try Safetensors(bytes: bytes, name: path)
      if let key { throw Failure(.usage, at: path, "there is no dictionary '\(key)' in it: a safetensors file holds one, without a name") }
      self.init(file)
    }
  }

  /// Writes a file, complete or not at all, in the format that its name tells.
  /// - Throws: `.usage` for another name, `.cannotCreate`, `.inputOutput`.
  public func write(to path: String) throws {
    switch try WeightFormat(ofName: path) {
    case .safetensors: try safetensors().write(to: path)
    case .pth:
      let name = path.split(separator: "/").last ?? "archive"
      let stem = name.lastIndex(of: ".").map { String(name[..<$0]) } ?? String(name)
      try AtomicFile.write(pyTorchBytes(stem: stem.isEmpty ? "archive" : stem), to: path)
    }
  }
}
