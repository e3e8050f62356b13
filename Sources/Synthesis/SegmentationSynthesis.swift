import Base
import Foundation
import Vision

/// The classes of generated street scenes for semantic segmentation, in the order of their numbers.
public enum StreetClass: Int, Sendable, CaseIterable {
  case road, ground, building, sky, plant, person, vehicle

  public var name: String { "\(self)" }

  /// The number in Cityscapes' `*_labelIds.png`.
  var cityscapesID: UInt16 {
    switch self {
    case .road: 7
    case .ground: 22
    case .building: 11
    case .sky: 23
    case .plant: 21
    case .person: 24
    case .vehicle: 26
    }
  }

  public var color: RGB {
    switch self {
    case .road: RGB(128, 64, 128)
    case .ground: RGB(152, 251, 152)
    case .building: RGB(70, 70, 70)
    case .sky: RGB(70, 130, 180)
    case .plant: RGB(107, 142, 35)
    case .person: RGB(220, 20, 60)
    case .vehicle: RGB(0, 0, 142)
    }
  }
}

/// Synthetic street scenes with the exact class of every pixel: ground and a road to the horizon, sky, buildings, plants, people and
/// vehicles that stand in the order of their distance and hide one another.
///
/// Forms tell people, vehicles and plants apart; surfaces and colours of the classes overlap. Some scenes hold things of no class, whose
/// pixels are ignored. A sample is a pure function of the settings, the seed and its index.
/// - Source: surfaces, light and camera are those of `FlowSynthesis`.
public struct SegmentationSynthesis: Codable, Sendable, Equatable, ImageSynthesis {
  /// Rows and columns of the images, px; at least 32.
  public var height = 128
  public var width = 192

  /// Share of scenes with a road, 0...1.
  public var roadShare = 0.85
  /// Buildings, plants, people and vehicles in a scene: each uniform from 0 to its number.
  public var mostBuildings = 4
  public var mostPlants = 4
  public var mostPeople = 4
  public var mostVehicles = 3
  /// Share of scenes, 0...1, with things of no class, which are ignored.
  public var strangeShare = 0.2
  /// The least distance of a foot from the horizon as a part of the way to the lower border: the smallest size of objects.
  public var nearness = 0.3

  /// The mean colour of an object is about so many grey levels away from what lies behind of sky, ground and road, at least.
  public var contrast = 30.0
  /// Largest darkness of the soft shadows that objects cast, 0...1.
  public var shadow = 0.4
  /// Largest standard deviation of sensor noise, grey levels of 255.
  public var noise = 4.0
  /// Largest standard deviation of the lens blur, px.
  public var blur = 0.6

  public var images = DetectionSynthesis.ImageForm.jpeg
  /// Of JPEG files, 1...100.
  public var quality = 92

  public init() {}

  public func problems() -> [ConfigProblem] {
    var problems = sizeProblems
    let most = [
      ("most_buildings", mostBuildings), ("most_plants", mostPlants), ("most_people", mostPeople), ("most_vehicles", mostVehicles),
    ]
    for (key, value) in most { problems.require((0...100).contains(value), key, value, "0 to 100") }
    for (key, share) in [("road_share", roadShare), ("strange_share", strangeShare), ("shadow", shadow)] {
      problems.require((0...1).contains(share), key, share, "0 to 1")
    }
    problems.require((0.05...0.9).contains(nearness), "nearness", nearness, "0.05 to 0.9")
    problems.require((0...128).contains(contrast), "contrast", contrast, "0 to 128 grey levels")
    return problems + pictureProblems
  }

  /// One image with the class of every pixel, `LabelMap.ignored` for things of no class.
  /// - Parameters:
  ///   - index: of the sample, 0 or more.
  ///   - seed: of the data set.
  public func sample(index: Int, seed: UInt64) -> (image: Image, labels: LabelMap) {
    let surfaces = surfaces
    var random = Random(seed: seed, stream: .synthesis, sample: index)
    let street = Street(self, surfaces, &random)
    var layers = street.background(&random)
    let behind = FlowScene(height: height, width: width, layers: layers.map(\.layer)).render(second: false).colors
    layers += street.objects(before: behind, &random) { surfaces.source(.synthesis, $0 + 2, index, seed) }
    let frame = FlowScene(height: height, width: width, layers: layers.map(\.layer)).render(second: false)
    let image = developed(frame, index: index, seed: seed)
    let classes = layers.map { $0.kind.map { UInt16($0.rawValue) } ?? LabelMap.ignored }
    return (image, LabelMap(height: height, width: width, values: frame.owners.map { classes[Int($0)] }))
  }
}
