import Base
import Data
import Foundation
import Networks
import Tensors
import Training
import Vision
import WeightFiles

/// How far a prediction came, kept in the folder of its results, so that it can go on.
///
/// The file holds the number of pairs that are done, the coarse flow of the last one (the next starts from it) and a checksum of all
/// that the results depend on: settings, weights, and name, size and time of every frame so far. If the checksum differs, nothing counts
/// as done. Results are complete before the record tells of them.
struct PredictionRecord {
  static let fileName = ".apus-predict.safetensors"
  private static let coarseName = "coarse_flow"

  /// All pairs of the run, in order.
  let pairs: [PairSequence.Pair]
  /// Pairs at the front whose results were written.
  private(set) var doneCount = 0
  /// The coarse flow of the last of them.
  private(set) var coarseFlow: FlowField?
  private var checksum: CRC32C
  private let path: String

  /// Takes up the record of an earlier run with the same settings, weights and frames; else begins anew.
  init(folder: String, settings: [UInt8], pairs: [PairSequence.Pair]) throws {
    self.pairs = pairs
    path = "\(folder)/\(Self.fileName)"
    checksum = CRC32C()
    settings.withUnsafeBytes { checksum.update($0) }
    guard let file = try? Safetensors(at: path), let done = file.metadata["done"].flatMap({ Int($0) }), (1...pairs.count).contains(done)
    else { return }
    let fresh = checksum
    for pair in pairs[..<done] { add(pair) }
    guard file.metadata["checksum"] == "\(checksum.value)", let field = file[Self.coarseName]?.tensor, field.shape.count == 3,
          field.shape[2] == 2 else {
      checksum = fresh
      return
    }
    doneCount = done
    coarseFlow = FlowField(height: field.shape[0], width: field.shape[1], vectors: field.floats)
  }

  /// One more pair is done.
  /// - Throws: the failures of writing.
  mutating func append(coarseFlow: FlowField) throws {
    add(pairs[doneCount])
    doneCount += 1
    self.coarseFlow = coarseFlow
    let field = Tensor(coarseFlow.vectors, shape: [coarseFlow.height, coarseFlow.width, 2])
    try Safetensors([.init(Self.coarseName, field)], metadata: ["done": "\(doneCount)", "checksum": "\(checksum.value)"]).write(to: path)
  }

  /// The names alone, since a folder may be named in several ways; times in nanoseconds.
  private mutating func add(_ pair: PairSequence.Pair) {
    var text = "\n\(pair.result)"
    for frame in [pair.image1, pair.image2] {
      var status = stat()
      guard stat(frame, &status) == 0 else { continue }  // reading it will say so
      text += "|\((frame as NSString).lastPathComponent) \(status.st_size) \(status.st_mtim.tv_sec) \(status.st_mtim.tv_nsec)"
    }
    Array(text.utf8).withUnsafeBytes { checksum.update($0) }
  }
}
