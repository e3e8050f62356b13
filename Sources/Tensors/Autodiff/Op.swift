/// The name of every op that records a gradient rule.
///
/// The gradient tests prove each of these, and fail if one is missing from their table.
public enum Op: String, Sendable, CaseIterable {
  // arithmetic
  case add, subtract, multiply, divide, affine, maximum, minimum
  // elementary functions
  case negate, exp, log, sqrt, abs, square, power, clamp, erf
  // activations
  case relu, leakyRelu, gate, sigmoid, tanh, softplus, gelu, silu, elu
  case dropout
  // selection and reductions
  case select, sum, max
  // shape
  case reshape, transpose, broadcast, slice, pad, concatenate
  // indexing
  case gather, scatterAdd
  // products
  case matmul, attention, convolution, convolutionInputGradient, convolutionWeightGradient
  // normalisation
  case normalize, softmax, logSoftmax
  // pooling, resampling, correlation
  case maxPool, resample, gridSample, gridSampleInputGradient, correlationLookup, localCorrelation, convexUpsampling
  // a block of ops that runs again in the backward pass
  case recomputed
  // recurrence
  case gruReset, gruUpdate
  // losses
  case maskedL1
}
