import Foundation
import Testing

/// Tracks that move at a speed of their own and turn round now and then.
extension Workplace {
  /// Writes the ground truth and detections of a sequence in MOT17's layout below `tracks/<split>`.
  func writeTracks(_ split: String, sequence: String, tracks: Int, frames: Int, phase: Int = 0) throws {
    var truth: [String] = []
    var found: [String] = []
    for track in 1...tracks {
      let (speed, turn) = (Double(2 + (3 * track + phase) % 5), 11 + (track + phase) % 7)
      var x = Double(40 * track)
      for frame in 1...frames {
        x += (frame / turn) % 2 == 0 ? speed : -speed
        let height = 60 + 0.3 * Double(frame) + Double(track)
        truth.append("\(frame),\(track),\(x),\(80 + 2 * track),\(0.4 * height),\(height),1,1,1")
        // Missed now and then, and a little beside the truth.
        if (5 * frame + 3 * track) % 13 != 0 {
          found.append("\(frame),-1,\(x + Double((frame * track) % 3)),\(80 + 2 * track),\(0.4 * height),\(height + 1),0.9")
        }
      }
    }
    for frame in stride(from: 2, through: frames, by: 3) { found.append("\(frame),-1,\((37 * frame) % 300),90,25,62,0.4") }
    let folder = "tracks/\(split)/\(sequence)"
    try write("\(folder)/gt/gt.txt", truth.joined(separator: "\n"))
    try write("\(folder)/det/det.txt", found.joined(separator: "\n"))
    try write("\(folder)/seqinfo.ini", "[Sequence]\nseqLength=\(frames)\n")
  }

  private func writeTracks() throws {
    try writeTracks("train", sequence: "A", tracks: 5, frames: 40)
    try writeTracks("val", sequence: "B", tracks: 3, frames: 40, phase: 2)
  }

  /// Writes `motion.yaml` and the data.
  func prepareMotion(plan: String) throws {
    try writeTracks()
    try write("motion.yaml", """
      task: motion
      model: {hidden: 8}
      data: {root: tracks}
      validation: {root: tracks, split: val}
      window: {history: 10, stride: 3}
      noise: {longest_miss: 3}
      train: {batch_size: 6, workers: 1}
      optimizer: {learning_rate: 5.0e-3}
      schedule: {kind: constant}
      inference: {batch_size: 5}
      plan: {\(plan), threads: 1}
      """)
  }

  /// Writes `affinity.yaml` and the data.
  func prepareAffinity(plan: String) throws {
    try writeTracks()
    try write("affinity.yaml", """
      task: affinity
      model: {hidden: 8}
      data: {root: tracks}
      validation: {root: tracks, split: val}
      pairs: {longest_gap: 4, most: 4, false_rate: 0.5}
      noise: {longest_miss: 3}
      train: {batch_size: 6, workers: 1}
      optimizer: {learning_rate: 5.0e-3}
      schedule: {kind: constant}
      inference: {batch_size: 5}
      plan: {\(plan), threads: 1}
      """)
  }
}
