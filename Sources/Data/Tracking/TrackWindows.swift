import Base
import Vision

/// Pieces of the tracks of a ground truth: the boxes of one object in frames that follow one another.
///
/// Boxes that do not count for the benchmark are left out.
public struct TrackWindows: Dataset {
  /// A piece of a track.
  public struct Window: Sendable, Equatable {
    public let sequence: String
    public let id: Int
    /// The first frame, from 1.
    public let frame: Int
    public let boxes: [BoundingBox]
  }

  public let windows: [Window]

  /// - Parameters:
  ///   - length: frames of a piece.
  ///   - stride: frames from the start of one piece to that of the next of the same track.
  /// - Throws: the failures of reading; `.badData` if no track is long enough.
  public init(_ sequences: [MOTSequence], length: Int, stride: Int, benchmark: TrackingBenchmark? = nil) throws {
    require(length >= 1 && stride >= 1, "TrackWindows: windows of \(length) frames every \(stride) frames")
    var windows: [Window] = []
    for sequence in sequences {
      for run in try Self.runs(of: sequence.truth(benchmark)) where run.boxes.count >= length {
        windows += Swift.stride(from: 0, through: run.boxes.count - length, by: stride).map { start in
          Window(sequence: sequence.name, id: run.id, frame: run.start + start, boxes: Array(run.boxes[start..<start + length]))
        }
      }
    }
    guard !windows.isEmpty else {
      throw Failure(.badData, at: sequences.first.map { Path.folder($0.folder) } ?? "",
                    "no track of \(sequences.count) sequences has \(length) frames in a row",
                    remedy: "Choose shorter windows, or longer sequences.")
    }
    self.windows = windows
  }

  /// The parts of all tracks without gaps, by identity and time; frames from 1.
  private static func runs(of truth: [[TruthBox]]) -> [(id: Int, start: Int, boxes: [BoundingBox])] {
    var tracks: [Int: [(frame: Int, box: BoundingBox)]] = [:]
    for (index, frame) in truth.enumerated() {
      for box in frame where box.isEvaluatedPedestrian { tracks[box.id, default: []].append((index + 1, box.box)) }
    }
    var runs: [(id: Int, start: Int, boxes: [BoundingBox])] = []
    for (id, boxes) in tracks.sorted(by: { $0.key < $1.key }) {
      for (frame, box) in boxes {
        if let last = runs.last, last.id == id, last.start + last.boxes.count == frame {
          runs[runs.count - 1].boxes.append(box)
        } else {
          runs.append((id, frame, [box]))
        }
      }
    }
    return runs
  }

  public var count: Int { windows.count }

  public func sample(at index: Int) -> Window { windows[index] }

  /// `SEQUENCE/id/frame`.
  public func name(of index: Int) -> String { "\(windows[index].sequence)/\(windows[index].id)/\(windows[index].frame)" }
}
