import ArgumentParser
import Base
import Tasks
import Training

struct Score: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Metrics of made pictures against real ones, or of the features of both.",
    discussion: """
      REAL and FOUND are folders of pictures that belong together by the stems of their names, or NumPy arrays (.npy) of features, one
      vector a row, with the pictures' names beside them (NAME.txt, one a line); without names, rows belong together.
      Of pictures: PSNR, SSIM, L1, and what the weights below allow. Of features: FID, U-IDS, P-IDS, precision and recall.
      """)

  @Argument(help: "The real pictures, or their features.")
  var real: String

  @Argument(help: "The made ones.")
  var found: String

  @Option(help: ArgumentHelp("Weights of Inception-v3 of 2015-12-05, for FID, U-IDS and P-IDS.", valueName: "file"))
  var inception = ""

  @Option(help: ArgumentHelp("Weights of torchvision's VGG-16, for precision and recall.", valueName: "file"))
  var vgg16 = ""

  @Option(help: ArgumentHelp("Weights of LPIPS on AlexNet, or of torchvision's AlexNet.", valueName: "file"))
  var lpips = ""

  @Option(help: ArgumentHelp("The linear heads of LPIPS, if --lpips is AlexNet alone.", valueName: "file"))
  var lpipsHeads = ""

  @Option(help: ArgumentHelp("Also write the features into this folder.", valueName: "folder"))
  var saveFeatures = ""

  @Flag(help: "Print one JSON object instead of a table.")
  var json = false

  func validate() throws {
    if !lpipsHeads.isEmpty, lpips.isEmpty { throw ValidationError("--lpips-heads goes with --lpips, the file of AlexNet.") }
    if !saveFeatures.isEmpty, (inception + vgg16).isEmpty {
      throw ValidationError("--save-features needs a network: --inception or --vgg16.")
    }
  }

  func run() throws {
    var scoring = PictureScoring(real: real, found: found)
    scoring.settings.inception = inception
    scoring.settings.vgg16 = vgg16
    scoring.settings.lpips = lpips
    scoring.settings.lpipsHeads = lpipsHeads
    scoring.settings.features = saveFeatures
    scoring.isJSON = json
    let counter = CountLine("scoring")
    let text = try scoring.run(monitor: .init { counter.show($0, of: $1) })
    counter.finish()
    try StandardStreams.write(text)
  }
}
