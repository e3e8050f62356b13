import Base
import Foundation
import Training

/// The settings of a generator of images.
public protocol SynthSettings: Codable, Sendable {
  /// Rows and columns of the images, px.
  var height: Int { get set }
  var width: Int { get set }
}

/// Generated data with exact ground truth, in the public on-disk formats of a task.
public protocol SynthTask {
  /// The settings of the generator, which `--set` changes.
  associatedtype Settings: SynthSettings
  /// The public data sets in whose layout it writes.
  associatedtype Layout: ConfigChoice

  /// The layouts, the settings, and examples: what `apus synth --help` says about it.
  static var help: String { get }
  static var defaults: Settings { get }
  static var defaultLayout: Layout { get }

  /// The things that are counted, in words: `pairs`, `scenes of 4 frames`.
  static func noun(_ layout: Layout, frames: Int) -> String

  /// Frames in a scene, where nobody asks for another number.
  static func frames(_ settings: Settings) -> Int

  /// The size of the images in a layout.
  static func size(_ settings: Settings, _ layout: Layout) -> (height: Int, width: Int)

  /// Writes the data; a call that was interrupted is simply repeated.
  /// - Parameters:
  ///   - settings: with the size that is asked for.
  ///   - request: its numbers are in range.
  ///   - progress: told how many are done, from any thread, one call at a time.
  static func write(
    _ settings: Settings, _ layout: Layout, _ request: SynthRequest, progress: @escaping @Sendable (_ done: Int) -> Void
  ) throws
}

/// The arguments of `apus synth`.
public struct SynthRequest: Sendable {
  public var out: String
  /// The name of the layout; nil: the first of the task's.
  public var layout: String?
  public var count: Int
  public var seed: Int
  /// Frames in a scene, where the layout has scenes; nil: as the generator has it.
  public var frames: Int?
  /// Of the images, px; nil: as the settings say.
  public var height: Int?
  public var width: Int?
  /// Share that is set apart, 0...1.
  public var validationShare = 0.1
  /// Settings of the generator that differ from its defaults.
  public var overrides: [ConfigOverride] = []

  public init(out: String, count: Int, seed: Int) {
    self.out = out
    self.count = count
    self.seed = seed
  }

  /// - Throws: `.usage` for numbers out of range.
  func check() throws {
    func check(_ condition: Bool, _ option: String, _ found: Any, _ allowed: String) throws {
      guard condition else { throw Failure(.usage, at: option, "\(found) is out of range, expected \(allowed)") }
    }
    try check(count >= 1, "--count", count, "1 or more")
    if let frames { try check((2...9999).contains(frames), "--frames", frames, "2 to 9999") }
    try check(seed >= 0, "--seed", seed, "0 or more")
    for (option, size) in [("--height", height), ("--width", width)] {
      if let size { try check((64...4096).contains(size), option, size, "64 to 4096") }
    }
    try check((0...1).contains(validationShare), "--validation", validationShare, "0 to 1")
  }
}

extension SynthTask {
  public static func frames(_ settings: Settings) -> Int { 4 }

  public static func size(_ settings: Settings, _ layout: Layout) -> (height: Int, width: Int) { (settings.height, settings.width) }

  /// Generates data.
  /// - Returns: a line for the user.
  /// - Throws: `.usage` for impossible numbers, `.cannotCreate` and `.inputOutput` for the disk.
  public static func generate(_ request: SynthRequest, progress: @escaping @Sendable (Int, Int) -> Void = { _, _ in }) throws -> String {
    try request.check()
    let layout = try request.layout.map(layout(named:)) ?? defaultLayout
    var settings = try ConfigLoader(defaults: defaults).load(yaml: "{}", named: "synth", overrides: request.overrides).value
    settings.height = request.height ?? settings.height
    settings.width = request.width ?? settings.width
    let started = Date()
    try write(settings, layout, request) { progress($0, request.count) }
    let seconds = String(format: "%.1f", Date().timeIntervalSince(started))
    let size = size(settings, layout)
    let things = "\(request.count) \(noun(layout, frames: request.frames ?? frames(settings))) of \(size.width)x\(size.height)"
    return "\(things) in \(request.out) (\(seconds) s)\n"
  }

  private static func layout(named name: String) throws -> Layout {
    guard let layout = Layout.named(name) else {
      throw Failure(.usage, at: "--layout", "there is no layout '\(name)'",
                    remedy: "Known: \(Layout.allCases.map(\.configName).joined(separator: ", ")).")
    }
    return layout
  }
}
