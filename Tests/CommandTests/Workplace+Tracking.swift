import Data
import Foundation
import Vision

/// Small sequences in the layout of the MOTChallenge.
extension Workplace {
  /// Three boxes that walk through each other's way; each is missed now and then, and frame 6 has no detection at all.
  static func walkers(frame: Int) -> [(id: Int, box: BoundingBox, isFound: Bool)] {
    (0..<3).map { id in
      let x = id == 1 ? 100 - 2 * Double(frame) : 4 + 2 * Double(frame % 40) + 30 * Double(id)
      let box = BoundingBox(x: x, y: 10 + 14 * Double(id), width: 18, height: 30)
      return (id + 1, box, frame != 5 && (frame + 3 * id) % 7 != 3)
    }
  }

  /// Writes a sequence with detections and ground truth.
  /// - Parameter pictures: whether it has pictures, 136 wide and 128 high.
  func writeSequence(_ name: String, frames: Int, pictures: Bool = false) throws {
    var detections = ""
    var truth = ""
    for frame in 0..<frames {
      for walker in Workplace.walkers(frame: frame) {
        let box = walker.box
        let place = "\(box.x),\(box.y),\(box.width),\(box.height)"
        if walker.isFound { detections += "\(frame + 1),-1,\(place),0.9,-1,-1,-1\n" }
        truth += "\(frame + 1),\(walker.id),\(place),1,1,1\n"
      }
      guard pictures else { continue }
      var picture = Workplace.picture(height: 128, width: 136)
      for walker in Workplace.walkers(frame: frame) { picture.paint(walker.box.clipped(toWidth: 136, height: 128), [90, UInt8(60 * walker.id), 200]) }
      try write("\(name)/img1/\(String(format: "%06d", frame + 1)).jpg", JPEG.encode(picture))
    }
    try write("\(name)/det/det.txt", detections)
    try write("\(name)/gt/gt.txt", truth)
    try write("\(name)/seqinfo.ini", "[Sequence]\nname=\(name)\nimDir=img1\nframeRate=20\nseqLength=\(frames)\nimWidth=136\nimHeight=128\nimExt=.jpg\n")
  }
}
