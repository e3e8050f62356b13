import Base
import Networks
import WeightFiles

extension MATGenerator: PublishedModel {
  /// CelebA-HQ, FFHQ and Places at 512 pixels share one network; CelebA-HQ at 256 has another.
  public static let published = [512, 256].map { resolution in
    PublishedVariant(
      "mat-\(resolution)", title: "MAT's generator for \(resolution) pixels",
      mark: ("synthesis.enc.EncConv_Block_\(resolution)x\(resolution).conv0.weight", [MAT.Config().channels(at: resolution), 7, 1, 1])
    ) { random in MATGenerator(MAT.Config(resolution: resolution), &random) }
  }
}
