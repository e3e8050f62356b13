import ArgumentParser
import Tasks
import Tensors
import Training

struct Parity: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run a model on given tensors and write outputs, losses, gradients and updated parameters.",
    discussion: """
      For comparing with any other framework: everything is read from and written to safetensors files, channels first, under official
      names. The model runs in training mode without any randomness. Optical flow reads image1, image2 (0...255), flow and valid, and
      writes output.flow.<i>, loss.total, grad.<name> and, after N optimiser steps, param.<name> and buffer.<name>.

      Example:
        apus parity configs/raft/small-chairs.yaml --weights w.safetensors --inputs i.safetensors --out o.safetensors --steps 3
      """)

  @OptionGroup var options: ConfigOptions

  @Option(help: "Weights by official names (.safetensors or .pth).")
  var weights: String

  @Option(help: "The input tensors (.safetensors).")
  var inputs: String

  @Option(help: "Where the results go (.safetensors).")
  var out: String

  @Option(parsing: .unconditional, help: "Optimiser steps on the same inputs.")
  var steps = 0

  @Option(help: "float32 or float64.")
  var precision = Precision.float32

  func run() throws {
    let overrides = try options.overrides()
    try compare(options.task(overrides), overrides)
  }

  private func compare<Task: LearningTask>(_ task: Task.Type, _ overrides: [ConfigOverride]) throws {
    let request = ParityRequest(weights: weights, inputs: inputs, out: out, steps: steps, precision: precision)
    try task.parity(options.load(task, overrides).value, request)
  }
}

extension Precision: ExpressibleByArgument {}
