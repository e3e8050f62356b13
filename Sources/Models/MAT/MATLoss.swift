import Base
import Networks
import Tensors

/// The adversarial losses and the gradient penalty. - Source: section 3.5 of the paper; Goodfellow et al. 2014, section 3 (non-saturating);
/// Mescheder et al. 2018, equation 9 (R1).
public enum MATLoss {
  /// What the generator loses by the discriminator's logits of its pictures: `mean(S(-D)) + mean(S(-D₁))` with S = softplus.
  public static func generator(_ fake: MATDiscriminator.Logits) -> Tensor {
    (-fake.image).softplus().mean() + (-fake.firstStage).softplus().mean()
  }

  /// What the discriminator loses: `mean(S(D(fake))) + mean(S(-D(real)))`, and the same of the first stage.
  /// - Parameter real: logits of one real picture that both towers saw, with the mask of the fake.
  public static func discriminator(fake: MATDiscriminator.Logits, real: MATDiscriminator.Logits) -> Tensor {
    fake.image.softplus().mean() + fake.firstStage.softplus().mean()
      + (-real.image).softplus().mean() + (-real.firstStage).softplus().mean()
  }

  /// The penalty on how steep the logits are at real pictures, before the factor γ / 2: the squared lengths of the gradients of both
  /// logits with respect to the picture, means over the batch. It can be differentiated by the discriminator's parameters.
  /// - Parameter real: `[n, h, w, 3]`.
  public static func r1(_ discriminator: MATDiscriminator, real: Tensor, mask: Tensor) -> (image: Tensor, firstStage: Tensor) {
    let (image, firstStage) = (real.asLeaf(), real.asLeaf())
    let logits = discriminator(image, mask: mask, firstStage: firstStage)
    let slopes = (logits.image.sum() + logits.firstStage.sum()).gradients(of: [image, firstStage], recording: true)
    guard let ofImage = slopes[image], let ofFirstStage = slopes[firstStage] else {
      stop("MATLoss.r1: the logits do not depend on the picture")
    }
    return (ofImage.squared().sum([1, 2, 3]).mean(), ofFirstStage.squared().sum([1, 2, 3]).mean())
  }
}
