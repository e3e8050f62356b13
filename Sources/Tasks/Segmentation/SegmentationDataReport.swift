import Base
import Data
import Training

extension Segmentation: DataCheckTask {
  public static func dataReport(_ config: SegmentationConfig) throws -> DataReport {
    guard let training = try config.data.open(config.table) else {
      throw Failure(.usage, at: "data", "there is no data to check", remedy: "Name the folders of pictures and of label files.")
    }
    let validation = try config.validation.open(config.table)
    var reports = [SegmentationReport(of: training, name: "training set", validation: validation)]
    if let validation { reports.append(SegmentationReport(of: validation, name: "validation set")) }
    return DataReport(text: reports.map(\.description).joined(separator: "\n"), isUsable: reports.allSatisfy(\.isUsable),
                      distributions: distributions(of: reports[0], training))
  }

  private static func distributions(of report: SegmentationReport, _ set: SegmentationSet) -> [Distribution] {
    let total = Double(max(1, report.classes.reduce(report.ignoredPixels) { $0 + $1.pixels }))
    let shares = report.classes.map { Distribution.Bin($0.name, 100 * Double($0.pixels) / total) }
      + [Distribution.Bin("ignored", 100 * Double(report.ignoredPixels) / total)]
    return [
      Distribution("classes", unit: "% of the pixels", shares, decimals: 1),
      Distribution("pictures with a class", unit: "pictures", report.classes.map { .init($0.name, Double($0.images)) }),
      Distribution(sizes: set.files.pairs.compactMap { try? ImageHeader(contentsOf: $0.image) }.map { ($0.height, $0.width) }),
    ]
  }
}
