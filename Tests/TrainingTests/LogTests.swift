import Base
import Foundation
import Synchronization
import Testing
import Training

private func hex(_ text: String) -> [UInt8] { text.split(separator: " ").compactMap { UInt8($0, radix: 16) } }

@Suite struct EventFileTests {
  @Test func checksums() {
    #expect(CRC32C.of(Array("123456789".utf8)) == 0xE306_9283)
    // RFC 3720, B.4: 32 bytes of zeros, of ones, ascending, descending.
    #expect(CRC32C.of(Array(repeating: 0, count: 32)) == 0x8A91_36AA)
    #expect(CRC32C.of(Array(repeating: 0xFF, count: 32)) == 0x62A8_AB43)
    #expect(CRC32C.of(Array(0..<32)) == 0x46DD_794E)
    #expect(CRC32C.of((0..<32).reversed()) == 0x113F_DB5C)
    #expect(CRC32C.of([]) == 0)
  }

  @Test func checksumInPartsEqualsTheWhole() {
    let bytes = (0..<100).map { UInt8(truncatingIfNeeded: $0 &* 37) }
    for cut in 0...100 {
      var checksum = CRC32C()
      bytes[..<cut].withUnsafeBytes { checksum.update($0) }
      bytes[cut...].withUnsafeBytes { checksum.update($0) }
      #expect(checksum.value == CRC32C.of(bytes))
    }
  }

