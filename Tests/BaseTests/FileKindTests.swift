import Base
import Testing
import TestSupport

/// One table tells what a file is that cannot be read.
@Suite struct FileKindTests {
  struct Case: Sendable {
    let start: [UInt8]
    let name: String
    let remedy: String

    init(_ start: [UInt8], _ name: String, _ remedy: String) { (self.start, self.name, self.remedy) = (start, name, remedy) }

    /// Characters up to U+00FF stand for bytes.
    init(_ start: String, _ name: String, _ remedy: String) { self.init(start.unicodeScalars.map { UInt8($0.value) }, name, remedy) }
  }

  private static let zip = "PK\u{3}\u{4}" + String(repeating: "\u{0}", count: 22)
  private static let bitmap = "BM6" + String(repeating: "\u{0}", count: 40)

  static let cases: [Case] = [
    Case("version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 2\n", "Git LFS pointer", "git lfs pull"),
    Case("\n <!DOCTYPE html><html>", "a web page", "download the file itself"), Case("<html lang=en>", "a web page", "browser"),
    Case("<?xml version='1.0'?><Error>AccessDenied", "XML", "error message"),
    Case(zip + "\u{8}\u{0}\u{0}\u{0}raft.pth", "a zip archive with 'raft.pth'", "unzip"),
    Case(zip + "\u{A}\u{0}\u{0}\u{0}a/data.pkl", "a file of torch.save", ""),
    Case("\u{80}\u{2}\u{8A}\u{A}", "a file of torch.save", "torch.save"), Case("\u{80}\u{4}\u{95}\u{0}", "a pickle of Python", "state_dict"),
    Case("8\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}{\"w\"", "a safetensors file", ""),
    Case("RIFF\u{0}\u{0}\u{0}\u{0}WEBPVP8 ", "a WebP picture", "PNG"), Case("GIF89a", "a GIF picture", "PNG"), Case(bitmap, "a BMP picture", "PNG"),
    Case("II*\u{0}\u{8}", "a TIFF picture", "PNG"), Case("MM\u{0}*", "a TIFF picture", "PNG"),
    Case("\u{0}\u{0}\u{0}\u{18}ftypheic", "a HEIC picture", "PNG"), Case("\u{0}\u{0}\u{0}\u{18}ftypavif", "an AVIF picture", "PNG"),
    Case("\u{0}\u{0}\u{0}\u{18}ftypisom", "an MP4 or MOV video", "ffmpeg"), Case("RIFF\u{0}\u{0}\u{0}\u{0}AVI LIST", "an AVI video", "ffmpeg"),
    Case("\u{1A}E\u{DF}\u{A3}", "a Matroska or WebM video", "ffmpeg"), Case("\u{1F}\u{8B}\u{8}", "packed with gzip", "gunzip"),
    Case(String(repeating: "\u{1}", count: 257) + "ustar", "a tar archive", "tar -xf"),
    Case([UInt8](repeating: 0, count: 100), "nothing but zeros", "in part"), Case("\u{93}NUMPY", "a NumPy array", ""),
    Case("\u{FF}\u{FE}a\u{0}", "text in UTF-16", "UTF-8"), Case([], "an empty file", "again"),
  ]

  @Test(arguments: cases.indices) func isTold(index: Int) throws {
    let wanted = Self.cases[index], kind = try #require(FileKind(of: wanted.start))
    #expect(kind.name.contains(wanted.name) && (wanted.remedy.isEmpty || kind.remedy.contains(wanted.remedy)), "\(kind)")
  }

  @Test func orNothingIsSaid() {
    for start in [Array("hello".utf8), [1, 2, 3], [0x42, 0x4D], [0, 0, 0]] as [[UInt8]] { #expect(FileKind(of: start) == nil) }
  }

  @Test func theMessageNamesKindBytesAndRemedy() {
    expectFailure(.badData, "a.png: this is a WebP picture (it begins with the bytes 52 49 46 46", "expected a PNG", "magick") {
      throw Failure.unrecognized(Array("RIFF".utf8) + [0, 0, 0, 0] + Array("WEBP".utf8), at: "a.png", expected: "a PNG")
    }
    expectFailure(.badData, "the file is empty, expected a PNG") { throw Failure.unrecognized([], at: "a.png", expected: "a PNG") }
    expectFailure(.badData, "the file begins with the bytes 01 02, expected a PNG") { throw Failure.unrecognized([1, 2], at: "a.png", expected: "a PNG") }
  }
}
