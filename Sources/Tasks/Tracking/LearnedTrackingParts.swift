import Base
import Training
import Vision

/// The parts that networks trained for tracking alone stand behind: appearance, verification, motion, affinity.
struct LearnedTrackingParts {
  private(set) var extractors: [any FrameMeasurement] = []
  private(set) var terms: [WeightedAffinity.Term] = []

  /// - Throws: as `TrackingParts`.
  init(_ config: TrackingConfig, _ checksum: inout CRC32C) throws {
    for (name, network) in [("appearance", config.networks.appearance), ("siamese", config.networks.siamese),
                            ("lstm", config.networks.lstm), ("learned", config.networks.learned)] where network.isNamed {
      throw Failure(.usage, at: "networks.\(name).config", "there is no such network in this version", remedy: "Leave it out.")
    }
  }
}
