import Base
import Data
import Drawing
import Training
import Vision

extension OpticalFlow: DataBrowseTask {
  public static func samples(_ stage: Stage<OpticalFlowConfig>) throws -> TrainingSamples<FlowSample> {
    let data = try FlowTraining.trainingSet(stage)
    return TrainingSamples(FlowTraining.order(of: data, stage.config), name: data.name) { index, random, seen in
      _ = try FlowTraining.element(of: data, stage.config, at: index, random: &random, seen: seen)
    }
  }

  /// Both frames and the flow in colours, each scaled by its own longest vector.
  public static func pictures(of view: FlowSample, _ config: OpticalFlowConfig) throws -> [SamplePicture] {
    let width = SamplePicture.width(of: view.image1)
    return [try .stacked("\(view.image1.width)x\(view.image1.height)", [
      ("first frame", ImageFigure(view.image1.fitted(width: width))), ("second frame", ImageFigure(view.image2.fitted(width: width))),
      ("flow", FlowColorWheel.figure(of: view.flow, width: width)),
    ])]
  }
}
