import Tensors

/// The content of a pickle as inert data: nothing that it names is ever looked up, and nothing that it asks to call is called.
///
/// Nodes refer to each other by index, so that shared, deeply nested and circular values need no recursion to be held or released.
/// - Source: PEP 307 and PEP 3154; Python's `pickletools` documents every opcode.
struct Pickle: Sendable {
  /// The index of a node.
  typealias Reference = Int

  enum Node: Sendable {
    case none
    case bool(Bool)
    case integer(Int)
    /// A whole number of more than 64 bits.
    case hugeInteger
    case real(Double)
    case text(String)
    /// Bytes, by their place in the file.
    case bytes(Range<Int>)
    case tuple([Reference])
    /// Their contents are in `elements` and `items`.
    case list, set, dictionary
    /// The name of a class or function.
    case global(module: String, name: String)
    case object(Object)
    /// Something outside the pickle, by what identifies it.
    case persistent(Reference)
  }

  /// A call that was asked for and not made.
  struct Object: Sendable {
    /// The callable that the pickle names, and its arguments.
    let callable: Reference
    let arguments: Reference
    /// The state that the pickle would set on the result.
    var state: Reference?
  }

  var nodes: [Node] = []
  /// Elements of lists, sets and objects.
  var elements: [Reference: [Reference]] = [:]
  /// Elements of dictionaries and objects: keys and values in turn.
  var items: [Reference: [Reference]] = [:]
  var root: Reference = 0
  /// Offset of the end of the pickle in the file.
  var end = 0

  subscript(reference: Reference) -> Node { nodes[reference] }

  /// Limits on what a pickle may ask for; far above those of any checkpoint, and far below what would hurt.
  enum Limit {
    static let nodes = 1 << 21
    static let references = 1 << 22
    /// Marks that are open at one time: tuples within tuples.
    static let marks = 500
    /// Bytes of a text, and of the name of a class or function.
    static let text = 1 << 20
    static let name = 1 << 10
  }
}
