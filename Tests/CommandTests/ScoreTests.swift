import Data
import Foundation
import Tensors
import Testing
import TestSupport
import Vision
import WeightFiles

/// `apus score`: metrics of given pictures and features.
@Suite struct ScoreTests {
  private static func json(_ outcome: Outcome) throws -> [String: Double] {
    try #require(try JSONSerialization.jsonObject(with: Foundation.Data(outcome.output.utf8)) as? [String: Double], "\(outcome.output)\(outcome.errors)")
  }

  private static func names(_ item: String, _ key: String) throws -> [String] {
    let text = try #require(try Fixture("inpainting_metrics").file.metadata[item])
    let values = try #require(try JSONSerialization.jsonObject(with: Foundation.Data(text.utf8)) as? [String: Any])
    return try #require(values[key] as? [String])
  }

  @Test(arguments: ["many", "few", "uneven"]) func featuresAreScored(item: String) throws {
    let place = try Workplace()
    let fixture = try Fixture("inpainting_metrics")
    for (name, key) in [("real", "names"), ("found", "found_names")] {
      try NumPyFile.write(fixture.tensor("\(item)/\(name)"), to: place.path("\(name).npy"))
      try place.write("\(name).txt", try Self.names(item, key).joined(separator: "\n"))
    }
    let numbers = try Self.json(place.apus("score", "real.npy", "found.npy", "--json"))
    let expected = try fixture.settings(item)
    for (metric, key, factor) in [("FID", "fid", 1.0), ("U-IDS", "u_ids", 100), ("P-IDS", "p_ids", 100), ("precision", "precision", 100)] {
      guard expected.has(key) else {
        #expect(numbers[metric] == nil)
        continue
      }
      #expect(try abs(#require(numbers[metric]) - factor * expected.double(key)) < 1e-4, "\(item): \(metric)")
    }
    let table = try place.apus("score", "real.npy", "found.npy")
    expectSuccess(table)
    #expect(table.output.contains("feature vectors of") && table.output.contains("FID"))
  }

  @Test func picturesAreScored() throws {
    let place = try Workplace()
    let fixture = try Fixture("inpainting_metrics")
    let items = ["noisy", "smallest", "slight"]
    var expected = (psnr: 0.0, ssim: 0.0, l1: 0.0)
    for item in items {
      let settings = try fixture.settings("\(item)_pictures")
      let size = try settings.ints("size")
      for (folder, name) in [("real", "first"), ("found", "second")] {
        let pixels = try fixture.bytes("\(item)_pictures/\(name)")
        try Image(height: size[0], width: size[1], channels: size[2], pixels: pixels).write(to: place.path("\(folder)-\(item).png"))
        try FileManager.default.createDirectory(atPath: place.path(folder), withIntermediateDirectories: true)
        try FileManager.default.moveItem(atPath: place.path("\(folder)-\(item).png"), toPath: place.path("\(folder)/\(item).png"))
      }
      expected.psnr += try settings.double("psnr") / 3
      expected.ssim += try settings.double("ssim") / 3
      expected.l1 += try settings.double("l1") / 3
    }
    let numbers = try Self.json(place.apus("score", "real", "found", "--json"))
    for (metric, value) in [("PSNR", expected.psnr), ("SSIM", expected.ssim), ("L1", expected.l1)] {
      #expect(try abs(#require(numbers[metric]) - value) < 1e-6, "\(metric)")
    }
    expectFailure(try place.apus("score", "real", "found", "--lpips", "nix.pth"), 66, "nix.pth", "It is not downloaded")
    try FileManager.default.removeItem(atPath: place.path("found/slight.png"))
    expectFailure(try place.apus("score", "real", "found"), 65, "no counterpart by name: slight")
    try Image(height: 5, width: 6, channels: 3).write(to: place.path("found/slight.png"))
    expectFailure(try place.apus("score", "real", "found"), 65, "6x5 pixels, but real/slight.png has 64x57")
  }

  @Test func mistakesAreNamed() throws {
    let place = try Workplace()
    try NumPyFile.write(.ones([3, 2]), to: place.path("a.npy"))
    try NumPyFile.write(.ones([3, 4]), to: place.path("b.npy"))
    try place.write("c.npy", "hello")
    expectFailure(try place.apus("score", "a.npy", "b.npy"), 65, "vectors of 2 and of 4 numbers")
    expectFailure(try place.apus("score", "a.npy", "pictures"), 64, "pictures with pictures")
    expectFailure(try place.apus("score", "a.npy", "c.npy"), 65, "c.npy", "NumPy")
    expectFailure(try place.apus("score", "a.npy", "d.npy"), 66, "d.npy")
    expectFailure(try place.apus("score", "a.npy", "a.npy", "--lpips-heads", "x.pth"), 64, "--lpips-heads goes with --lpips")
    expectFailure(try place.apus("score", "a.npy", "a.npy", "--save-features", "x"), 64, "--save-features needs a network")
  }
}
