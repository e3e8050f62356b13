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
    return DataReport(text: reports.map(\.description).joined(separator: "\n"), isUsable: reports.allSatisfy(\.isUsable))
  }
}
