import Base
import Networks
import Tensors
import WeightFiles

// Inception-v3 as the Fréchet inception distance uses it: the graph of 2015-12-05, under torchvision's names.
//
// It differs from torchvision's own network in its poolings: the averages of the blocks A, C and the first E leave padding out, and the
// pooling branch of the second E takes maxima. There are 1008 classes and no auxiliary classifier. Convolutions are without bias, each
// with batch normalisation (ε = 0.001) by stored statistics and relu.
// Source: Szegedy et al. 2016 (arXiv 1512.00567), figures 5 to 10; the names are those of the file `pt_inception-2015-12-05-6726825d.pth`.

/// Inception-v3 of 2015-12-05, up to its last pooling.
///
/// - Shape: `[n, 299, 299, 3]` in -1...1 (any size from 75 on) → `[n, 2048]`.
/// - Names: `Conv2d_1a_3x3.conv.weight`, `Conv2d_1a_3x3.bn.weight`, … `Mixed_7c.branch_pool.bn.running_var`, `fc.weight`, `fc.bias`.
/// - Initialiser: zeros; the weights come from a file.
public struct Inception: Module {
  public static let checkpointNames = [
    "conv1a": "Conv2d_1a_3x3", "conv2a": "Conv2d_2a_3x3", "conv2b": "Conv2d_2b_3x3", "conv3b": "Conv2d_3b_1x1", "conv4a": "Conv2d_4a_3x3",
    "mixed5b": "Mixed_5b", "mixed5c": "Mixed_5c", "mixed5d": "Mixed_5d", "mixed6a": "Mixed_6a", "mixed6b": "Mixed_6b",
    "mixed6c": "Mixed_6c", "mixed6d": "Mixed_6d", "mixed6e": "Mixed_6e", "mixed7a": "Mixed_7a", "mixed7b": "Mixed_7b",
    "mixed7c": "Mixed_7c",
  ]
  /// Numbers in a feature vector.
  public static let featureCount = 2048

  let conv1a, conv2a, conv2b, conv3b, conv4a: InceptionConv
  let mixed5b, mixed5c, mixed5d: InceptionA
  let mixed6a: InceptionB
  let mixed6b, mixed6c, mixed6d, mixed6e: InceptionC
  let mixed7a: InceptionD
  let mixed7b, mixed7c: InceptionE
  let fc: Linear

  public init() {
    conv1a = InceptionConv(3, 32, 3, stride: 2)
    conv2a = InceptionConv(32, 32, 3)
    conv2b = InceptionConv(32, 64, 3, padding: 1)
    conv3b = InceptionConv(64, 80, 1)
    conv4a = InceptionConv(80, 192, 3)
    mixed5b = InceptionA(192, pool: 32)
    mixed5c = InceptionA(256, pool: 64)
    mixed5d = InceptionA(288, pool: 64)
    mixed6a = InceptionB(288)
    mixed6b = InceptionC(768, width: 128)
    mixed6c = InceptionC(768, width: 160)
    mixed6d = InceptionC(768, width: 160)
    mixed6e = InceptionC(768, width: 192)
    mixed7a = InceptionD(768)
    mixed7b = InceptionE(1280, pooling: .average)
    mixed7c = InceptionE(2048, pooling: .maximum)
    fc = Linear(zeros: Self.featureCount, 1008)
  }

  /// The features that FID compares: the mean of the last maps over their places.
  public func callAsFunction(_ images: Tensor) -> Tensor {
    var x = conv2b(conv2a(conv1a(images))).maxPooled(window: 3, stride: 2)
    x = conv4a(conv3b(x)).maxPooled(window: 3, stride: 2)
    x = mixed6a(mixed5d(mixed5c(mixed5b(x))))
    x = mixed6e(mixed6d(mixed6c(mixed6b(x))))
    return mixed7c(mixed7b(mixed7a(x))).mean([1, 2])
  }
}

extension Inception: PublishedModel {
  public static let published = [
    PublishedVariant("inception-2015", title: "Inception-v3 of FID", mark: ("fc.weight", [1008, 2048])) { _ in Inception() }
  ]

  /// Leaves the counters of batches out: the statistics never change here.
  public static func official(_ state: StateDictionary, from place: String) throws -> StateDictionary {
    try state.renamed([("module.", "")], from: place).without { $0.hasSuffix(".num_batches_tracked") }
  }
}

