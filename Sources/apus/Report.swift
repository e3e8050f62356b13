import ArgumentParser
import Base
import Experiments

struct Report: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "A page with tables, plots and pictures of a run, of several runs compared, or of an experiment.",
    discussion: """
      DIR is a run folder, a folder of run folders (work_dirs/CONFIG), or the folder of an experiment's runs (with results.json). Of several
      runs the first one is the baseline that the others are compared with. Runs that still go on or were killed are reported as such.
      The page (report.html) is one file without scripts that needs no network; the plots stand beside it as SVG and PNG. The same runs give
      the same bytes.

      Examples:
        apus report work_dirs/demo/RUN
        apus report BASELINE_RUN OTHER_RUN ANOTHER_RUN --out report
        apus report work_dirs/experiments/NAME
      """)

  enum Layout: String, ExpressibleByArgument, CaseIterable { case page, yolo }

  @Argument(help: ArgumentHelp("Run folders, the baseline first; or an experiment's folder.", valueName: "dir"))
  var folders: [String]

  @Option(help: ArgumentHelp("The folder for the page and the plots; left out: that of the run or experiment, 'report' for several runs.",
                             valueName: "folder"))
  var out: String?

  @Option(help: ArgumentHelp("""
    page; or for one run yolo: results.csv, results.png, args.yaml and weights/{best,last}, the names that Ultralytics' tools write.
    """, valueName: "name"))
  var layout = Layout.page

  @Flag(help: "Draw losses and errors on logarithmic axes.")
  var logScale = false

  func run() throws {
    var request = ReportRequest(folders)
    request.out = out
    request.isLogarithmic = logScale
    request.hasYOLOLayout = layout == .yolo
    try StandardStreams.write(request.run())
  }
}
