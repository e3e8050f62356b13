import Base
import Foundation
import Vision

extension MOTFile {
  /// The content of `det.txt` as MOT17 has it: seven columns, coordinates with two decimals.
  /// - Precondition: boxes and scores are finite.
  public static func text(ofDetections frames: [[DetectedBox]]) -> String {
    frames.enumerated().map { frame, boxes in
      boxes.map { detection in
        require(detection.isUsable, "MOTFile: \(detection) cannot be written")
        return "\(frame + 1),-1,\(text(of: detection.box)),\(String(format: "%.6g", detection.score))\n"
      }.joined()
    }.joined()
  }

  /// The content of `gt.txt` as MOT17 has it: nine columns with flag, class and visibility.
  /// - Precondition: boxes are finite, and no id is twice in a frame.
  public static func text(ofTruth frames: [[TruthBox]]) -> String {
    frames.enumerated().map { frame, boxes in
      require(Set(boxes.map(\.id)).count == boxes.count, "MOTFile: an id is twice in frame \(frame + 1)")
      return boxes.map { truth in
        let flag = truth.isEvaluated ? 1 : 0
        let visibility = String(format: "%.5g", truth.visibility)
        return "\(frame + 1),\(truth.id),\(text(of: truth.box)),\(flag),\(truth.category.rawValue),\(visibility)\n"
      }.joined()
    }.joined()
  }

  /// `left,top,width,height` with two decimals, as many as are needed.
  static func text(of box: BoundingBox) -> String {
    require(box.isFinite && !box.isEmpty, "MOTFile: \(box) cannot be written")
    // Two decimals must not take the size away.
    let size = [box.width, box.height].map { max($0, 0.01) }
    return ([box.x, box.y] + size).map { String(format: "%.2f", $0) }.joined(separator: ",")
  }
}

extension SequenceInfo {
  /// The content of `seqinfo.ini`.
  public var text: String {
    var lines = ["[Sequence]"]
    func add(_ key: String, _ value: String?) { if let value { lines.append("\(key)=\(value)") } }
    add("name", name)
    add("imDir", imageFolder)
    add("frameRate", frameRate.map { $0 == $0.rounded() ? String(Int($0)) : "\($0)" })
    add("seqLength", "\(length)")
    add("imWidth", width.map(String.init))
    add("imHeight", height.map(String.init))
    add("imExt", imageExtension)
    return lines.joined(separator: "\n") + "\n"
  }
}
