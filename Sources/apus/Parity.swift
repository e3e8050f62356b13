import ArgumentParser
import Tasks
import Tensors

struct Parity: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run a model on given tensors and write outputs, losses, gradients and updated parameters.",
    discussion: Apus.discussion("""
      For comparing with any other framework: everything is read from and written to safetensors files, channels first, under official
      names: output.*, loss.*, grad.<name> (before clipping) and, after N optimiser steps, param.<name> and buffer.<name>. The model runs
      in training mode without any randomness.
      """, \.parity))

  @OptionGroup var options: ConfigOptions
  @OptionGroup var weights: WeightOptions

  @Option(help: "The input tensors (.safetensors).")
  var inputs: String

  @Option(help: "Where the results go (.safetensors).")
  var out: String

  @Option(parsing: .unconditional, help: "Optimiser steps on the same inputs.")
  var steps = 0

  @Option(help: "float32 or float64.")
  var precision = Precision.float32

  func run() throws {
    var request = ParityRequest(config: try options.request(), weights: weights.source, inputs: inputs, out: out)
    request.steps = steps
    request.precision = precision
    try request.config.learningTask().parity(request)
  }
}

extension Precision: ExpressibleByArgument {}
