import Base
import Data
import Models
import Networks
import Training
import Vision

/// The config of pose estimation; its defaults are HRNet-W32 on COCO as the authors train it, but for the length of the run.
public struct PoseConfig: OptimizedConfig, ValidatedConfig {
  public var task = TaskName.pose
  public var model = HRNetPose.Config(.w32)
  public var skeleton = SkeletonSettings()
  public var initialize = Initialization()
  /// What to learn from, and what to judge by.
  public var data = PoseData("train2017")
  public var validation = PoseData("val2017")
  public var crop = PoseCrop()
  public var augmentation = PoseAugmentation()
  /// Batches of bodies; the authors have 4 times 32 in one.
  public var train = TrainSettings(batchSize: 128)
  public var loss = PoseLoss()
  public var optimizer = OptimizerConfig(.adam, learningRate: 1e-3)
  public var schedule = Schedule(.multiStep)
  public var inference = PoseInferenceSettings()
  public var plan = Plan()

  public init() { optimizer.weightDecay = 0 }

  /// The weights of one network go through all stages.
  public static let fixedSections: Set = ["task", "model", "skeleton"]

  public func problems() -> [ConfigProblem] {
    var problems: [ConfigProblem] = []
    let step = 4 << max(0, (model.backbone.resolvedStages.last?.widths.count ?? 4) - 1)
    problems.require(crop.width % step == 0, "crop.width", crop.width, "a multiple of \(step), the lowest resolution's stride")
    problems.require(crop.height % step == 0, "crop.height", crop.height, "a multiple of \(step), the lowest resolution's stride")
    let cells = train.batchSize * (crop.width / step) * (crop.height / step)
    problems.require(cells > 1 || model.backbone.norm != .batch, "train.batch_size", train.batchSize,
                     "2 or more for a crop of one cell of the lowest resolution, of which batch normalisation needs the variance")
    problems.require(data.boxes.isEmpty, "data.boxes", data.boxes, "none: training takes the boxes of the annotations")
    guard skeleton.kind != .data, skeleton.problems().isEmpty else { return problems }
    let count = skeleton.skeleton.count
    problems.require(model.keypoints == 0 || model.keypoints == count, "model.keypoints", model.keypoints,
                     "0, or the number of the skeleton's keypoints (\(count))")
    problems.require(loss.kind == .mse || loss.top <= count, "loss.top", loss.top, "1 to the number of keypoints (\(count))")
    return problems
  }
}

/// The keypoints that the network finds. Section `skeleton`.
public struct SkeletonSettings: Codable, Sendable, Equatable, ValidatedConfig {
  public enum Kind: String, ConfigChoice {
    /// That of the training annotations' category, which a run's own config then holds as `custom`.
    case data
    /// COCO's 17 keypoints.
    case coco
    /// MPII's 16.
    case mpii
    /// The keypoints of this section.
    case custom
  }

  public var kind = Kind.data
  /// Of the keypoints, in their order. This list and the following ones are for `custom`; with `data` those that are not empty take the
  /// place of what the data say.
  public var names: [String] = []
  /// For OKS: deviation of annotators as a share of the square root of the body's area; none: 0.07 each.
  public var sigmas: [Double] = []
  /// Pairs of indices, counted from 0, that a mirror exchanges, such as `[[1, 2]]`.
  public var flipPairs: [[Int]] = []
  /// Pairs of indices of keypoints with a limb between them, for pictures.
  public var limbs: [[Int]] = []
  /// Indices of the upper body; none: there is no half-body augmentation.
  public var upperBody: [Int] = []

  public init() {}

  /// A skeleton as the section `custom`.
  init(_ skeleton: Skeleton) {
    kind = .custom
    names = skeleton.names
    sigmas = skeleton.sigmas
    flipPairs = skeleton.flipPairs.map(\.indices)
    limbs = skeleton.limbs.map(\.indices)
    upperBody = skeleton.upperBody
  }

