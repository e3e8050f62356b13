import CKernels

/// The conditions beside the sizes that choose the algorithm of a product: settings and processor, the same for a whole process.
///
/// The choices below are the whole table. They were measured with `apus bench matmul` and `apus bench conv3x3` on a Zen 4 (AVX-512 in
/// halves) and a Zen 5 (AVX-512); tile registers on Sapphire Rapids.
package struct ProductPolicy: Sendable, Equatable {
  var instructionSet: InstructionSet
  var precision: MatmulPrecision
  var reproducibility: Reproducibility
  /// Whether OpenBLAS's kernels use AVX-512.
  var isBLASWide: Bool

  package init(instructionSet: InstructionSet, precision: MatmulPrecision, reproducibility: Reproducibility, isBLASWide: Bool) {
    self.instructionSet = instructionSet
    self.precision = precision
    self.reproducibility = reproducibility
    self.isBLASWide = isBLASWide
  }

  package static var current: ProductPolicy {
    ProductPolicy(instructionSet: .current, precision: .current, reproducibility: .current, isBLASWide: BLAS.info.isWide)
  }

  /// Rows and columns below which splitting numbers costs more than it saves.
  private static let fewestSplit = 16
  /// Multiply-adds of a product from which OpenBLAS has work for several threads.
  private static let fewestForOpenBLAS = 1 << 28
  /// Channels from which six products on tile registers are faster than float32 products of transformed tiles.
  private static let channelsForSixProducts = 64

  /// The parts of a bfloat16 product with these inner and outer lengths; `nil` where float kernels serve: float64, few rows or columns,
  /// and processors without tile registers. Their AVX-512 bfloat16 units gain nothing over OpenBLAS and Winograd's tiles in float32.
  func bf16Parts(depth: Int, columns: Int, _ precision: Precision) -> Int? {
    guard precision == .float32, instructionSet == .amx || instructionSet == .amxEmulated, Swift.min(depth, columns) >= Self.fewestSplit
    else { return nil }
    switch self.precision {
    case .highest: return 3
    case .high: return 2
    case .medium: return 1
    }
  }

  /// Whether our own kernels serve a plain product with these inner and outer lengths rather than OpenBLAS.
  ///
  /// OpenBLAS serves all of them on processors without kernels of ours (ARM, old x86), ours where its vectors are shorter than ours.
  /// Otherwise ours win where results have few columns or sums few terms (but for very few), because a call of OpenBLAS packs both
  /// factors, and in small products, of which ours make more tasks.
  func prefersPanels(depth: Int, columns: Int, multiplyAdds: Int = Int.max) -> Bool {
    guard reproducibility == .machine else { return true }
    let isThin = columns <= 128 || (64...128).contains(depth) || multiplyAdds < Self.fewestForOpenBLAS
    switch instructionSet {
    case .portable: return false
    case .avx2: return isThin && !isBLASWide
    case .avx512, .amx, .amxEmulated: return isThin || !isBLASWide
    }
  }

  /// Whether Winograd's tiles serve a convolution that they fit, with this smaller number of channels.
  func prefersWinograd(channels: Int, _ precision: Precision) -> Bool {
    switch bf16Parts(depth: Int.max, columns: Int.max, precision) {
    case nil: true
    case 3: channels < Self.channelsForSixProducts
    default: false
    }
  }
}

/// The name of what computes a product, as reports print it.
public protocol ProductAlgorithm: Sendable, CustomStringConvertible {}

/// The algorithm of a dense product.
public enum GEMMAlgorithm: ProductAlgorithm, Equatable {
  /// Tiles of the result, each one call of OpenBLAS.
  case openBLAS
  /// Our kernels on packed panels of columns.
  case panels
  /// Products of numbers split into so many bfloat16 parts.
  case bf16(parts: Int)

  public var description: String {
    switch self {
    case .openBLAS: "openblas"
    case .panels: "panels"
    case .bf16(let parts): "bf16x\(parts)"
    }
  }

  /// The algorithm for sums of `depth` terms and results of `columns` columns.
  package static func choose(
    depth: Int, columns: Int, multiplyAdds: Int = Int.max, _ precision: Precision, _ policy: ProductPolicy = .current
  ) -> GEMMAlgorithm {
    if let parts = policy.bf16Parts(depth: depth, columns: columns, precision) { return .bf16(parts: parts) }
    return policy.prefersPanels(depth: depth, columns: columns, multiplyAdds: multiplyAdds) ? .panels : .openBLAS
  }
}

/// The algorithm of a convolution or of one of its gradients.
public enum ConvolutionAlgorithm: ProductAlgorithm, Equatable {
  /// A kernel of one pixel and stride 1: a plain product.
  case pointwise(GEMMAlgorithm)
  /// Products of rows of the source with every kernel offset, where they lie.
  case direct
  /// Products of transformed tiles.
  case winograd(WinogradTile)
  /// As `direct`, of numbers split into so many bfloat16 parts.
  case bf16(parts: Int)

  public var description: String {
    switch self {
    case .pointwise(let algorithm): "1x1 \(algorithm)"
    case .direct: "direct"
    case .winograd(let tile): "winograd \(tile)"
    case .bf16(let parts): "direct bf16x\(parts)"
    }
  }

  /// The algorithm for a pass that is not pointwise.
  /// - Parameter images: of the source.
  package static func choose(
    _ plan: ConvolutionPlan, groups: Int, depth: Int, columns: Int, images: Int, _ precision: Precision, _ policy: ProductPolicy = .current
  ) -> ConvolutionAlgorithm {
    if let tile = WinogradTile.serving(plan, groups: groups, channels: Swift.min(depth, columns), images: images),
      policy.prefersWinograd(channels: Swift.min(depth, columns), precision) {
      return .winograd(tile)
    }
    let offsets = plan.phases.compactMap { $0.runs(merging: groups == 1).first?.weights.count }.min() ?? 0  // side by side in a kernel row
    return policy.bf16Parts(depth: offsets * depth, columns: columns, precision).map { .bf16(parts: $0) } ?? .direct
  }
}
