import Base

/// A plain folder of real frame pairs with true flow, matched by their names.
///
/// Frames are `.png`, `.jpg`, `.jpeg`, `.ppm` or `.pgm` files; flow files are `.flo` files and 16-bit RGB PNGs (KITTI). Each flow file must
/// find exactly one pair of frames. Names are compared as words and numbers without regard to case and separators; the role words
/// `img`, `image`, `im`, `frame` and `flow`, `gt`, `occ`, `noc` do not count. The patterns, where `X` is anything or nothing:
///
/// | frames | flow | found in |
/// |---|---|---|
/// | `X_img1`, `X_img2` (or `X-img0`, `X-img1`) | `X_flow`, `X-gt`, `X` | FlyingChairs |
/// | `X1`, `X2`: the only two with this name | `X` | RubberWhale of OpenCV |
/// | `X_0007`, `X_0008` | `X_0007`: from that frame to the next | MPI-Sintel, Middlebury |
/// | `X_10`, `X_11` | `X_occ_10` or else `X_noc_10`, as PNG | KITTI |
/// | `X-img_0`, `X-img_1` | `X-flow_01`: from 0 to 1; `X-flow_10`: back | ChairsSDHom |
///
/// Frames without flow are left out. If both an `occ` and a `noc` map exist, `occ` is taken, since it contains the other.
public struct FlowPairs: FlowDataset {
  private let files: [FlowSampleFiles]
  /// A pixel takes the bytes of two RGB frames, of the flow's two floats and of the flag that says whether it is known.
  private let decoded = SampleCache<FlowSample>(byteLimit: 512 << 20) { $0.flow.height * $0.flow.width * (2 * 3 + 9) }

  public var count: Int { files.count }

  /// Lists the pairs; pictures are opened no further than needed to tell KITTI's flow maps from frames.
  /// - Throws: `.missingInput` if there is no such folder, or no flow file in it; `.badData`, with what was found and the accepted
  ///   patterns, if a flow file has no frames or the match is ambiguous.
  public init(root: String) throws {
    var frames: [FrameName] = []
    var flows: [FrameName] = []
    for name in try Folder.files(in: root, where: { Path.fileExtension($0) == "flo" || Folder.isPictureName($0) }) {
      if try Path.fileExtension(name) == "flo" || Folder.isKITTIFlow(Path.join(root, name)) {
        flows.append(FrameName(name))
      } else {
        frames.append(FrameName(name))
      }
    }
    guard !flows.isEmpty else {
      throw Failure(.missingInput, at: root, "no flow files found (.flo, or .png with 16-bit RGB) beside \(frames.count) images",
                    remedy: FlowPairs.patterns)
    }
    files = try PairMatcher(root: root, frames: frames).match(flows)
    Orientation.warn(about: files.flatMap { [$0.image1, $0.image2] }, in: root)
  }

  /// Decoded samples stay in memory as long as they fit in half a GiB: small folders are read once.
  public func sample(at index: Int) throws -> FlowSample { try decoded.sample(index) { try files[index].read() } }

  /// The stem of the flow file.
  public func name(of index: Int) -> String { files[index].name }

  static let patterns = """
    Accepted names: X_img1, X_img2, X_flow.flo | X-img0, X-img1, X-gt.flo | X1, X2, X.flo | X_0007, X_0008, X_0007.flo |
    X_10, X_11, X_occ_10.png (KITTI) | X-img_0, X-img_1, X-flow_01.flo
  """
}

/// Finds the frames of each flow file.
private struct PairMatcher {
  let root: String
  /// Frames by the part of their name before the number, then by number; several if the number is there twice.
  let numbered: [[String]: [Int: [FrameName]]]

  init(root: String, frames: [FrameName]) {
    self.root = root
    var numbered: [[String]: [Int: [FrameName]]] = [:]
    for frame in frames {
      if let (key, number) = frame.frame { numbered[key, default: [:]][number, default: []].append(frame) }
    }
    self.numbered = numbered
  }

  private struct Pair: Hashable {
    let first: String
    let second: String
  }

