import ArgumentParser
import Base
import Tasks
import Training

struct Synth: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Generate data with exact ground truth, in the public format of the task.",
    discussion: """
      The same seed gives the same bytes; a call that was interrupted is simply repeated. A wrong name in --set lists all settings.

      \(SynthName.allCases.map(\.help).joined(separator: "\n\n"))
      """)

  @Argument(help: "What to generate: \(SynthName.allCases.map(\.configName).joined(separator: ", ")).")
  var task: SynthName

  @Option(help: "The folder to fill.")
  var out: String

  @Option(help: "The layout: that of a public data set.")
  var layout: String?

  @Option(parsing: .unconditional, help: "How many to make, those set apart included.")
  var count: Int

  @Option(parsing: .unconditional, help: "Frames in a scene, where the layout has scenes; by default the generator's own number.")
  var frames: Int?

  @Option(parsing: .unconditional, help: "The seed of the generator.")
  var seed: Int

  @Option(parsing: .unconditional, help: "Height of the images, pixels; by default the generator's own.")
  var height: Int?

  @Option(parsing: .unconditional, help: "Width of the images, pixels; by default the generator's own.")
  var width: Int?

  @Option(parsing: .unconditional, help: "Share set apart, 0 to 1.")
  var validation = 0.1

  @Option(name: .customLong("set"), parsing: .unconditionalSingleValue,
          help: ArgumentHelp("Override a setting of the generator; repeatable.", valueName: "key=value"))
  var set: [String] = []

  func run() throws {
    var request = SynthRequest(out: out, count: count, seed: seed)
    request.layout = layout
    request.frames = frames
    request.height = height
    request.width = width
    request.validationShare = validation
    request.overrides = try set.map(ConfigOverride.init(setting:))
    let counter = CountLine("generating")
    let report = try task.task.generate(request) { counter.show($0, of: $1) }
    counter.finish()
    try StandardStreams.write(report)
  }
}

extension SynthName: ExpressibleByArgument {
  public init?(argument: String) {
    guard let name = SynthName.named(argument) else { return nil }
    self = name
  }
}
