import ArgumentParser
import Base
import Tasks

struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Layers with shapes, parameters, multiply-adds and memory of a config's model.", discussion: Apus.discussion("", \.inspect))

  @OptionGroup var options: ConfigOptions

  @Flag(help: "List the names and shapes in checkpoints instead.")
  var names = false

  func run() throws {
    let request = try options.request()
    let task = try request.learningTask()
    try StandardStreams.write(names ? task.checkpointNames(request) : task.inspect(request).table)
  }
}
