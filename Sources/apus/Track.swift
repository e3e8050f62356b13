import ArgumentParser
import Base
import Tasks
import Training

struct Track: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Track objects through videos, and judge the results of trackers.", subcommands: [Run.self, Evaluate.self])

  struct Evaluate: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "CLEAR, identity and HOTA metrics of results, by sequence and combined.",
      discussion: """
        --gt is a sequence (SEQUENCE/gt/gt.txt with seqinfo.ini), a folder of sequences or one with train below it, or a folder of plain \
        files NAME.txt. --results is a folder of files NAME.txt; several of them are compared. Of a single sequence, --results may be the \
        file itself, and --gt too.

        Sequences combine by their counts; no ratio is averaged. The official rule is that of TrackEval: MOTP is a mean IoU, higher is \
        better; py-motmetrics has the distance 1 - IoU. MOTA may be negative.
        """)

    @Option(help: ArgumentHelp("The ground truth.", valueName: "folder"))
    var gt: String

    @Option(parsing: .upToNextOption, help: ArgumentHelp("What trackers found; several are compared.", valueName: "folder"))
    var results: [String]

    @Option(help: "How boxes are paired and tracks counted: \(TrackingScoring.rules).")
    var rule: String?

    @Option(help: ArgumentHelp(
      "Whose classes and distractors count: \(TrackingScoring.benchmarks). Left out: by the names of the sequences, else by the columns.",
      valueName: "name"))
    var benchmark: String?

    @Option(help: ArgumentHelp("Only the sequences of this list: a line 'name', then one name a line.", valueName: "file"))
    var sequences: String?

    @Flag(inversion: .prefixedNo, help: "Excuse boxes on distractors, and judge pedestrians only.")
    var preprocessing = true

    @Flag(help: "Print one JSON object instead of tables.")
    var json = false

    @Option(help: ArgumentHelp("Also write metrics.csv, metrics.json and charts of HOTA over its thresholds here.", valueName: "folder"))
    var out: String?

    func run() throws {
      var scoring = try TrackingScoring(truth: gt, results: results, rule: rule, benchmark: benchmark)
      scoring.sequenceMap = sequences
      scoring.isPreprocessed = preprocessing
      scoring.isJSON = json
      scoring.folder = out
      let counter = CountLine("evaluating")
      let text = try scoring.run(monitor: .init { counter.show($0, of: $1) })
      counter.finish()
      try StandardStreams.write(text)
    }
  }
}
