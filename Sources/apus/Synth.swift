import ArgumentParser
import Tasks
import Training

struct Synth: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Generate data with exact ground truth, in the public format of the task.", subcommands: [Flow.self])

  struct Flow: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Image pairs and scenes with optical flow, in the layouts of the public data sets.",
      discussion: """
        Flat shapes over a moving plane, bending surfaces, and the view from a car, under changing light. The same seed gives the same bytes.
        Settings (--set): shares of kinds and effects such as driving_share, gentle_share, thin_share, deforming_share, fog_share,
        motion_blur_share; sizes and strengths such as most_objects, largest_radius, maximum_motion, noise, blur. A wrong name lists them all.

        Example:
          apus synth flow --out data/flow --count 400 --seed 1
          apus synth flow --layout sintel --out data/scenes --count 20 --frames 10 --seed 1
        """)

    @Option(help: "The folder to fill.")
    var out: String

    @Option(help: "The layout: flying_chairs, flying_things, sintel, kitti or hd1k.")
    var layout = FlowGenerator.Layout.flyingChairs

    @Option(parsing: .unconditional, help: "Pairs (flying_chairs, kitti) or scenes, those set apart included.")
    var count: Int

    @Option(parsing: .unconditional, help: "Frames in a scene of flying_things, sintel and hd1k.")
    var frames = 4

    @Option(parsing: .unconditional, help: "The seed of the generator.")
    var seed: Int

    @Option(parsing: .unconditional, help: "Height of the images, pixels.")
    var height = 288

    @Option(parsing: .unconditional, help: "Width of the images, pixels.")
    var width = 384

    @Option(parsing: .unconditional, help: ArgumentHelp(
      "Share set apart, 0 to 1: for validation (flying_chairs), in TEST (flying_things), or without truth (sintel, kitti)."))
    var validation = 0.1

    @Option(name: .customLong("set"), parsing: .unconditionalSingleValue,
            help: ArgumentHelp("Override a setting of the generator, such as most_objects=4; repeatable.", valueName: "key=value"))
    var set: [String] = []

    func run() throws {
      let counter = CountLine("generating")
      let report = try FlowGenerator.run(
        .init(out: out, layout: layout, count: count, frames: frames, seed: seed, height: height, width: width, validationShare: validation,
              overrides: set.map(ConfigOverride.init(setting:)))
      ) { counter.show($0, of: $1) }
      counter.finish()
      print(report)
    }
  }
}

extension FlowGenerator.Layout: ExpressibleByArgument {}
