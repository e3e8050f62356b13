import Base
import Data
import Training

extension OpticalFlow: DataCheckTask {
  public static func dataReport(_ config: OpticalFlowConfig) throws -> DataReport {
    guard let training = try config.data.open("data", augmentation: config.augmentation) else {
      throw Failure(.usage, at: "data.format", "'none' leaves nothing to check",
                    remedy: "Choose a format with data, such as flying_chairs.")
    }
    let validation = try config.validation.open("validation")
    let crop = (height: config.augmentation.cropHeight, width: config.augmentation.cropWidth)
    let judged = validation.map(parts) ?? []
    var reports = [FlowReport(of: parts(of: training), name: "training set", crop: crop, maximum: config.loss.maxFlow, validation: judged)]
    if !judged.isEmpty { reports.append(FlowReport(of: judged, name: "validation set", crop: nil, maximum: config.loss.maxFlow)) }
    return DataReport(text: reports.map(\.description).joined(separator: "\n"), isUsable: reports.allSatisfy(\.isUsable),
                      distributions: reports[0].distributions)
  }

  /// The sets of a mixture, each once; any other set itself.
  private static func parts(of set: any FlowDataset) -> [any FlowDataset] {
    guard let mixture = set as? FlowMixture else { return [set] }
    return mixture.parts.map { FlowMixture([.init($0.dataset, augmentation: $0.augmentation)]) }
  }
}