  func match(_ flows: [FrameName]) throws -> [FlowSampleFiles] {
    var order: [Pair] = []
    var owners: [Pair: [FrameName]] = [:]
    for flow in flows {
      let pair = try pair(of: flow)
      if owners[pair] == nil { order.append(pair) }
      owners[pair, default: []].append(flow)
    }
    return try order.map { pair in
      let flow = try choose(among: owners[pair] ?? [], for: pair)
      return FlowSampleFiles(name: Path.stem(flow.file), image1: Path.join(root, pair.first), image2: Path.join(root, pair.second),
                             flow: Path.join(root, flow.file))
    }
  }

  /// The one flow file of a pair; of KITTI's two maps the one with occluded pixels.
  private func choose(among flows: [FrameName], for pair: Pair) throws -> FrameName {
    let complete = flows.contains { $0.parts.contains("occ") } ? flows.filter { !$0.parts.contains("noc") } : flows
    guard complete.count == 1, let flow = complete.first else {
      throw Failure(.badData, at: root, "ambiguous: \(list(complete)) all give the flow from \(pair.first) to \(pair.second), expected one",
                    remedy: FlowPairs.patterns)
    }
    return flow
  }

  /// The one pair of frames of a flow file.
  private func pair(of flow: FrameName) throws -> Pair {
    let place = Path.join(root, flow.file)
    for rule in [numberRules, directionRule] {
      var pairs: [Pair] = []
      for key in flow.flowKeys {
        for pair in try rule(key, flow) where !pairs.contains(pair) { pairs.append(pair) }
      }
      if pairs.count > 1 {
        let found = pairs.map { "\($0.first) and \($0.second)" }.joined(separator: "; ")
        throw Failure(.badData, at: place, "ambiguous: the flow may belong to \(found)", remedy: FlowPairs.patterns)
      }
      if let pair = pairs.first { return pair }
    }
    let found = numbered.values.flatMap { $0.values.joined() }.map(\.file).sorted(by: Folder.precedes)
    throw Failure(.badData, at: place, "no pair of frames belongs to this flow; images found: \(found.isEmpty ? "none" : shortened(found))",
                  remedy: FlowPairs.patterns)
  }

  /// `X` for the only two frames of that name; `X_n` for the frames `n` and `n + 1`.
  private func numberRules(_ key: [String], _ flow: FrameName) throws -> [Pair] {
    var pairs: [Pair] = []
    if let frames = numbered[key] {
      let numbers = frames.keys.sorted()
      guard numbers.count <= 2 else {
        let names = numbers.flatMap { frames[$0] ?? [] }.map(\.file)
        throw Failure(.badData, at: Path.join(root, flow.file),
                      "ambiguous: \(names.count) frames have this name, expected two: \(shortened(names))", remedy: FlowPairs.patterns)
      }
      if numbers.count == 2 { pairs += try pair(frames[numbers[0]], frames[numbers[1]], flow) }
    }
    if let last = key.last, let number = Int(last), number < Int.max, let frames = numbered[Array(key.dropLast())] {
      pairs += try pair(frames[number], frames[number + 1], flow)
    }
    return pairs
  }

  /// `X_ab` for the frames `a` and `b`.
  private func directionRule(_ key: [String], _ flow: FrameName) throws -> [Pair] {
    guard let digits = key.last, digits.count == 2, let number = Int(digits), number / 10 != number % 10,
      let frames = numbered[Array(key.dropLast())]
    else { return [] }
    return try pair(frames[number / 10], frames[number % 10], flow)
  }

  private func pair(_ first: [FrameName]?, _ second: [FrameName]?, _ flow: FrameName) throws -> [Pair] {
    guard let first, let second else { return [] }
    for frames in [first, second] where frames.count > 1 {
      throw Failure(.badData, at: Path.join(root, flow.file), "ambiguous: \(list(frames)) could each be a frame of this flow, expected one",
                    remedy: FlowPairs.patterns)
    }
    return [Pair(first: first[0].file, second: second[0].file)]
  }

  private func list(_ names: [FrameName]) -> String { shortened(names.map(\.file)) }

  private func shortened(_ names: [String]) -> String { someOf(names, atMost: 8) }
}
