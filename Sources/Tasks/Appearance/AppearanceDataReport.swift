import Base
import Data
import Training

extension Appearance: DataCheckTask {
  public static func dataReport(_ config: AppearanceConfig) throws -> DataReport {
    var training = config.data
    training.minCrops = 1
    guard let set = try training.openTraining(config.model) else {
      throw Failure(.usage, at: "data", "there is no data to check", remedy: "Name the folder of the set: data.root.")
    }
    let retrieval = try config.validation.openRetrieval(config.model)
    var reports = [IdentityReport(of: set, name: "training set", minCrops: config.data.minCrops, validation: retrieval)]
    if let retrieval {
      reports.append(IdentityReport(of: retrieval.query, name: retrieval.gallery == nil ? "validation set" : "queries",
                                    gallery: retrieval.gallery ?? retrieval.query))
      if let gallery = retrieval.gallery { reports.append(IdentityReport(of: gallery, name: "gallery")) }
    }
    return DataReport(text: reports.map(\.description).joined(separator: "\n"), isUsable: reports.allSatisfy(\.isUsable),
                      distributions: reports[0].distributions)
  }
}
