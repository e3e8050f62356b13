import Base
import Data
import Foundation
import Synthesis
import Tensors
import Training

/// What `apus synth flow` does.
public enum FlowGenerator {
  public typealias Layout = FlowLayout

  public struct Request: Sendable {
    public let out: String
    public let layout: Layout
    /// Frames in a scene, where the layout has scenes.
    public let frames: Int
    public let count, seed, height, width: Int
    /// Share of the pairs or scenes that are set apart, 0...1.
    public let validationShare: Double
    /// Settings of the generator that differ from its defaults.
    public let overrides: [ConfigOverride]

    public init(
      out: String, layout: Layout = .flyingChairs, count: Int, frames: Int = 4, seed: Int, height: Int, width: Int,
      validationShare: Double, overrides: [ConfigOverride] = []
    ) {
      (self.layout, self.frames) = (layout, frames)
      (self.out, self.count, self.seed, self.height, self.width) = (out, count, seed, height, width)
      (self.validationShare, self.overrides) = (validationShare, overrides)
    }
  }

  /// Writes the scenes; returns a line for the user.
  /// - Throws: `.usage` for impossible numbers, `.cannotCreate` and `.inputOutput` for the disk.
  public static func run(_ request: Request, progress: @escaping @Sendable (Int, Int) -> Void) throws -> String {
    func check(_ condition: Bool, _ option: String, _ found: Any, _ allowed: String) throws {
      guard condition else { throw Failure(.usage, at: option, "\(found) is out of range, expected \(allowed)") }
    }
    try check(request.count >= 1, "--count", request.count, "1 or more")
    try check((2...100).contains(request.frames), "--frames", request.frames, "2 to 100")
    try check(request.seed >= 0, "--seed", request.seed, "0 or more")
    try check((64...4096).contains(request.height), "--height", request.height, "64 to 4096")
    try check((64...4096).contains(request.width), "--width", request.width, "64 to 4096")
    try check((0...1).contains(request.validationShare), "--validation", request.validationShare, "0 to 1")
    var synthesis = try ConfigLoader(defaults: FlowSynthesis()).load(yaml: "{}", named: "synth flow", overrides: request.overrides).value
    synthesis.height = request.height
    synthesis.width = request.width
    let started = Date()
    try synthesis.write(
      request.layout, count: request.count, frames: request.frames, seed: UInt64(request.seed), heldOutShare: request.validationShare,
      to: request.out
    ) { progress($0, request.count) }
    let seconds = String(format: "%.1f", Date().timeIntervalSince(started))
    let things = [.flyingChairs, .kitti].contains(request.layout) ? "pairs" : "scenes of \(request.frames) frames"
    return "\(request.count) \(things) of \(request.width)x\(request.height) in \(request.out) (\(seconds) s)"
  }
}
