import Base
import Foundation
import WeightFiles

/// One result of a prediction: what it is called, and what it is made from.
public protocol OutputItem: Sendable {
  /// The path of the result below the folder of all results, without extension.
  var result: String { get }
  /// The files that it depends on.
  var inputs: [String] { get }
}

extension OutputItem {
  /// The name of the result, and name, size and time of every input. Names alone, since a folder may be named in several ways; times in
  /// nanoseconds.
  var fingerprint: String {
    var text = "\n\(result)"
    for input in inputs {
      var status = stat()
      guard stat(input, &status) == 0 else { continue }  // reading it will say so
      text += "|\(Path.name(input)) \(status.st_size) \(status.st_mtim.tv_sec) \(status.st_mtim.tv_nsec)"
    }
    return text
  }
}

/// The progress of a prediction, kept in the folder of its results, so that it can go on.
///
/// The file holds the number of items that are done, what the last one hands over to the next, and a checksum of all that the results
/// depend on: settings, weights, and name, size and time of every input so far. If the checksum differs, nothing counts as done. Results
/// are complete before the record tells of them.
public struct OutputRecord<Item: OutputItem> {
  /// All items of the prediction, in order.
  public let items: [Item]
  /// Items at the front whose results were written.
  public private(set) var doneCount = 0
  /// The state that the last finished item hands over to the next.
  public private(set) var carry: Safetensors?
  private var checksum = CRC32C()
  private let path: String

  /// Takes up the record of an earlier prediction with the same settings, weights and inputs; else begins anew.
  /// - Parameter settings: all that the bits of a result depend on besides the inputs.
  /// - Throws: `.inputOutput` if there is a record that cannot be read; one that is damaged is as good as none.
  public init(folder: String, settings: [UInt8], items: [Item]) throws {
    self.items = items
    path = "\(folder)/\(OutputFolder.recordName)"
    settings.withUnsafeBytes { checksum.update($0) }
    let file: Safetensors
    do {
      file = try Safetensors(at: path)
    } catch let failure as Failure where failure.kind != .inputOutput {
      return
    }
    guard let done = file.metadata["done"].flatMap({ Int($0) }), (0...items.count).contains(done) else {
      return
    }
    let fresh = checksum
    for item in items[..<done] { add(item) }
    guard file.metadata["checksum"] == "\(checksum.value)" else {
      checksum = fresh
      return
    }
    doneCount = done
    carry = file.entries.isEmpty ? nil : Safetensors(file.entries)
  }

  /// One more item is done.
  /// - Parameter carry: what the next item may start from; nil: nothing.
  /// - Throws: the failures of writing.
  public mutating func append(carry: Safetensors?) throws {
    add(items[doneCount])
    doneCount += 1
    self.carry = carry
    try Safetensors(carry?.entries ?? [], metadata: ["done": "\(doneCount)", "checksum": "\(checksum.value)"]).write(to: path)
  }

  private mutating func add(_ item: Item) { Array(item.fingerprint.utf8).withUnsafeBytes { checksum.update($0) } }
}

/// The folder of a prediction's results, for one process at a time.
public final class OutputFolder {
  static let recordName = ".apus-predict.safetensors"

  public let path: String
  private let lock: FolderLock

  /// Makes the folder if it is missing, and locks it until this value goes away.
  /// - Throws: `.cannotCreate` if it cannot be made, or another process writes to it.
  public init(_ path: String) throws {
    self.path = path
    try File.createFolder(path)
    lock = try FolderLock(itself: path, occupied: "another prediction is writing to this folder",
                          remedy: "Wait until it ends, or choose another --out.")
  }

  /// True if all files of a result are there and not empty.
  /// - Throws: `.inputOutput` if that cannot be found out.
  func holds(_ result: String, _ suffixes: [String]) throws -> Bool {
    try suffixes.allSatisfy { suffix in
      let place = "\(path)/\(result)\(suffix)"
      return try File.kind(at: place) == .file && !File.bytes(at: place, upTo: 1).isEmpty
    }
  }

  /// Results beside their own inputs would be taken for inputs the next time, or replace them, and those of two inputs each other.
  /// - Parameter source: the paths that the user named.
  /// - Throws: `.usage` if a result would land in the folder that is read, on an input, or on the result of another input.
  static func requireApart(_ items: [some OutputItem], _ suffixes: [String], source: [String], out: String) throws {
    func refuse(_ found: String) -> Failure {
      Failure(.usage, at: "--out \(out)", found, remedy: "Choose another folder for the results.")
    }
    let folders = Set(items.map { File.folder(of: "\(out)/\($0.result)") }.map(Path.real))
    let inputs = Set(items.flatMap(\.inputs).map(Path.real))
    if source.count == 1, let input = inputs.first(where: { folders.contains(File.folder(of: $0)) }) {
      throw refuse("the results would land among the inputs, in \(File.folder(of: input)), and be taken for inputs the next time")
    }
    for item in items {
      for suffix in suffixes where inputs.contains(Path.real("\(out)/\(item.result)\(suffix)")) {
        throw refuse("the result \(item.result)\(suffix) would replace an input")
      }
    }
    var owners: [String: String] = [:]
    for item in items {
      for name in suffixes.map({ item.result + $0 }) {
        guard let other = owners.updateValue(item.result, forKey: name), other != item.result else { continue }
        throw Failure(.usage, at: "--source", "'\(other)' and '\(item.result)' would have results of one name, \(name)",
                      remedy: "Rename one of them, or write their results into different folders.")
      }
    }
  }
}
