import ArgumentParser
import Base
import Tasks
import Training

struct Doctor: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "What this machine and installation are like: to paste into a report about a problem.",
    discussion: """
      Processor, instruction sets, the BLAS and its kernels, threads, memory, disk, libraries, and environment variables that matter.

      Example:
        apus doctor
      """)

  func run() throws { try StandardStreams.write(SystemReport.whole.text) }
}