  /// Golden vectors, computed from the format's description.
  @Test func records() {
    #expect(EventRecord.version(wall: 1) == hex("""
      18 00 00 00 00 00 00 00 a3 7f 4b 22 09 00 00 00 00 00 00 f0 3f 1a 0d 62 72 61 69 6e 2e 45 76 65 6e 74 3a 32 86 bf 57 7a
      """))
    #expect(EventRecord.scalar("loss", 0.5, wall: 1, step: 7) == hex("""
      1a 00 00 00 00 00 00 00 12 9b d8 2d 09 00 00 00 00 00 00 f0 3f 10 07 2a 0d 0a 0b 0a 04 6c 6f 73 73 15 00 00 00 3f 86 2c 9a 2f
      """))
    #expect(EventRecord.sessionStart(wall: 1, step: 7) == hex("""
      0f 00 00 00 00 00 00 00 6d 53 2b 09 09 00 00 00 00 00 00 f0 3f 10 07 3a 02 08 01 c1 c3 dd cf
      """))
  }

  @Test func pictures() throws {
    let png = hex("89 50 4e 47 0d 0a 1a 0a 00 00 00 0d 49 48 44 52 00 00 01 2c 00 00 00 02 08 06 00 00 00 00 00 00 00")
    let record = try #require(EventRecord.image("val/flow", png: png, wall: 1, step: 7))
    // image { height 2, width 300 (two bytes of varint), colourspace 4 (RGBA), encoded string of 33 bytes }
    let image = hex("22 2a 08 02 10 ac 02 18 04 22 21") + png
    #expect(record[12...].split(separator: Array("val/flow".utf8)).last?.prefix(image.count) == image[...])
    #expect(EventRecord.image("x", png: [1, 2, 3], wall: 1, step: 7) == nil)
  }
}

@Suite struct MetricEventTests {
  @Test func jsonKeepsOrderAndDigits() {
    let event = MetricEvent(split: "train", step: 3, epoch: 0, values: ["lr": 1e-4, "loss": 0.1 + 0.2, "epe": .nan],
                            clock: ["wall": 1.5, "time": .infinity])
    #expect(event.json == #"{"split":"train","step":3,"epoch":0,"lr":0.0001,"loss":0.30000000000000004,"epe":null,"wall":1.5,"time":null}"#)
  }
}

/// What was written, from any thread.
final class Lines: Sendable {
  /// A clock that is set by hand.
  final class Clock: Sendable {
    private let seconds = Mutex(0.0)
    var now: Double {
      get { seconds.withLock { $0 } }
      set { seconds.withLock { $0 = newValue } }
    }
  }

  private let text = Mutex("")

  func write(_ more: String) { text.withLock { $0 += more } }

  /// The text so far, which is forgotten.
  func take() -> String {
    text.withLock { text in
      defer { text = "" }
      return text
    }
  }
}

/// A terminal that remembers what was written.
private final class Screen {
  var text = ""
  var now = 0.0
}

@Suite struct ConsoleTests {
  let status = TrainingStatus(step: 1200, steps: 50000, learningRate: 1e-4, metrics: ["loss": 3.21456, "epe": 1.2], time: 0.41,
                              dataTime: 0.02, samplesPerSecond: 12.34)

  @Test func plainLine() {
    // (50000 - 1200) · 0.41 s = 20008 s
    #expect(status.line == "Iter(train) [1200/50000] lr: 1.0e-04 eta: 5:33:28 time: 0.41 data_time: 0.0200 loss: 3.2146 epe: 1.2000")
  }

  @Test func durations() {
    #expect([0, 59.6, 3600, 86_399, 86_400, 200_000, .infinity].map(StatusText.duration)
            == ["0:00:00", "0:01:00", "1:00:00", "23:59:59", "1 day, 0:00:00", "2 days, 7:33:20", "?"])
  }

  @Test(arguments: 0...140) func theBarNeverWraps(width: Int) {
    #expect(status.bar(width: width, colour: false, symbols: .ascii).count <= width)
  }

  @Test func barContents() {
    let bar = status.bar(width: 200, colour: false, symbols: .ascii)
    #expect(bar == "train 1200/50000 " + String(repeating: "-", count: 30) + " 2% eta 5:33:28 loss 3.2146 epe 1.2000 lr 1.0e-04 12.3 samples/s")
    let narrow = status.bar(width: 60, colour: false, symbols: .ascii)
    #expect(narrow.contains("eta 5:33:28 loss 3.2146") && !narrow.contains("samples"))
    #expect(status.bar(width: 80, colour: true, symbols: .unicode).contains("\u{1B}[32m"))
  }

  @Test func countsTellWhenTheyEnd() {
    var count = CountStatus("predicting")
    func line(_ done: Int, _ time: Double, width: Int = 200) -> String {
      count.line(done, of: 40, time: time, width: width, colour: false, symbols: .ascii)
    }
    // Ten were there already; two more took four seconds, so the other 28 take 56.
    #expect(line(10, 100) == "predicting 10/40 " + String(repeating: "#", count: 7) + String(repeating: "-", count: 23) + " 25%")
    #expect(line(12, 104) == "predicting 12/40 " + String(repeating: "#", count: 9) + String(repeating: "-", count: 21) + " 30% eta 0:00:56")
    #expect(line(40, 160).hasSuffix(" 100% eta 0:00:00"))
    for width in 0...60 { #expect(line(20, 120, width: width).count <= width) }
  }

  /// The seconds at which a plain line came, of a count that goes up by one each `pace` seconds.
  private func plainLines(of total: Int, pace: Double) -> [Double] {
    var count = CountStatus("predicting")
    return (0...total).compactMap { done in count.plainLine(done, of: total, time: pace * Double(done)) == nil ? nil : pace * Double(done) }
  }

  @Test func plainLinesComeNowAndThen() {
    var count = CountStatus("predicting")
    #expect(count.plainLine(10, of: 40, time: 100) == nil && count.plainLine(12, of: 40, time: 104) == nil)
    #expect(count.plainLine(18, of: 40, time: 116) == "predicting 18/40 45% eta 0:00:44")
    #expect(plainLines(of: 40, pace: 0.2).isEmpty, "what is done in eight seconds needs none")
    #expect(plainLines(of: 40, pace: 1) == [10, 20, 30])
    #expect(plainLines(of: 40, pace: 5) == [20, 40, 60, 80, 100, 120, 140, 160, 180], "each tenth")
    #expect(plainLines(of: 100, pace: 20).prefix(4) == [60, 120, 180, 240], "each minute at the latest")
    #expect(plainLines(of: 1, pace: 100).isEmpty && plainLines(of: 0, pace: 100).isEmpty)
  }

  @Test func countsAreDrawnOrToldInLines() {
    let screen = Lines()
    let clock = Lines.Clock()
    func terminal(_ isTerminal: Bool) -> @Sendable () -> Console.Terminal {
      { .init(isTerminal: isTerminal, hasColour: false, isUnicode: false, width: { 60 }, write: { screen.write($0) }) }
    }
    for isTerminal in [true, false] {
      let line = CountLine("evaluating", terminal: terminal(isTerminal), time: TimeSource(wall: { 0 }, steady: { clock.now }))
      for done in 0...4 {
        line.show(done, of: 4)
        clock.now += 15
      }
      line.finish()
      let text = screen.take()
      if isTerminal {
        #expect(text.contains("\r\u{1B}[Kevaluating 3/4 #") && text.hasSuffix("\r\u{1B}[K"))
      } else {
        #expect(text == "evaluating 1/4 25% eta 0:00:45\nevaluating 2/4 50% eta 0:00:30\nevaluating 3/4 75% eta 0:00:15\n")
      }
    }
  }

  private func console(_ mode: ProgressMode, isTerminal: Bool, _ screen: Screen, width: Int = 100, colour: Bool = false) -> Console {
    let terminal = Console.Terminal(isTerminal: isTerminal, hasColour: colour, isUnicode: false, width: { width }, write: { screen.text += $0 })
    return Console(mode, terminal: terminal, time: TimeSource(wall: { 0 }, steady: { 0 }))
  }

  @Test func autoDrawsOnlyOnTerminals() {
    let screen = Screen()
    let plain = console(.auto, isTerminal: false, screen)
    plain.show(status, isLogStep: false)
    #expect(screen.text.isEmpty)
    plain.show(status, isLogStep: true)
    plain.activity("evaluating")
    plain.finish()
    #expect(screen.text == status.line + "\n")
    screen.text = ""
    let bar = console(.auto, isTerminal: true, screen)
    bar.show(status, isLogStep: false)
    bar.show(status, isLogStep: false)  // at the same moment: not drawn again
    bar.note("hello")
    #expect(screen.text == "\r\u{1B}[K" + status.bar(width: 99, colour: false, symbols: .ascii) + "\r\u{1B}[Khello\n")
  }

  @Test func noneShowsWarningsOnlyButRecordsAll() throws {
    let folder = try TemporaryFolder()
    let screen = Screen()
    let console = console(.none, isTerminal: false, screen)
    try console.record(to: "\(folder.path)/train.log")
    console.note("a note")
    console.show(status, isLogStep: true)
    console.warning("look")
    #expect(screen.text == "warning: look\n")
    let stamp = "19700101T000000Z "
    #expect(try folder.text("train.log") == "\(stamp)a note\n\(stamp)\(status.line)\n\(stamp)warning: look\n")
  }
}
