import Base
import Vision

/// KITTI's flow maps: a 16-bit RGB PNG with `u = (R - 2¹⁵) / 64`, `v = (G - 2¹⁵) / 64`, valid where `B > 0`.
///
/// The grid is 1/64 pixel and the range -512...511.98.
///
/// - Source: development kit of the KITTI 2015 stereo and flow benchmark (Menze and Geiger, CVPR 2015).
public enum KITTIFlow {
  /// Decodes a flow map. Invalid vectors become zero.
  /// - Parameter place: the file's name, for error messages.
  /// - Throws: `.badData` if the file is no 16-bit RGB PNG, truncated or corrupt.
  public static func decode(_ bytes: [UInt8], place: String) throws -> FlowField {
    let image = try PNG.decode16(bytes, place: place)
    guard image.channels == 3 else {
      throw Failure(.badData, at: place, "this PNG has \(image.channels) channels, expected 3: u, v and validity")
    }
    var flow = FlowField(height: image.height, width: image.width, vectors: Array(repeating: 0, count: 2 * image.height * image.width))
    for i in 0..<image.height * image.width {
      if image.samples[3 * i + 2] > 0 {
        for c in 0..<2 { flow.vectors[2 * i + c] = (Float(image.samples[3 * i + c]) - 32768) / 64 }
      } else {
        flow.isValid[i] = false
      }
    }
    return flow
  }

  /// Encodes a flow map. As the benchmark's own writers do, components are truncated to the grid; those out of range are clamped.
  /// Invalid vectors, and those that are not finite, are written as a zero vector with validity 0, as in the benchmark's own files.
  public static func encode(_ flow: FlowField) -> [UInt8] {
    var samples: [UInt16] = []
    samples.reserveCapacity(3 * flow.height * flow.width)
    for i in 0..<flow.height * flow.width {
      let u = flow.vectors[2 * i]
      let v = flow.vectors[2 * i + 1]
      let isKnown = flow.isValid[i] && u.isFinite && v.isFinite
      samples += isKnown ? [code(u), code(v), 1] : [code(0), code(0), 0]
    }
    return PNG.encode(Image16(height: flow.height, width: flow.width, channels: 3, samples: samples))
  }

  private static func code(_ component: Float) -> UInt16 { UInt16(min(max(component * 64 + 32768, 0), 65535)) }
}
