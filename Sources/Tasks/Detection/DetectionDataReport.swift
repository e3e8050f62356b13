import Base
import Data
import Training

extension Detection: DataCheckTask {
  public static func dataReport(_ config: DetectionConfig) throws -> DataReport {
    guard !config.data.annotations.isEmpty else {
      throw Failure(.usage, at: "data.annotations", "'' leaves nothing to check", remedy: "Name a COCO annotation file.")
    }
    if !config.data.panopticMasks.isEmpty { return try panopticReport(config) }
    let training = try COCOInstances(contentsOf: config.data.annotations)
    let hasValidation = !config.validation.annotations.isEmpty
    let validation = hasValidation ? try COCOInstances(contentsOf: config.validation.annotations) : nil
    var reports = [
      COCOReport(of: training, images: config.data.images, decodesImages: true, validation: validation,
                 validationImages: config.validation.images)
    ]
    if let validation { reports.append(COCOReport(of: validation, images: config.validation.images, decodesImages: true)) }
    let text = ["training set", "validation set"].prefix(reports.count).enumerated().map { "\($1): \(reports[$0])" } + [classText(config)]
    let distributions = training.distributions + [training.categoryDistribution]
    return DataReport(text: (text + distributions.map(\.text)).joined(separator: "\n"), isUsable: reports.allSatisfy(\.isUsable),
                      distributions: distributions)
  }

  private static func panopticReport(_ config: DetectionConfig) throws -> DataReport {
    let training = try COCOPanoptic(contentsOf: config.data.annotations)
    let hasValidation = !config.validation.annotations.isEmpty && !config.validation.panopticMasks.isEmpty
    let validation = hasValidation
      ? (file: try COCOPanoptic(contentsOf: config.validation.annotations), images: config.validation.images) : nil
    var reports = [PanopticReport(of: training, images: config.data.images, maps: config.data.panopticMasks, name: "training set",
                                  validation: validation)]
    if let validation {
      reports.append(PanopticReport(of: validation.file, images: validation.images, maps: config.validation.panopticMasks,
                                    name: "validation set"))
    }
    return DataReport(text: (reports.map(\.description) + [classText(config)]).joined(separator: "\n"),
                      isUsable: reports.allSatisfy(\.isUsable), distributions: reports[0].distributions)
  }

  /// The categories of the classes.
  private static func classText(_ config: DetectionConfig) -> String {
    let categories = config.categories
    let map = config.data.categoryIds.isEmpty ? "category ids are classes: 0 to \(config.model.classes - 1)"
      : "classes: " + config.data.categoryIds.indices.map { "\($0) = category \(config.data.categoryIds[$0]) (\(categories.name(of: $0)))" }
        .joined(separator: ", ")
    return map + "\n"
  }
}
