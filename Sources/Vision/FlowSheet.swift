import Foundation

/// One validation sample on one sheet: what the network saw, what it should have said, what it said, and where it was wrong.
public struct FlowSheet: Sendable {
  public var image1: Image
  public var image2: Image
  public var truth: FlowField
  public var predicted: FlowField
  /// A line above the sheet: the sample's name, the step of the training.
  public var title: String

  public init(image1: Image, image2: Image, truth: FlowField, predicted: FlowField, title: String = "") {
    self.image1 = image1
    self.image2 = image2
    self.truth = truth
    self.predicted = predicted
    self.title = title
  }

  /// Six tiles: image 1, image 2 warped back by the predicted flow (to be compared with it), image 2; true flow, predicted flow, error map.
  ///
  /// Both flows share one colour scale, the true flow's longest vector, so that their colours can be compared.
  public func image() -> Image {
    var score = EndPointError()
    score.add(predicted: predicted, truth: truth)
    let limit = max(1, truth.largestMagnitude)
    let numbers = String(format: "EPE %.2f px, below 1 px %.0f%%", score.mean, 100 * score.fractionBelow1)
    let tiles = [
      Image.Tile("image 1", image1), Image.Tile("image 2 warped back (grey: outside)", image2.warped(by: predicted)),
      Image.Tile("image 2", image2),
      Image.Tile("true flow", FlowWheel.annotatedImage(of: truth, maximum: limit)),
      Image.Tile(String(format: "predicted flow, max %.1f px", predicted.largestMagnitude),
                 FlowWheel.annotatedImage(of: predicted, maximum: limit)),
      Image.Tile("error: " + numbers, ErrorMap.annotatedImage(predicted: predicted, truth: truth)),
    ]
    let grid = Image.grid(tiles, columns: 3)
    guard !title.isEmpty else { return grid }
    var sheet = Image(height: grid.height + 26, width: max(grid.width, BitmapFont.width(of: title, scale: 2) + 12), color: .white)
    sheet.write(title, top: 5, left: 6, .black, scale: 2)
    sheet.blit(grid, top: 26, left: 0)
    return sheet
  }
}