/// A convolution, batch normalisation by stored statistics, relu.
/// - Names: `conv.weight`, `bn.weight`, `bn.bias`, `bn.running_mean`, `bn.running_var`.
struct InceptionConv: Module {
  let conv: Conv2d
  let bn: FrozenBatchNorm2d

  init(_ inputs: Int, _ outputs: Int, _ kernel: Extent, stride: Extent = 1, padding: Extent = 0) {
    conv = Conv2d(zeros: inputs, outputs, kernel: kernel, Conv2dOptions(stride: stride, padding: padding), bias: false)
    bn = FrozenBatchNorm2d(outputs, epsilon: 0.001)
  }

  /// A row of `length` weights, or a column, padded to keep the size.
  static func row(_ inputs: Int, _ outputs: Int, _ length: Int) -> InceptionConv {
    InceptionConv(inputs, outputs, Extent(height: 1, width: length), padding: Extent(height: 0, width: length / 2))
  }

  static func column(_ inputs: Int, _ outputs: Int, _ length: Int) -> InceptionConv {
    InceptionConv(inputs, outputs, Extent(height: length, width: 1), padding: Extent(height: length / 2, width: 0))
  }

  func callAsFunction(_ x: Tensor) -> Tensor { conv(x, bn, .evaluation, activation: .relu) }
}

extension Tensor {
  /// The mean of the 3x3 neighbours that lie in the map.
  fileprivate var neighbourMean: Tensor { averagePooled(window: 3, stride: 1, padding: 1, countsPadding: false) }
}

/// Branches of one, two 3x3 and one 5x5 convolution, and a pooling. - Shape: `[n, h, w, in]` → `[n, h, w, 224 + pool]`.
struct InceptionA: Module {
  static let checkpointNames = [
    "branch1x1": "branch1x1", "branch5x5a": "branch5x5_1", "branch5x5b": "branch5x5_2", "branch3x3a": "branch3x3dbl_1",
    "branch3x3b": "branch3x3dbl_2", "branch3x3c": "branch3x3dbl_3",
  ]
  let branch1x1: InceptionConv
  let branch5x5a, branch5x5b: InceptionConv
  let branch3x3a, branch3x3b, branch3x3c: InceptionConv
  let branchPool: InceptionConv

  init(_ inputs: Int, pool: Int) {
    branch1x1 = InceptionConv(inputs, 64, 1)
    branch5x5a = InceptionConv(inputs, 48, 1)
    branch5x5b = InceptionConv(48, 64, 5, padding: 2)
    branch3x3a = InceptionConv(inputs, 64, 1)
    branch3x3b = InceptionConv(64, 96, 3, padding: 1)
    branch3x3c = InceptionConv(96, 96, 3, padding: 1)
    branchPool = InceptionConv(inputs, pool, 1)
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    concatenate([branch1x1(x), branch5x5b(branch5x5a(x)), branch3x3c(branch3x3b(branch3x3a(x))), branchPool(x.neighbourMean)], axis: 3)
  }
}

/// Half the size: a 3x3 convolution, a double one, and a pooling. - Shape: `[n, h, w, in]` → `[n, (h - 1) / 2, (w - 1) / 2, 480 + in]`.
struct InceptionB: Module {
  static let checkpointNames = [
    "branch3x3": "branch3x3", "double1": "branch3x3dbl_1", "double2": "branch3x3dbl_2", "double3": "branch3x3dbl_3",
  ]
  let branch3x3: InceptionConv
  let double1, double2, double3: InceptionConv

  init(_ inputs: Int) {
    branch3x3 = InceptionConv(inputs, 384, 3, stride: 2)
    double1 = InceptionConv(inputs, 64, 1)
    double2 = InceptionConv(64, 96, 3, padding: 1)
    double3 = InceptionConv(96, 96, 3, stride: 2)
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    concatenate([branch3x3(x), double3(double2(double1(x))), x.maxPooled(window: 3, stride: 2)], axis: 3)
  }
}

