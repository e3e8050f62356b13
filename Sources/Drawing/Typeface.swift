import Base
import CCairo

/// The font of all pictures, DejaVu Sans, as fontconfig finds it; and the measures of texts set in it.
///
/// Where DejaVu Sans is not installed, the font that the system puts in its place serves, and where there is none at all, Cairo's own
/// strokes, which know ASCII alone: `problem` says so. Characters that the font lacks are replaced, never drawn as empty boxes.
///
/// A typeface is made for each picture and belongs to one thread.
public final class Typeface {
  public static let preferredFamily = "DejaVu Sans"

  /// The family that is really used.
  public let family: String
  /// Why texts look different from what they should; nil with DejaVu Sans.
  public let problem: String?
  private let regular: OpaquePointer
  private let bold: OpaquePointer

  /// - Parameter wanted: the family to look for; an empty name stands for a system without fonts.
  public init(_ wanted: String = Typeface.preferredFamily) {
    let remedy = "install the package fonts-dejavu-core"
    if let regular = Self.match(wanted, FC_WEIGHT_REGULAR), let bold = Self.match(wanted, FC_WEIGHT_BOLD) {
      self.regular = regular.face
      self.bold = bold.face
      family = regular.family
      problem = family == wanted ? nil : "the font \(wanted) is not installed, pictures are labelled in \(family); \(remedy)"
    } else {
      family = "@cairo:"
      regular = cairo_toy_font_face_create(family, CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL)
      bold = cairo_toy_font_face_create(family, CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_BOLD)
      problem = "no font is installed, pictures are labelled in strokes; \(remedy)"
    }
  }

  deinit {
    cairo_font_face_destroy(regular)
    cairo_font_face_destroy(bold)
  }

  /// A warning for the user if texts of pictures are not set in DejaVu Sans; nil if they are.
  public static var problem: String? { Typeface().problem }

  /// Cairo's version and the font, on one line, for reports about an installation.
  public static var report: String {
    let typeface = Typeface()
    return "Cairo \(String(cString: cairo_version_string())), \(typeface.problem ?? typeface.family)"
  }

  /// The outline font that fontconfig gives for a family; nil if there is none.
  private static func match(_ wanted: String, _ weight: Int32) -> (face: OpaquePointer, family: String)? {
    guard !wanted.isEmpty, let pattern = FcPatternCreate() else { return nil }
    defer { FcPatternDestroy(pattern) }
    FcPatternAddString(pattern, FC_FAMILY, wanted)
    FcPatternAddInteger(pattern, FC_WEIGHT, weight)
    FcPatternAddBool(pattern, FC_OUTLINE, 1)
    FcConfigSubstitute(nil, pattern, FcMatchPattern)
    FcDefaultSubstitute(pattern)
    var outcome = FcResultNoMatch
    guard let found = FcFontMatch(nil, pattern, &outcome) else { return nil }
    defer { FcPatternDestroy(found) }
    var name: UnsafeMutablePointer<FcChar8>?
    guard FcPatternGetString(found, FC_FAMILY, 0, &name) == FcResultMatch, let name,
          let face = cairo_ft_font_face_create_for_pattern(found) else { return nil }
    return (face, String(cString: name))
  }

  /// Options that make texts alike at every size: grey edges, and measures that do not depend on the pixel grid.
  static func withOptions<Result>(_ body: (OpaquePointer?) -> Result) -> Result {
    let options = cairo_font_options_create()
    defer { cairo_font_options_destroy(options) }
    cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY)
    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_SLIGHT)
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF)
    return body(options)
  }

  func face(_ weight: TextStyle.Weight) -> OpaquePointer { weight == .bold ? bold : regular }

  private func withScaledFont<Result>(_ style: TextStyle, _ body: (OpaquePointer) -> Result?) -> Result? {
    Self.withOptions { options in
      var size = cairo_matrix_t()
      var identity = cairo_matrix_t()
      cairo_matrix_init_scale(&size, style.size, style.size)
      cairo_matrix_init_identity(&identity)
      guard let font = cairo_scaled_font_create(face(style.weight), &size, &identity, options) else { return nil }
      defer { cairo_scaled_font_destroy(font) }
      return body(font)
    }
  }

  /// The width of one line of text in pixels.
  public func width(of text: String, _ style: TextStyle = .body) -> Double {
    withScaledFont(style) { font in
      var extents = cairo_text_extents_t()
      cairo_scaled_font_text_extents(font, printable(text), &extents)
      return extents.x_advance
    } ?? 0
  }

  /// The text if it is no wider than `limit` pixels, else its beginning and an ellipsis.
  public func fitted(_ text: String, _ style: TextStyle = .body, width limit: Double) -> String {
    guard width(of: text, style) > limit else { return text }
    var shortest = 0
    var tooLong = text.count
    while tooLong - shortest > 1 {
      let middle = (shortest + tooLong) / 2
      if width(of: Self.shortened(text, to: middle), style) <= limit { shortest = middle } else { tooLong = middle }
    }
    return shortest == 0 ? "" : Self.shortened(text, to: shortest)
  }

  private static func shortened(_ text: String, to count: Int) -> String {
    var start = text.prefix(count)
    while start.last == " " { start.removeLast() }
    return start + "…"
  }

  /// The text in characters that the font has: others become ASCII where we know some that mean the same, else question marks; control
  /// characters become spaces, and marks without an outline go.
  func printable(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: { !(32..<127).contains($0.value) }) else { return text }
    return String(String.UnicodeScalarView(text.unicodeScalars.flatMap { scalar -> [Unicode.Scalar] in
      if scalar.properties.generalCategory == .control { return [" "] }
      if scalar.properties.generalCategory == .format { return [] }  // invisible; some turn the direction of what follows
      if (32..<127).contains(scalar.value) || has(scalar) { return [scalar] }
      return Array((Self.alternatives[scalar] ?? "?").unicodeScalars)
    }))
  }

  private static let alternatives: [Unicode.Scalar: String] = [
    "…": "...", "−": "-", "–": "-", "×": "x", "·": ".", "±": "+-", "↓": "", "↑": "", "µ": "u",
  ]

  /// Whether the font draws the character: glyph 0 is the empty box.
  private func has(_ scalar: Unicode.Scalar) -> Bool {
    guard family != "@cairo:" else { return false }
    return withScaledFont(.body) { font in
      var glyphs: UnsafeMutablePointer<cairo_glyph_t>?
      var count: Int32 = 0
      defer { cairo_glyph_free(glyphs) }
      let status = cairo_scaled_font_text_to_glyphs(font, 0, 0, String(scalar), -1, &glyphs, &count, nil, nil, nil)
      return status == CAIRO_STATUS_SUCCESS && count > 0 && glyphs?.pointee.index != 0
    } ?? false
  }
}