  public func problems() -> [ConfigProblem] {
    var problems: [ConfigProblem] = []
    let isPublished = kind == .coco || kind == .mpii
    let isWritten = !names.isEmpty || !sigmas.isEmpty || !flipPairs.isEmpty || !limbs.isEmpty || !upperBody.isEmpty
    problems.require(!isPublished || !isWritten, "kind", kind.configName, "custom, where keypoints are described")
    problems.require(kind != .custom || !names.isEmpty, "names", names, "the names of the keypoints")
    guard kind == .custom, !names.isEmpty else { return problems }
    let count = names.count
    problems.require(Set(names).count == count, "names", names.prefix(40), "each name once")
    problems.require(sigmas.isEmpty || (sigmas.count == count && sigmas.allSatisfy { $0 > 0 && $0 <= 10 }), "sigmas", sigmas.prefix(40),
                     "one for each of the \(count) keypoints, above 0, or none")
    for (key, pairs) in [("flip_pairs", flipPairs), ("limbs", limbs)] {
      let areKnown = pairs.allSatisfy { $0.count == 2 && $0[0] != $0[1] && $0.allSatisfy(names.indices.contains) }
      problems.require(areKnown, key, pairs.prefix(40), "pairs of indices of keypoints, 0 to \(count - 1)")
    }
    let paired = flipPairs.flatMap { $0 }
    problems.require(Set(paired).count == paired.count, "flip_pairs", flipPairs.prefix(40), "each keypoint in one pair at most")
    problems.require(upperBody.allSatisfy(names.indices.contains), "upper_body", upperBody.prefix(40),
                     "indices of keypoints, 0 to \(count - 1)")
    return problems
  }

  /// The skeleton.
  /// - Precondition: no problems, and the kind `data` is resolved.
  public var skeleton: Skeleton {
    switch kind {
    case .coco: .coco
    case .mpii: .mpii
    case .data, .custom:
      Skeleton(
        names: names, sigmas: sigmas, flipPairs: flipPairs.map { Skeleton.Pair($0[0], $0[1]) },
        limbs: limbs.map { Skeleton.Pair($0[0], $0[1]) }, upperBody: upperBody)
    }
  }
}

/// A set of pictures with annotated bodies.
public struct PoseData: Codable, Sendable, Equatable, ValidatedConfig {
  public enum Format: String, ConfigChoice {
    /// COCO keypoints.
    case coco
    /// MPII Human Pose, the JSON files of HRNet's authors.
    case mpii
  }

  public var format = Format.coco
  /// A JSON file. Empty: no data.
  public var annotations = ""
  /// The folder of the pictures.
  public var images = ""
  /// For validation: a JSON file of detected boxes in COCO's result format; empty: the boxes of the annotations.
  public var boxes = ""
  /// The least score of a detected box that counts.
  public var boxThreshold = 0.0
  /// MPII: the authors' `gt_valid.mat`, with the boxes of heads that PCKh needs; empty: `head_box` of each annotation.
  public var headBoxes = ""
  /// For validation: at most so many pictures, spread evenly over the set; 0: all.
  public var limit = 0

  public init() {}

  init(_ folder: String) {
    annotations = "datasets/coco/annotations/person_keypoints_\(folder).json"
    images = "datasets/coco/\(folder)"
  }

  public func problems() -> [ConfigProblem] {
    var problems: [ConfigProblem] = []
    problems.requireLimit(limit)
    problems.require(annotations.isEmpty || !images.isEmpty, "images", "''", "the folder of the images")
    problems.require(boxThreshold.isFinite, "box_threshold", boxThreshold, "a score")
    problems.require(format == .coco || boxes.isEmpty, "boxes", boxes, "none: MPII has a centre and a scale for each body")
    problems.require(format == .mpii || headBoxes.isEmpty, "head_boxes", headBoxes, "none: only MPII is judged by heads")
    return problems
  }

  /// The set; nil if there is none.
  func open(_ config: PoseConfig) throws -> PoseSet? {
    guard !annotations.isEmpty else { return nil }
    switch format {
    case .coco:
      let origin = boxes.isEmpty ? PoseSet.Boxes.annotations : .file(boxes, threshold: boxThreshold)
      return try PoseSet(coco: annotations, images: images, boxes: origin, config.skeleton.skeleton, config.crop)
    case .mpii:
      let count = config.skeleton.skeleton.count
      guard count == Skeleton.mpii.count else {
        throw Failure(.usage, at: "model.keypoints", "\(count) keypoints, but the bodies of MPII have \(Skeleton.mpii.count)",
                      remedy: "Set model.keypoints to 0 and skeleton.kind to mpii.")
      }
      return try PoseSet(mpii: annotations, images: images, headBoxes: headBoxes.isEmpty ? nil : headBoxes, config.crop)
    }
  }

  /// The skeleton that the data state.
  func skeleton() throws -> Skeleton {
    format == .mpii ? .mpii : try COCOInstances(contentsOf: annotations, segmentations: .skipped).skeleton()
  }
}
