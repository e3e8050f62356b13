import Tensors
import Testing

/// Gradients that are infinite or not a number can be replaced, and are counted.
@Suite struct NonFiniteGradientTests {
  @Test(arguments: [Precision.float32, .float64]) func replaced(precision: Precision) throws {
    let x = Tensor([1, 2, 3, 4], shape: [4], precision: precision).asLeaf()
    let y = Tensor([5, 6], shape: [2], precision: precision).asLeaf()
    let factors = Tensor([.nan, .infinity, -.infinity, 7], shape: [4], precision: precision)
    let gradients = ((x * factors).sum() + (3 * y).sum()).gradients()
    let (finite, count) = gradients.replacingNonFinite(infinity: 1e5)
    #expect(count == 3)
    #expect(try #require(finite[x]).doubles == [0, 1e5, -1e5, 7])
    #expect(try #require(finite[y]).doubles == [3, 3])
    #expect(finite.replacingNonFinite(infinity: 1e5).count == 0)
  }
}
