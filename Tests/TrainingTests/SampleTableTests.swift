import Base
import Testing
import Training

@Suite struct SampleTableTests {
  /// Pooled errors, a ratio for each class, and a number that one sample lacks.
  private static let table: SampleTable = {
    var table = SampleTable()
    table.add("a", [SampleScore("error", 1, weight: 10), SampleScore("iou", part: "road", 0.5, weight: 4), SampleScore("psnr", 30)])
    table.add("b, \"the other\"", [
      SampleScore("error", 4, weight: 5), SampleScore("iou", part: "road", 1, weight: 2), SampleScore("iou", part: "sky", 0.25, weight: 8),
    ])
    return table
  }()

  @Test func textsReadBackAsTheyWere() throws {
    let text = Self.table.csv
    #expect(text == """
      sample,error,error@weight,iou/road,iou/road@weight,psnr,iou/sky,iou/sky@weight
      a,1.0,10.0,0.5,4.0,30.0,,
      "b, ""the other""\",4.0,5.0,1.0,2.0,,0.25,8.0

      """)
    let read = try SampleTable(csv: text, at: "samples.csv")
    #expect(read.csv == text && read.names == ["a", "b, \"the other\""] && read.metrics == ["error", "iou", "psnr"])
  }

  @Test func metricsAreMeansByWeights() throws {
    #expect(Self.table.value(of: "error") == 2)
    #expect(Self.table.value(of: "iou") == ((0.5 * 4 + 2) / 6 + 0.25) / 2, "the mean over classes of pooled ratios")
    #expect(Self.table.value(of: "psnr") == 30, "of the samples that have it")
    #expect(Self.table.value(of: "epe") == nil)
  }

  @Test func metricsOfChoices() throws {
    let iou = try #require(Self.table["iou"])
    #expect(iou.value(counts: [2, 0]) == 0.5, "a class that no chosen sample holds is in no mean")
    #expect(iou.value(counts: [0, 3]) == (1 + 0.25) / 2)
    #expect(iou.value(counts: [0, 0]) == nil && iou.presentCount == 2)
    #expect(Self.table["psnr"]?.value(counts: [0, 2]) == nil && Self.table["psnr"]?.presentCount == 1)
  }

  @Test(arguments: [
    ("name,error\na,1\n", "samples.csv:1: the header does not begin with 'sample'"),
    ("sample,error\na,1,2\n", "samples.csv:2: 3 cells, expected 2"),
    ("sample,error\na,1\nb,x\n", "samples.csv:3: 'x' with the weight '1' is no number"),
    ("", "samples.csv:1: the header does not begin with 'sample'"),
  ])
  func otherTextsAreRefused(text: String, words: String) throws {
    let failure = #expect(throws: Failure.self) { try SampleTable(csv: text, at: "samples.csv") }
    #expect(failure?.kind == .badData && failure?.description.contains(words) == true, "\(String(describing: failure))")
  }
}
