import Base
import Tensors

/// The layout of a tensor in official files, which hold output channels first.
public enum WeightLayout: Sendable, Equatable {
  /// As it is: biases, tables, affine parts.
  case plain
  /// Ours `[in, out]`, theirs `[out, in]`.
  case linear
  /// Ours `[kh, kw, in / groups, out]`, theirs `[out, in / groups, kh, kw]`. A transposed convolution has the weight of the
  /// convolution it transposes: ours `[kh, kw, out / groups, in]`, theirs `[in, out / groups, kh, kw]`.
  case convolution
  /// Ours `[kh, kw, in, out]`, theirs `[1, out, in, kh, kw]`: a convolution whose weights are scaled for each sample.
  case modulated

  /// Axis `i` of the official shape is axis `axes[i]` of ours.
  private var axes: [Int]? {
    switch self {
    case .plain: nil
    case .linear: [1, 0]
    case .convolution, .modulated: [3, 2, 0, 1]
    }
  }

  /// The shape in official files of a tensor whose shape here is `shape`.
  public func officialShape(_ shape: [Int]) -> [Int] { leadingAxes + (axes.map { $0.map { shape[$0] } } ?? shape) }

  /// Axes of length 1 that only official shapes have.
  private var leadingAxes: [Int] { self == .modulated ? [1] : [] }

  /// The elements in official order, without graph.
  public func official(_ tensor: Tensor) -> Tensor {
    guard let axes else { return tensor.detached() }
    return tensor.detached().transposed(axes).reshaped(to: officialShape(tensor.shape))
  }

  /// The elements in our order, from official ones.
  public func native(_ official: Tensor) -> Tensor {
    guard let axes else { return official.detached() }
    let inverse = axes.indices.map { axis in axes.firstIndex(of: axis) ?? axis }
    return official.detached().reshaped(to: Array(official.shape.dropFirst(leadingAxes.count))).transposed(inverse)
  }

  /// The rank that the tensor must have; nil for any.
  var rank: Int? { axes?.count }
}

/// A trained tensor: the value changes, the identity stays.
public final class Parameter {
  public let layout: WeightLayout
  /// Whether training leaves the value alone; then no gradient is computed for it.
  public var isFrozen = false
  private var leaf: Tensor

  /// - Parameter value: the initial value, `layout`'s own side (not the official one).
  public init(_ value: Tensor, layout: WeightLayout = .plain) {
    require(layout.rank == nil || layout.rank == value.rank, "Parameter: shape \(value.shape) for the layout \(layout)")
    self.layout = layout
    leaf = value.asLeaf()
  }

  /// The current value: a leaf of the gradient graph, or a plain value while frozen. A new value needs the old shape.
  public var value: Tensor {
    get { isFrozen ? leaf.detached() : leaf }
    set {
      require(newValue.shape == leaf.shape, "Parameter: a value of shape \(newValue.shape) for a parameter of shape \(leaf.shape)")
      leaf = newValue.asLeaf()
    }
  }

  public var shape: [Int] { leaf.shape }
  public var precision: Precision { leaf.precision }

  /// Lets `body` change the elements, in place unless a graph or a reader still holds them.
  ///
  /// Gradients taken before the change are no longer found under this parameter.
  func update(_ body: (inout Tensor) -> Void) {
    body(&leaf)
    leaf = leaf.asLeaf()
  }
}

/// A tensor that belongs to a network but is not trained by gradients, such as running statistics.
public final class Buffer {
  public let layout: WeightLayout
  /// Whether training leaves the value alone: then a batch normalisation normalises by it. See `Module.freezeStatistics`.
  public var isFrozen = false
  private var content: Tensor

  public init(_ value: Tensor, layout: WeightLayout = .plain) {
    self.layout = layout
    content = value.detached()
  }

  /// A plain value. A new one needs the old shape.
  public var value: Tensor {
    get { content }
    set {
      require(newValue.shape == content.shape, "Buffer: a value of shape \(newValue.shape) for a buffer of shape \(content.shape)")
      content = newValue.detached()
    }
  }

  /// Lets `body` change the elements, in place unless a graph or a reader still holds them.
  func update(_ body: (inout Tensor) -> Void) { body(&content) }
}

/// A whole number that belongs to a network, such as batch norm's count of batches; a scalar of 64 bits in files.
public final class Counter {
  public var value: Int

  public init(_ value: Int = 0) { self.value = value }
}

extension Gradients {
  /// The gradient with respect to a parameter; nil if the scalar does not depend on it, or it is frozen.
  public subscript(parameter: Parameter) -> Tensor? { self[parameter.value] }
}
