import ArgumentParser
import Recipes
import Training

struct Synth: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Generate data with exact ground truth, in the public format of the task.", subcommands: [Flow.self])

  struct Flow: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Image pairs with dense optical flow, in the layout of FlyingChairs.",
      discussion: """
        Flat shapes over a moving plane, bending surfaces, and the view from a car, under changing light. The same seed gives the same bytes.
        Settings (--set): shares of kinds and effects such as driving_share, gentle_share, thin_share, deforming_share, fog_share,
        motion_blur_share; sizes and strengths such as most_objects, largest_radius, maximum_motion, noise, blur. A wrong name lists them all.

        Example:
          apus synth flow --out data/flow --count 400 --seed 1
        """)

    @Option(help: "The folder to fill.")
    var out: String

    @Option(parsing: .unconditional, help: "Pairs, validation included.")
    var count: Int

    @Option(parsing: .unconditional, help: "The seed of the generator.")
    var seed: Int

    @Option(parsing: .unconditional, help: "Height of the images, pixels.")
    var height = 288

    @Option(parsing: .unconditional, help: "Width of the images, pixels.")
    var width = 384

    @Option(parsing: .unconditional, help: "Share of pairs set apart for validation, 0 to 1.")
    var validation = 0.1

    @Option(name: .customLong("set"), parsing: .unconditionalSingleValue,
            help: ArgumentHelp("Override a setting of the generator, such as most_objects=4; repeatable.", valueName: "key=value"))
    var set: [String] = []

    func run() throws {
      let counter = CountLine("generating")
      let report = try FlowGenerator.run(
        .init(out: out, count: count, seed: seed, height: height, width: width, validationShare: validation,
              overrides: set.map(ConfigOverride.init(setting:)))
      ) { counter.show($0, of: $1) }
      counter.finish()
      print(report)
    }
  }
}
