import Base
import Foundation
import Testing
import Vision

/// The folder of real samples beside the checkout; tests that need it are skipped where it is absent.
public enum Samples {
  public static let folder: String = {
    let checkout = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    return checkout.deletingLastPathComponent().appending(path: "shared/data").path()
  }()

  public static var areThere: Bool { FileManager.default.fileExists(atPath: folder) }

  public static func path(_ name: String) -> String { "\(folder)/\(name)" }
}

/// Runs `body` with a fresh folder that is removed afterwards.
public func withTemporaryFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
  let folder = FileManager.default.temporaryDirectory.appending(path: "apus-\(UUID().uuidString)").path()
  try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: folder) }
  return try body(folder)
}

/// Runs `body`, which must throw a `Failure` of this kind whose description contains all the words.
public func expectFailure<Result>(_ kind: Failure.Kind, _ words: String..., sourceLocation: SourceLocation = #_sourceLocation,
                           _ body: () throws -> Result) {
  do {
    _ = try body()
    Issue.record("no failure, expected \(kind)", sourceLocation: sourceLocation)
  } catch let failure as Failure {
    #expect(failure.kind == kind, "\(failure)", sourceLocation: sourceLocation)
    for word in words { #expect(failure.description.contains(word), "'\(word)' in: \(failure)", sourceLocation: sourceLocation) }
  } catch {
    Issue.record("\(error), expected a Failure", sourceLocation: sourceLocation)
  }
}

extension Image {
  /// Uniform noise.
  public static func noise(height: Int, width: Int, channels: Int = 3, seed: UInt64 = 1) -> Image {
    var random = Random(seed: seed, stream: .test)
    let pixels = (0..<height * width * channels).map { _ in UInt8(truncatingIfNeeded: random.nextWord()) }
    return Image(height: height, width: width, channels: channels, pixels: pixels)
  }
}
