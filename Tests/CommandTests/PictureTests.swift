import Base
import Data
import Foundation
import Testing
import Vision

/// The pictures of commands, and systems that lack the font.
@Suite struct PictureTests {
  @Test func curvesComeInBothFormsAndAMissingFontIsSaidOnce() throws {
    let place = try Workplace()
    try place.trainBriefly()
    let curves = try Image(contentsOf: place.path("run/curves.png"))
    #expect(curves.width >= 400 && curves.channels == 3)
    let vectors = try place.text("run/curves.svg")
    #expect(vectors.hasPrefix("<?xml") && vectors.contains(">minutes of training</text>"))

    let arguments = ["evaluate", "config.yaml", "--weights", "run", "--save-visuals"]
    let usual = try place.apus(arguments + ["pictures"])
    expectSuccess(usual)
    #expect(!usual.errors.contains("font"), "\(usual.errors)")
    // A fontconfig that knows no folder of fonts.
    try place.write("none.conf", "<?xml version=\"1.0\"?><fontconfig></fontconfig>\n")
    let environment = ["FONTCONFIG_FILE": place.path("none.conf")]
    let bare = try Command(arguments + ["bare"], in: place.folder, logs: place.path("logs/bare"), environment: environment).wait()
    #expect(bare.exit == 0, "\(bare.errors)")
    let warnings = bare.errors.split(separator: "\n").filter { $0.contains("fonts-dejavu-core") }
    #expect(warnings.count == 1, "\(bare.errors)")
    let names = try place.names(in: "bare")
    #expect(try !names.isEmpty && names == place.names(in: "pictures"))
    for name in names { #expect(try Image(contentsOf: place.path("bare/\(name)")).width > 200) }
  }
}
