import CXSMM
import Foundation

/// Which library computes the products of a convolution.
enum ProductPath: String, CaseIterable {
  /// LIBXSMM's batch-reduce kernels, generated for each shape: rows of the source are read in place.
  case xsmm
  /// OpenBLAS on gathered rows: any processor, both precisions.
  case openblas

  /// Channels below which rows are gathered for one larger product, whatever the path: the inner axis of a tap would be too short.
  static let leastDepth = 8

  /// LIBXSMM where it can generate code, unless `APUS_CONVOLUTION=openblas` says otherwise.
  static let current: ProductPath = {
    do { return try chosen() ?? (canGenerate ? .xsmm : .openblas) } catch { stop("\(error)") }
  }()

  /// What `APUS_CONVOLUTION` names; `nil` if it is not set.
  /// - Throws: `.usage` if that does not exist or cannot run here.
  static func chosen() throws -> ProductPath? {
    let key = "APUS_CONVOLUTION"
    guard let name = ProcessInfo.processInfo.environment[key], !name.isEmpty else { return nil }
    guard let path = ProductPath(rawValue: name) else {
      throw Failure(.usage, at: key, "unknown path '\(name)'; known: \(allCases.map(\.rawValue).joined(separator: ", "))")
    }
    guard path != .xsmm || canGenerate else {
      throw Failure(.usage, at: key, "LIBXSMM generates no code for this processor or APUS_ISA", remedy: "Use openblas.")
    }
    return path
  }

  private static var canGenerate: Bool {
    InstructionSet.current != .portable
      && BatchReduce(rows: 16, columns: 16, depth: 16, aStride: 16, bStride: 16, cStride: 16) != nil
  }
}

/// `c = Σᵢ aᵢ · bᵢ` over a batch of small float32 matrices, by code generated for the shape.
struct BatchReduce {
  private let kernel: OpaquePointer

  /// - Parameters:
  ///   - aIsTransposed: the `a` matrices are stored `[depth, rows]`.
  ///   - adds: add to `c` rather than overwrite it.
  /// `nil` if LIBXSMM has no code for the shape.
  init?(
    rows: Int, columns: Int, depth: Int, aStride: Int, bStride: Int, cStride: Int, aIsTransposed: Bool = false, adds: Bool = false
  ) {
    var shape = cxsmm_shape(
      rows: Int32(rows), columns: Int32(columns), depth: Int32(depth), a_stride: Int32(aStride), b_stride: Int32(bStride),
      c_stride: Int32(cStride), a_transposed: aIsTransposed ? 1 : 0, adds: adds ? 1 : 0)
    guard let kernel = cxsmm_dispatch(&shape) else { return nil }
    self.kernel = kernel
  }

  /// The generated code moves the pointers as it goes and leaves them moved, so it gets copies of both lists.
  func run(_ a: [UnsafePointer<Float>?], _ b: [UnsafePointer<Float>?], into c: UnsafeMutableRawPointer) {
    var a = a, b = b
    cxsmm_run(kernel, &a, &b, c.assumingMemoryBound(to: Float.self), UInt64(a.count))
  }
}
