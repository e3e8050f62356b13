import Foundation
import Testing

/// `apus report` and `apus config diff` on what `apus train` leaves.
@Suite struct ReportTests {
  @Test func aTrainedRunIsReportedAndComparedWithAnother() throws {
    let place = try Workplace(plan: "steps: 4, log_every: 1, evaluate_every: 2, save_every: 2")
    try place.trainBriefly()
    let one = try place.apus("report", "run")
    #expect(one.exit == 0 && one.output.contains("completed") && one.output.contains("report: run/report.html"), "\(one.output)\(one.errors)")
    let page = try place.text("run/report.html")
    for word in ["</html>", "<svg", "data:image/", "step_0000000", "apus evaluate run/config.yaml --weights run"] {
      #expect(page.contains(word), "\(word)")
    }
    #expect(!page.contains("<script") && !page.contains("src=\"http"))

    expectSuccess(try place.apus("train", "config.yaml", "--work-dir", "other", "--set", "optimizer.learning_rate=0.0005"))
    let both = try place.apus("report", "run", "other", "--out", "both", "--log-scale")
    #expect(both.exit == 0 && both.output.contains("baseline") && both.output.contains("bars-"), "\(both.output)\(both.errors)")
    #expect(try place.text("both/report.html").contains("<code>optimizer.learning_rate</code>"))
    let first = try place.bytes("both/report.html")
    expectSuccess(try place.apus("report", "run", "other", "--out", "both", "--log-scale"))
    expectEqualBytes(try place.bytes("both/report.html"), first, "report.html")

    expectSuccess(try place.apus("report", "run", "--layout", "yolo", "--out", "yolo"))
    #expect(try place.names(in: "yolo") == ["args.yaml", "results.csv", "results.png", "weights"])
    #expect(place.exists("yolo/weights/best/model.safetensors") && place.exists("yolo/weights/last/model.safetensors"))

    let difference = try place.apus("config", "diff", "run", "other/checkpoints/step_00000004")
    #expect(difference.exit == 1 && difference.errors.isEmpty, "\(difference.errors)")
    #expect(difference.outputLines.count == 5 && difference.output.contains("@@ optimizer.learning_rate\n- ")
            && difference.output.contains("+ 0.0005  # other/checkpoints/step_00000004/config.yaml:"), "\(difference.output)")
  }

  @Test func configsAreComparedAsWhatTheyAre() throws {
    let place = try Workplace()
    // A default that is written out is no difference.
    try place.write("same.yaml", try place.text("config.yaml").replacing("data: {root: pairs}", with: "data: {root: pairs, limit: 0}"))
    let equal = try place.apus("config", "diff", "config.yaml", "same.yaml")
    #expect(equal.exit == 0 && equal.output.hasPrefix("no differences in "), "\(equal.output)\(equal.errors)")
    try place.write("other.yaml", "base: config.yaml\n")
    #expect(try place.apus("config", "diff", "config.yaml", "other.yaml").exit == 64, "a base has no base")
    try place.write("other.yaml", try place.text("config.yaml").replacing("steps: 4", with: "steps: 5"))
    let json = try place.apus("config", "diff", "config.yaml", "other.yaml", "--json")
    #expect(json.exit == 1)
    let object = try #require(try JSONSerialization.jsonObject(with: Foundation.Data(json.output.utf8)) as? [String: Any])
    let differences = try #require(object["differences"] as? [[String: Any]])
    #expect(differences.map { $0["key"] as? String } == ["plan.steps"])
    #expect((differences[0]["b"] as? [String: String]) == ["value": "5", "origin": "other.yaml:7"])
  }

  @Test(arguments: [
    MistakeTests.Mistake("config diff config.yaml nowhere", 66, "nowhere", "no such file or folder"),
    MistakeTests.Mistake("config diff logs config.yaml", 66, "logs", "no config.yaml", "RUN/checkpoints/step_"),
    MistakeTests.Mistake("config diff config.yaml", 64, "<b>"),
    MistakeTests.Mistake("report nowhere", 66, "nowhere", "no such folder"),
    MistakeTests.Mistake("report logs", 66, "logs", "no run folder"),
    MistakeTests.Mistake("report", 64, "<dir>"),
    MistakeTests.Mistake("report logs --layout words", 64, "words", "yolo"),
  ])
  func mistakesAreNamed(mistake: MistakeTests.Mistake) throws { try mistake.expectNamed(in: Workplace()) }
}
