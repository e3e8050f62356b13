import Base
import Foundation
import Networks
import Tensors
import Training
import WeightFiles

/// The part of `apus predict` that is a task's own: the list of results, and how one is made.
public protocol Predictor {
  associatedtype Item: OutputItem
  /// All that the bits of a result depend on, besides weights and inputs.
  associatedtype Settings: Encodable

  /// The results to make. Within a sequence each may start from what the one before hands over.
  var sequences: [[Item]] { get }
  /// Whether results of a sequence depend on the one before: then all that follow a missing one are made again.
  var isChained: Bool { get }
  var settings: Settings { get }
  /// The suffixes of a result's files, such as `.flo`.
  var suffixes: [String] { get }
  /// For the last line: what was made, such as `masks`, and what stands in the folder.
  var noun: String { get }
  var explanation: String { get }

  /// Makes one result and writes its files.
  /// - Parameters:
  ///   - carry: what the result before handed over; nil at the start of a sequence.
  ///   - place: the path of the result, without extension; its folder is there.
  ///   - memory: to be asked before the network sees an input of another size.
  /// - Returns: what the next one may start from.
  mutating func write(_ item: Item, from carry: Safetensors?, to place: String, _ memory: MemoryGuard) throws -> Safetensors?
}

/// Makes the results of a predictor, or those that an earlier prediction left to do.
struct PredictionRun<P: Predictor> {
  private var predictor: P
  private let folder: OutputFolder
  private let memory: MemoryGuard
  private var record: OutputRecord<P.Item>
  /// Items that are done with, and those of them that were found complete.
  private var itemCount = 0
  private var keptCount = 0

  /// - Parameter weights: a checksum of the weights in use.
  init(_ predictor: P, weights: UInt32, source: [String], out: String, _ memory: MemoryGuard) throws {
    self.predictor = predictor
    self.memory = memory
    let items = predictor.sequences.flatMap { $0 }
    try OutputFolder.requireApart(items, predictor.suffixes, source: source, out: out)
    folder = try OutputFolder(out)
    try AtomicFile.removeLeftovers(besides: ["\(out)/\(OutputFolder.recordName)"] + items.map { "\(out)/\($0.result)" })
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let settings = Array(try encoder.encode(predictor.settings)) + Array("\(MatmulPrecision.description) \(weights)".utf8)
    record = try OutputRecord(folder: out, settings: settings, items: items)
  }

  /// - Returns: lines for the user.
  mutating func run(_ progress: (_ done: Int, _ count: Int) -> Void) throws -> [String] {
    for sequence in predictor.sequences { try run(sequence, progress) }
    let kept = keptCount == 0 ? [] : ["\(keptCount) of them were there already"]
    return ["\(itemCount) \(predictor.noun) in \(folder.path): \(predictor.explanation)"] + kept
  }

  /// Whatever follows a missing result is made again, from what is still known or else from the first one on.
  private mutating func run(_ items: [P.Item], _ progress: (Int, Int) -> Void) throws {
    let offset = itemCount
    let isComplete = try items.indices.map { try offset + $0 < record.doneCount && folder.holds(items[$0].result, predictor.suffixes) }
    var start = isComplete.firstIndex(of: false) ?? items.count
    var carry: Safetensors?
    if predictor.isChained, start > 0, start < items.count {
      carry = record.doneCount == offset + start ? record.carry : nil
      if carry == nil { start = 0 }
    }
    for (index, item) in items.enumerated() {
      let isKept = predictor.isChained ? index < start : isComplete[index]
      if isKept {
        keptCount += 1
      } else {
        if itemCount == keptCount { progress(itemCount, record.items.count) }  // only now the clock starts
        let place = "\(folder.path)/\(item.result)"
        if item.result.contains("/") { try File.createFolder(File.folder(of: place)) }
        carry = try predictor.write(item, from: predictor.isChained ? carry : nil, to: place, memory)
        if record.doneCount == offset + index { try record.append(carry: carry) }
        progress(itemCount + 1, record.items.count)
      }
      itemCount += 1
    }
  }
}
