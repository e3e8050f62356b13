import Base
import Testing
import TestSupport

/// One table tells what a file is that cannot be read.
@Suite struct FileKindTests {
  static let cases: [(start: [UInt8], name: String, remedy: String)] = [
    (Array("version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 2\n".utf8), "Git LFS pointer", "git lfs pull"),
    (Array("\n <!DOCTYPE html><html>".utf8), "a web page", "download the file itself"), (Array("<html lang=en>".utf8), "a web page", "browser"),
    (Array("<?xml version='1.0'?><Error>AccessDenied".utf8), "XML", "error message"),
    ([0x50, 0x4B, 3, 4] + [UInt8](repeating: 0, count: 22) + [8, 0, 0, 0] + Array("raft.pth".utf8), "a zip archive with 'raft.pth'", "unzip"),
    ([0x50, 0x4B, 3, 4] + [UInt8](repeating: 0, count: 22) + [10, 0, 0, 0] + Array("a/data.pkl".utf8), "a file of torch.save", "torch.save"),
    ([0x80, 2, 0x8A, 10], "a file of torch.save", "torch.save"), ([0x80, 4, 0x95, 0], "a pickle of Python", "state_dict"),
    ([0x38, 0, 0, 0, 0, 0, 0, 0] + Array("{\"w\"".utf8), "a safetensors file", ""),
    (Array("RIFF".utf8) + [0, 0, 0, 0] + Array("WEBPVP8 ".utf8), "a WebP picture", "PNG"), (Array("GIF89a".utf8), "a GIF picture", "PNG"),
    (Array("BM".utf8) + [0x36, 0, 0, 0, 0, 0, 0, 0, 0x36] + [UInt8](repeating: 0, count: 20), "a BMP picture", "PNG"),
    ([0x49, 0x49, 0x2A, 0, 8], "a TIFF picture", "PNG"), ([0x4D, 0x4D, 0, 0x2A], "a TIFF picture", "PNG"),
    ([0, 0, 0, 0x18] + Array("ftypheic".utf8), "a HEIC picture", "PNG"), ([0, 0, 0, 0x18] + Array("ftypavif".utf8), "an AVIF picture", "PNG"),
    ([0, 0, 0, 0x18] + Array("ftypisom".utf8), "an MP4 or MOV video", "ffmpeg"), (Array("RIFF".utf8) + [0, 0, 0, 0] + Array("AVI LIST".utf8), "an AVI video", "ffmpeg"),
    ([0x1A, 0x45, 0xDF, 0xA3], "a Matroska or WebM video", "ffmpeg"), ([0x1F, 0x8B, 8], "packed with gzip", "gunzip"),
    ([UInt8](repeating: 1, count: 257) + Array("ustar".utf8), "a tar archive", "tar -xf"), ([UInt8](repeating: 0, count: 100), "nothing but zeros", "in part"),
    ([0x93] + Array("NUMPY".utf8), "a NumPy array", ""), ([0xFF, 0xFE, 0x61, 0], "text in UTF-16", "UTF-8"), ([], "an empty file", "again"),
  ]

  @Test(arguments: cases.indices) func isTold(index: Int) throws {
    let (start, name, remedy) = Self.cases[index]
    let kind = try #require(FileKind(of: start))
    #expect(kind.name.contains(name) && kind.remedy.contains(remedy), "\(kind)")
  }

  @Test func orNothingIsSaid() {
    for start in [[UInt8]("hello".utf8), [1, 2, 3], [0x42, 0x4D], [0, 0, 0]] { #expect(FileKind(of: start) == nil) }
  }

  @Test func theMessageNamesKindBytesAndRemedy() {
    expectFailure(.badData, "a.png: this is a WebP picture (it begins with the bytes 52 49 46 46", "expected a PNG", "magick") {
      throw Failure.unrecognized(Array("RIFF".utf8) + [0, 0, 0, 0] + Array("WEBP".utf8), at: "a.png", expected: "a PNG")
    }
    expectFailure(.badData, "the file is empty, expected a PNG") { throw Failure.unrecognized([], at: "a.png", expected: "a PNG") }
    expectFailure(.badData, "the file begins with the bytes 01 02, expected a PNG") { throw Failure.unrecognized([1, 2], at: "a.png", expected: "a PNG") }
  }
}
