import Base
import Vision

/// A picture of one object: a file, or a part of a frame.
public struct IdentityCrop: Sendable, Equatable {
  /// The picture file.
  public let path: String
  /// The part of it, in pixels from 0; nil: all of it.
  public var box: BoundingBox?
  /// The name of the object, such as `0002`.
  public let identity: String
  /// The camera, such as `c1`; empty if that is not known.
  public var camera = ""
  /// What a camera saw of an object without a break; empty if that is not known.
  public var tracklet = ""
  /// Unique within the set, and fit to be part of a file name.
  public let name: String

  public init(path: String, identity: String, name: String) {
    self.path = path
    self.identity = identity
    self.name = name
  }
}

/// A picture of an object, with the number of its identity within its set.
public struct IdentitySample: Sendable {
  /// RGB.
  public var image: Image
  public let identity: Int

  public init(image: Image, identity: Int) { (self.image, self.identity) = (image, identity) }
}

/// Pictures of objects that are known by name, as a data set.
public struct IdentitySet: Dataset {
  public let crops: [IdentityCrop]
  /// The names of the objects in natural order; `labels` are places in it.
  public let identities: [String]
  /// The object of each picture.
  public let labels: [Int]
  /// What the reader passed over, in words for the user.
  public let notes: [String]
  /// Shape of the parts that are cut out of frames: width by height.
  let aspect: Double
  private let decoded = SampleCache<Image>(byteLimit: 512 << 20) { $0.pixels.count }

  /// - Parameter aspect: width by height of what is cut out of frames around a box.
  public init(_ crops: [IdentityCrop], aspect: Double = 0.5, notes: [String] = []) {
    self.crops = crops
    self.aspect = aspect
    self.notes = notes
    identities = crops.map(\.identity).uniqued().sorted(by: Folder.precedes)
    let places = Dictionary(uniqueKeysWithValues: identities.enumerated().map { ($1, $0) })
    labels = crops.map { places[$0.identity] ?? 0 }
  }

  public var count: Int { crops.count }

  public func name(of index: Int) -> String { crops[index].name }

  /// Decoded pictures stay in memory as long as they fit in half a GiB.
  /// - Throws: what reading throws; `.badData` if a box lies outside of its frame.
  public func sample(at index: Int) throws -> IdentitySample {
    let image = try decoded.sample(index) {
      let crop = crops[index]
      let whole = try Image(contentsOf: crop.path).rgb()
      guard let box = crop.box else { return whole }
      guard let part = whole.part(around: box, aspect: aspect) else {
        throw Failure(.badData, at: crop.path, "the box of \(crop.identity.printable(limit: 60)) lies outside of the frame")
      }
      return part
    }
    return IdentitySample(image: image, identity: labels[index])
  }

  /// The pictures that fulfil a condition, with identities counted anew.
  public func filtered(_ isKept: (Int) throws -> Bool) rethrows -> IdentitySet {
    IdentitySet(try crops.indices.filter(isKept).map { crops[$0] }, aspect: aspect, notes: notes)
  }

  /// At most so many pictures of each tracklet, spread evenly over it. - Parameter limit: 0: all.
  public func thinned(perTracklet limit: Int) -> IdentitySet {
    guard limit > 0 else { return self }
    var places: [String: [Int]] = [:]
    for (index, crop) in crops.enumerated() { places["\(crop.identity)/\(crop.camera)/\(crop.tracklet)", default: []].append(index) }
    let kept = Set(places.values.flatMap { list in
      list.count <= limit ? list : (0..<limit).map { list[$0 * list.count / limit] }
    })
    return filtered { kept.contains($0) }
  }

  /// The pictures of identities that have at least so many.
  public func filtered(withAtLeast least: Int) -> IdentitySet {
    var counts = [Int](repeating: 0, count: identities.count)
    for label in labels { counts[label] += 1 }
    return filtered { counts[labels[$0]] >= least }
  }
}

/// What is looked for, and where: a set for retrieval.
public struct RetrievalSet: Sendable {
  public let query: IdentitySet
  /// nil: the queries themselves, each one without itself.
  public let gallery: IdentitySet?

  public init(query: IdentitySet, gallery: IdentitySet?) { (self.query, self.gallery) = (query, gallery) }
}

extension Image {
  /// The part that shows the object of a box to an appearance network: of the box's height and centre, `aspect` times as wide, truncated to
  /// whole pixels and clipped to the image; nil if nothing of it lies inside.
  /// - Parameter box: in pixels from 0.
  /// - Source: the authors' code of DeepSORT.
  public func part(around box: BoundingBox, aspect: Double) -> Image? {
    let wide = aspect * box.height
    let edges = [box.x - (wide - box.width) / 2, box.y, box.x - (wide - box.width) / 2 + wide, box.y1]
    guard edges.allSatisfy(\.isFinite) else { return nil }
    func place(_ edge: Double, _ limit: Int) -> Int { Int(edge.clamped(to: 0...Double(limit))) }
    let (left, right, top, bottom) = (place(edges[0], width), place(edges[2], width), place(edges[1], height), place(edges[3], height))
    guard left < right, top < bottom else { return nil }
    return cropped(rows: top..<bottom, columns: left..<right)
  }

  /// A rectangle of the image. - Precondition: it lies inside.
  public func cropped(rows: Range<Int>, columns: Range<Int>) -> Image {
    require(rows.lowerBound >= 0 && rows.upperBound <= height && columns.lowerBound >= 0 && columns.upperBound <= width,
            "Image.cropped: rows \(rows) and columns \(columns) of \(width)x\(height)")
    var part = [UInt8]()
    part.reserveCapacity(rows.count * columns.count * channels)
    for y in rows { part += pixels[channels * (y * width + columns.lowerBound)..<channels * (y * width + columns.upperBound)] }
    return Image(height: rows.count, width: columns.count, channels: channels, pixels: part)
  }

  /// The image at another size, bilinearly, without smoothing before it shrinks. - Source: as `ResamplingAxis.init(resizing:by:)`.
  public func resized(height rows: Int, width columns: Int) -> Image {
    guard (rows, columns) != (height, width) else { return self }
    return sampled(rows: ResamplingAxis(resizing: height, by: Double(rows) / Double(height)),
                   columns: ResamplingAxis(resizing: width, by: Double(columns) / Double(width)))
  }
}
