import Base
import Data
import Training

extension Detection: DataCheckTask {
  public static func dataReport(_ config: DetectionConfig) throws -> DataReport {
    guard !config.data.annotations.isEmpty else {
      throw Failure(.usage, at: "data.annotations", "'' leaves nothing to check", remedy: "Name a COCO annotation file.")
    }
    guard config.data.panopticMasks.isEmpty else {
      throw Failure(.usage, at: "data.panoptic_masks", "the report is for files of instances, not for panoptic ones yet",
                    remedy: "Check the instances file of the same images.")
    }
    let training = try COCOInstances(contentsOf: config.data.annotations)
    let hasValidation = !config.validation.annotations.isEmpty
    let validation = hasValidation ? try COCOInstances(contentsOf: config.validation.annotations) : nil
    var reports = [
      COCOReport(of: training, images: config.data.images, decodesImages: true, validation: validation,
                 validationImages: config.validation.images)
    ]
    if let validation { reports.append(COCOReport(of: validation, images: config.validation.images, decodesImages: true)) }
    let categories = config.categories
    let map = config.data.categoryIds.isEmpty ? "category ids are classes: 0 to \(config.model.classes - 1)"
      : "classes: " + config.data.categoryIds.indices.map { "\($0) = category \(config.data.categoryIds[$0]) (\(categories.name(of: $0)))" }
        .joined(separator: ", ")
    let text = (["training set", "validation set"].prefix(reports.count).enumerated().map { "\($1): \(reports[$0])" } + [map + "\n"])
    let distributions = training.distributions + [training.categoryDistribution]
    return DataReport(text: (text + distributions.map(\.text)).joined(separator: "\n"), isUsable: reports.allSatisfy(\.isUsable),
                      distributions: distributions)
  }
}
