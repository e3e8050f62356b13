import Base
import Vision

/// What the pixels of mask files mean. Section `masks` of a config.
public enum MaskPolarity: String, ConfigChoice {
  /// White is known, black is the hole: MAT's files.
  case whiteIsKnown = "white_is_known"
  /// White is the hole, black is known: files of most other projects.
  case whiteIsHole = "white_is_hole"

  /// In words, for messages.
  public var words: String { self == .whiteIsKnown ? "white is known, black is the hole" : "white is the hole, black is known" }
}

extension InpaintingMask {
  /// A mask with what was found in its file.
  public struct Reading: Sendable {
    public let mask: InpaintingMask
    /// The share of pixels, 0...1, that are neither black nor white: JPEG, soft borders, or something else than a mask.
    public let greyShare: Double
    /// The largest grey level.
    public let largest: UInt8
  }

  /// Grey levels from here on are white.
  public static let threshold: UInt8 = 128

  /// Reads a mask file: any picture; colours become grey by (299 red + 587 green + 114 blue) / 1000, opacity does not count, and levels of
  /// `threshold` and more are white.
  /// - Throws: `.missingInput`, `.badData` as reading pictures.
  public static func read(contentsOf path: String, _ polarity: MaskPolarity) throws -> Reading {
    let image = try Image(contentsOf: path)
    let (count, channels) = (image.height * image.width, image.channels)
    var known = [UInt8](repeating: 0, count: count)
    var greyCount = 0
    var largest: UInt8 = 0
    let white: UInt8 = polarity == .whiteIsKnown ? 1 : 0
    image.pixels.withUnsafeBufferPointer { pixels in
      for index in 0..<count {
        let at = channels * index
        let level = channels < 3 ? pixels[at] : luma(pixels[at], pixels[at + 1], pixels[at + 2])
        if level != 0, level != 255 { greyCount += 1 }
        largest = max(largest, level)
        known[index] = level >= threshold ? white : 1 - white
      }
    }
    let mask = InpaintingMask(height: image.height, width: image.width, known: known)
    return Reading(mask: mask, greyShare: Double(greyCount) / Double(max(1, count)), largest: largest)
  }

  private static func luma(_ red: UInt8, _ green: UInt8, _ blue: UInt8) -> UInt8 {
    let sum: Int = 299 * Int(red) + 587 * Int(green) + 114 * Int(blue)
    return UInt8((sum + 500) / 1000)
  }
}

extension InpaintingMask.Reading {
  /// What a user should know about the mask; empty if it is a plain one.
  public var remarks: [String] {
    var remarks: [String] = []
    if greyShare > 0 {
      let share = String(percent: greyShare)
      remarks.append("\(share) of the pixels are neither black nor white; levels of \(InpaintingMask.threshold) and more count as white"
        + (largest > 0 && largest < InpaintingMask.threshold ? " (the largest is \(largest): multiply them to 255)" : ""))
    }
    let holes = mask.holeCount
    if holes == 0 { remarks.append("the mask has no hole: nothing is to be filled") }
    if holes == mask.known.count { remarks.append("the mask has no known pixel: everything is made up") }
    return remarks
  }
}

extension String {
  /// A share of 0...1 in per cent with one digit, or as much as is needed to tell it from 0.
  package init(percent share: Double) {
    let tenths = (share * 1000).rounded()
    self = share > 0 && tenths == 0 ? "less than 0.1 %" : "\(Int(tenths) / 10).\(Int(tenths) % 10) %"
  }
}