/// Branches of 7x7 convolutions as rows and columns. - Shape: `[n, h, w, in]` → `[n, h, w, 768]`.
struct InceptionC: Module {
  static let checkpointNames = [
    "branch1x1": "branch1x1", "single1": "branch7x7_1", "single2": "branch7x7_2", "single3": "branch7x7_3", "double1": "branch7x7dbl_1",
    "double2": "branch7x7dbl_2", "double3": "branch7x7dbl_3", "double4": "branch7x7dbl_4", "double5": "branch7x7dbl_5",
  ]
  let branch1x1: InceptionConv
  let single1, single2, single3: InceptionConv
  let double1, double2, double3, double4, double5: InceptionConv
  let branchPool: InceptionConv

  /// - Parameter width: channels between the rows and columns.
  init(_ inputs: Int, width: Int) {
    branch1x1 = InceptionConv(inputs, 192, 1)
    single1 = InceptionConv(inputs, width, 1)
    single2 = .row(width, width, 7)
    single3 = .column(width, 192, 7)
    double1 = InceptionConv(inputs, width, 1)
    double2 = .column(width, width, 7)
    double3 = .row(width, width, 7)
    double4 = .column(width, width, 7)
    double5 = .row(width, 192, 7)
    branchPool = InceptionConv(inputs, 192, 1)
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    let double = double5(double4(double3(double2(double1(x)))))
    return concatenate([branch1x1(x), single3(single2(single1(x))), double, branchPool(x.neighbourMean)], axis: 3)
  }
}

/// Half the size, with a 7x7 branch. - Shape: `[n, h, w, in]` → `[n, (h - 1) / 2, (w - 1) / 2, 512 + in]`.
struct InceptionD: Module {
  static let checkpointNames = [
    "small1": "branch3x3_1", "small2": "branch3x3_2", "large1": "branch7x7x3_1", "large2": "branch7x7x3_2", "large3": "branch7x7x3_3",
    "large4": "branch7x7x3_4",
  ]
  let small1, small2: InceptionConv
  let large1, large2, large3, large4: InceptionConv

  init(_ inputs: Int) {
    small1 = InceptionConv(inputs, 192, 1)
    small2 = InceptionConv(192, 320, 3, stride: 2)
    large1 = InceptionConv(inputs, 192, 1)
    large2 = .row(192, 192, 7)
    large3 = .column(192, 192, 7)
    large4 = InceptionConv(192, 192, 3, stride: 2)
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    concatenate([small2(small1(x)), large4(large3(large2(large1(x)))), x.maxPooled(window: 3, stride: 2)], axis: 3)
  }
}

/// Branches that end in a row and a column side by side. - Shape: `[n, h, w, in]` → `[n, h, w, 2048]`.
struct InceptionE: Module {
  /// The pooling before the last branch.
  enum Pooling { case average, maximum }

  static let checkpointNames = [
    "branch1x1": "branch1x1", "single1": "branch3x3_1", "singleRow": "branch3x3_2a", "singleColumn": "branch3x3_2b",
    "double1": "branch3x3dbl_1", "double2": "branch3x3dbl_2", "doubleRow": "branch3x3dbl_3a", "doubleColumn": "branch3x3dbl_3b",
  ]
  let branch1x1: InceptionConv
  let single1, singleRow, singleColumn: InceptionConv
  let double1, double2, doubleRow, doubleColumn: InceptionConv
  let branchPool: InceptionConv
  let pooling: Pooling

  init(_ inputs: Int, pooling: Pooling) {
    branch1x1 = InceptionConv(inputs, 320, 1)
    single1 = InceptionConv(inputs, 384, 1)
    singleRow = .row(384, 384, 3)
    singleColumn = .column(384, 384, 3)
    double1 = InceptionConv(inputs, 448, 1)
    double2 = InceptionConv(448, 384, 3, padding: 1)
    doubleRow = .row(384, 384, 3)
    doubleColumn = .column(384, 384, 3)
    branchPool = InceptionConv(inputs, 192, 1)
    self.pooling = pooling
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    let single = single1(x)
    let double = double2(double1(x))
    let pooled = pooling == .average ? x.neighbourMean : x.maxPooled(window: 3, stride: 1, padding: 1)
    return concatenate(
      [branch1x1(x), singleRow(single), singleColumn(single), doubleRow(double), doubleColumn(double), branchPool(pooled)], axis: 3)
  }
}
