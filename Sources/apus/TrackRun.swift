import ArgumentParser
import Base
import Tasks
import Training

extension Track {
  struct Run: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Run a tracker over sequences and write result files and pictures.",
      discussion: """
        --source is a sequence (SEQUENCE/{img1/000001.jpg, det/det.txt, seqinfo.ini}, as far as the tracker needs them), a folder of
        sequences, or a folder of pictures. Every sequence gets NAME.txt, as the benchmarks take it, and NAME.csv, which also tells the
        class, the index of the detection and whether a box is a prediction. With --pictures every frame is drawn to NAME/000001.jpg, ...,
        and joined to NAME.mp4 if ffmpeg is installed.

        An online tracker says nothing of the future: its rows for a frame are the same however many frames follow. A run that was stopped
        goes on where it was, to the same bytes.

        Examples:
          apus track run configs/tracking/sort.yaml --source MOT17/train/MOT17-09-FRCNN --out tracks
          apus track run configs/tracking/deepsort.yaml --source MOT17/train --out tracks/deepsort --pictures
        """)

    @OptionGroup var options: ConfigOptions

    @Option(help: "A sequence, a folder of sequences, or a folder of pictures.")
    var source: String

    @Option(help: "The folder for the results.")
    var out: String

    @Flag(help: "Also draw the tracks on every frame.")
    var pictures = false

    func run() throws {
      var request = TrackingRequest(config: try options.request(), source: source, out: out)
      request.hasPictures = pictures
      let counter = CountLine("tracking")
      let lines = try request.run { counter.show($0, of: $1) }
      counter.finish()
      try StandardStreams.write(lines.map { "\($0)\n" }.joined())
    }
  }
}
