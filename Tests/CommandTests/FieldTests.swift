import Base
import Foundation
import Testing

/// Folders and files as users reported them, beside the checkout: `../shared/field/*`, each with a README that says what is right.
///
/// Skipped where that folder is absent.
@Suite(.enabled(if: FieldReports.areThere)) struct FieldTests {
  static let folder = FieldReports.folder
  private static let weights = "\(folder)/_shared/small.safetensors"
  /// The config of those reports in today's names.
  private static let small = """
    task: optical_flow
    model: {variant: small}
    data: {format: pairs, root: pairs}
    validation: {format: pairs, root: pairs}
    augmentation: {crop_height: 128, crop_width: 128, photometric: false, eraser: false, spatial: false}
    train: {batch_size: 1, iterations: 2}
    inference: {iterations: 4}
    optimizer: {learning_rate: 1.0e-4}
    schedule: {kind: one_cycle}
    plan: {steps: 4, log_every: 1, evaluate_every: 0, save_every: 2, seed: 1, threads: 1}

    """

  private func workplace() throws -> Workplace {
    let place = try workplace()
    try place.write("small.yaml", Self.small)
    return place
  }

  private func predict(_ place: Workplace, _ source: String) throws -> Outcome {
    try place.apus("predict", "small.yaml", "--weights", Self.weights, "--source", "\(Self.folder)/\(source)", "--out", "out/\(source)", "--no-warm-start")
  }

  /// The bytes of the only flow field in a folder of results.
  private func flow(_ place: Workplace, _ source: String) throws -> [UInt8] {
    let names = try place.names(in: "out/\(source)").filter { $0.hasSuffix(".flo") }
    try #require(names.count == 1, "\(names)")
    return try place.bytes("out/\(source)/\(names[0])")
  }

  // MARK: Pictures

  @Test func kindsOfPNG() throws {
    let place = try workplace()
    func predicted(_ kind: String) throws -> [UInt8] {
      expectSuccess(try predict(place, "A07_png_kinds/\(kind)"))
      return try flow(place, "A07_png_kinds/\(kind)")
    }
    let plain = try predicted("rgb")
    for kind in ["palette", "palette_transparent", "interlaced", "rgba", "gamma", "rgb_colour_key", "rgb16"] {
      expectEqualBytes(try predicted(kind), plain, kind)
    }
    expectEqualBytes(try predicted("grey_alpha"), try predicted("grey_as_rgb"), "grey_alpha")
  }

  @Test func orientationTags() throws {
    let place = try workplace()
    expectSuccess(try predict(place, "A09_exif/plain"))
    for (kind, count) in [("tagged", 2), ("tagged_first", 1)] {
      let outcome = try predict(place, "A09_exif/\(kind)")
      #expect(outcome.exit == 0, "\(outcome.errors)")
      #expect(outcome.errors.components(separatedBy: "warning: ").count == 2, "one warning in: \(outcome.errors)")
      #expect(outcome.errors.contains("\(count) of 2 pictures have an EXIF orientation"), "\(outcome.errors)")
      expectEqualBytes(try flow(place, "A09_exif/\(kind)"), try flow(place, "A09_exif/plain"), kind)
    }
  }

  @Test func strayFiles() throws {
    let place = try workplace(), source = place.path("frames")
    try FileManager.default.copyItem(atPath: "\(Self.folder)/A12_junk_files/frames", toPath: source)
    try FileManager.default.createDirectory(atPath: source + "/thumbnails.png/x.png", withIntermediateDirectories: true)
    #expect(mkfifo(source + "/pipe.png", 0o600) == 0)
    expectSuccess(try place.apus("predict", "small.yaml", "--weights", Self.weights, "--source", "frames", "--out", "out", "--no-warm-start"))
    #expect(try place.names(in: "out").filter { $0.hasSuffix(".flo") } == ["frame_0001.flo", "frame_0002.flo"])
  }

  @Test func namesOfFiles() throws {
    let place = try workplace(), unusual = "Übung 1 – 测试 #50% 'a'"
    expectSuccess(try predict(place, "A32_file_names/\(unusual)"))
    #expect(try place.names(in: "out/A32_file_names/\(unusual)").filter { $0.hasSuffix(".flo") } == ["bild ä 0001.flo", "bild ä 0002.flo"])
    for kind in ["png_right", "png_named_jpg", "upper_case"] { expectSuccess(try predict(place, "A32_file_names/\(kind)")) }
    for kind in ["png_named_jpg", "upper_case"] {
      expectEqualBytes(try flow(place, "A32_file_names/\(kind)"), try flow(place, "A32_file_names/png_right"), kind)
    }
    expectFailure(try predict(place, "A32_file_names/webp_named_png"), 65, "frame_0.png", "a WebP picture", "PNG, JPEG")
    expectFailure(try predict(place, "A32_file_names/bmp"), 66, "0 frames found among 2 files", ".png, .jpg", "a BMP picture")
  }

  // MARK: Truth

  @Test func unknownAndHugeVectors() throws {
    let place = try workplace()
    func evaluate(_ root: String) throws -> Outcome {
      try place.apus("evaluate", "small.yaml", "--json", "--weights", "\(Self.folder)/_shared/zero.safetensors",
                     "--set", "validation.root=\(Self.folder)/A05_unknown_and_nan/\(root)")
    }
    let pairs = try evaluate("pairs")
    #expect(pairs.exit == 0 && pairs.output.contains("\"epe\": 3.605551") && !pairs.output.contains("null"), "\(pairs.output) \(pairs.errors)")
    #expect(pairs.output.contains("\"pairs\": 2.0"), "\(pairs.output)")
    #expect(pairs.errors.contains("1 of 3 pairs"), "\(pairs.errors)")
    let large = try evaluate("large")
    #expect(large.exit == 0 && large.output.contains("\"epe\": 53.24499"), "\(large.output) \(large.errors)")
    let root = "\(Self.folder)/A05_unknown_and_nan/pairs"
    let trained = try place.apus("train", "small.yaml", "--work-dir", "run", "--steps", "4", "--set", "data.root=\(root)", "--set", "validation.root=\(root)")
    #expect(trained.exit == 0, "\(trained.errors)")
    #expect(!(try place.text("run/metrics.csv")).lowercased().contains("nan"))
  }

  // MARK: YAML

  /// What `config show` says of each file: a word in its output, or the beginning of its error.
  static let yaml: [(file: String, shown: String?, error: String?)] = [
    ("rate_1e-4", "learning_rate: 0.0001", nil), ("rate_2e-5", "learning_rate: 2.0e-05", nil), ("rate_1E-4", "learning_rate: 0.0001", nil),
    ("bom_crlf", "learning_rate: 0.0001", nil), ("no_newline_at_end", "learning_rate: 0.0001", nil),
    ("batch_octal", "batch_size: 10 ", nil), ("batch_underscore", "batch_size: 10 ", nil), ("anchor", "iterations: 2 ", nil),
    ("no", "freeze_batch_norm: false", nil), ("off", "freeze_batch_norm: false", nil), ("yes", "freeze_batch_norm: true", nil),
    ("rate_quoted", nil, "rate_quoted.yaml:6:"), ("rate_nan", nil, "rate_nan.yaml:6:"), ("rate_inf", nil, "rate_inf.yaml:6:"),
    ("rate_comma", nil, "rate_comma.yaml:6:"), ("rate_empty", nil, "rate_empty.yaml:6:"), ("comment_without_space", nil, "comment_without_space.yaml:6:"),
    ("wrong_case", nil, "wrong_case.yaml:2:18: 'model.variant'"), ("unknown", nil, "unknown.yaml:6:3: unknown key"),
    ("duplicate", nil, "duplicate.yaml:7:3: duplicate key"), ("duplicate_section", nil, "duplicate_section.yaml:7:1: duplicate key"),
    ("tab", nil, "tab.yaml:7:1: this is not valid YAML"), ("latin1", nil, "latin1.yaml:1:4: the byte fc is not UTF-8"),
    ("two_documents", nil, "two_documents.yaml:7:1: a second document begins here"), ("batch_float", nil, "batch_float.yaml:6:15:"),
    ("steps_1e5", nil, "steps_1e5.yaml:7:15:"), ("merge", nil, "merge.yaml:7:3: merging maps with '<<' is not supported"), ("null", nil, "null.yaml:6:11:"),
  ]

  /// A config there, with today's names in the same lines and columns.
  private static func modern(_ file: String) throws -> [UInt8] {
    let rates = ["rate", "bom", "no_newline", "latin1", "null"].contains { file.hasPrefix($0) }
    func replacing(_ bytes: [UInt8], _ old: String, _ new: String) -> [UInt8] {
      var result: [UInt8] = [], rest = bytes[...]
      while let range = rest.firstRange(of: Array(old.utf8)) {
        result += rest[..<range.lowerBound] + Array(new.utf8)
        rest = rest[range.upperBound...]
      }
      return result + rest
    }
    let bytes = try File.bytes(at: "\(folder)/A22_yaml/\(file).yaml")
    return replacing(replacing(bytes, "recipe:", "task:"), "learning:", rates ? "optimizer:" : "train:")
  }

  @Test(arguments: yaml.indices) func whatPeopleWriteIntoYAML(index: Int) throws {
    let (file, shown, error) = Self.yaml[index], place = try Workplace()
    try place.write("\(file).yaml", try Self.modern(file))
    let outcome = try place.apus("config", "show", "\(file).yaml")
    if let shown {
      #expect(outcome.exit == 0 && outcome.output.contains(shown), "\(outcome.output) \(outcome.errors)")
    } else if let error {
      expectFailure(outcome, 64, error)
    }
  }
}

enum FieldReports {
  static let folder = (Workplace.checkout as NSString).deletingLastPathComponent + "/shared/field"
  static var areThere: Bool { FileManager.default.fileExists(atPath: folder) }
}
