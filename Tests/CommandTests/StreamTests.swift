import Foundation
import Testing

/// Standard streams that are closed, full, or go away.
@Suite struct StreamTests {
  @Test(arguments: ["--help", "--version", "inspect config.yaml --names", "config show config.yaml", "config check config.yaml"])
  func outputThatCannotBeWrittenIsAFailure(line: String) throws {
    let place = try Workplace()
    expectFailure(try place.shell("\"$APUS\" \(line) > /dev/full"), 74, "standard output: cannot be written: No space left on device")
  }

  @Test func aReaderThatGoesAwayEndsQuietly() throws {
    let place = try Workplace()
    let first = "\"$APUS\" inspect config.yaml --names | head -1; echo \"${PIPESTATUS[0]}\""
    let outcome = try place.shell("\(first); \"$APUS\" train --help | true")
    #expect(outcome.output == "fnet.conv1.weight [32, 3, 7, 7]\n0\n", "\(outcome.output)")
    #expect(outcome.errors.isEmpty, "\(outcome.errors)")
  }

  /// Its messages land nowhere, and above all in no file of ours.
  @Test(arguments: ["2>&-", "1>&- 2>&-", "0<&- 1>&- 2>&-"]) func closedStreamsStayClosed(redirection: String) throws {
    let place = try Workplace()
    try place.generatePairs()
    let outcome = try place.shell("\"$APUS\" train config.yaml --work-dir run --progress plain \(redirection)")
    #expect(outcome.exit == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
    let lines = try place.text("run/metrics.jsonl").split(separator: "\n")
    for line in lines { #expect(line.hasPrefix("{") && line.hasSuffix("}"), "\(line)") }
    #expect(try place.text("run/metrics.csv").split(separator: "\n").count == 6)
    #expect(try place.text("run/run.json").contains("\"completed\""))
  }

  @Test func trainingGoesOnWithoutItsTerminal() throws {
    let place = try Workplace()
    try place.generatePairs()
    let outcome = try place.shell("(\"$APUS\" train config.yaml --work-dir run --progress plain; echo $? > code) 2>&1 | head -1")
    #expect(outcome.exit == 0)
    #expect(try place.text("code") == "0\n" && place.text("run/run.json").contains("\"completed\""))
  }

  @Test(arguments: ["", "TERM=dumb "]) func noBarIsDrawnIntoAFile(variables: String) throws {
    let place = try Workplace()
    try place.generatePairs()
    let outcome = try place.shell("\(variables)\"$APUS\" train config.yaml --work-dir run --progress bar")
    #expect(outcome.exit == 0 && !outcome.errors.contains("\u{1B}") && !outcome.errors.contains("\r"), "\(outcome.errors.debugDescription)")
    #expect(outcome.errors.contains("Iter(train) [4/4]"))
  }

  @Test func aRunThatContinuesTakesNoOtherWeights() throws {
    let place = try Workplace()
    try place.trainBriefly()
    let outcome = try place.apus("train", "config.yaml", "--resume", "run", "--load-from", "run/checkpoints/step_00000002", "--steps", "6")
    expectFailure(outcome, 64, "--load-from run/checkpoints/step_00000002: a run that continues has weights already")
    let files = try place.names(in: "run/checkpoints")
    #expect(files == ["step_00000002", "step_00000004"])
  }

  @Test func aProfileThatIsTooLongLeavesNothing() throws {
    let place = try Workplace()
    try place.generatePairs()
    let outcome = try place.apus("train", "config.yaml", "--work-dir", "run", "--profile", "2", "--steps", "1")
    expectFailure(outcome, 64, "--profile: 2 steps and 3")
    #expect(!place.exists("run"))
  }
}
