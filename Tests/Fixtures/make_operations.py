"""Makes operations.safetensors: inputs, outputs and gradients of single operations, in float64, by PyTorch.

Every float input is fixture_hash.uniform("<case>/<tensor>", shape, low, high); gradients are those of sum(output * cotangent).
"""
import json
import pathlib

import numpy as np
import torch
import torch.nn.functional as F

import fixture_hash as fixture

HERE = pathlib.Path(__file__).parent
tensors, cases = {}, {}


def made(case, shapes, low=-1.0, high=1.0):
    """Inputs of a case by name: uniform numbers in [low, high)."""
    return {name: fixture.uniform(f"{case}/{name}", shape, low, high) for name, shape in shapes.items()}


def record(case, operation, parameters, inputs, compute, constants=None):
    """Runs `compute` on the float inputs (differentiated) and constants (not), and stores all tensors of the case.

    `compute` returns the output, or (output, {name: further result}).
    """
    assert case not in cases, case
    constants = constants or {}
    leaves = {name: torch.tensor(x, dtype=torch.float64, requires_grad=True) for name, x in inputs.items()}
    fixed = {name: torch.tensor(x) for name, x in constants.items()}
    results = compute(**leaves, **fixed)
    output, further = results if isinstance(results, tuple) else (results, {})
    cotangent = torch.from_numpy(fixture.uniform(f"{case}/cotangent", tuple(output.shape)))
    gradients = torch.autograd.grad((output * cotangent).sum(), list(leaves.values()))
    stored = {name: x for name, x in inputs.items()} | constants | {"cotangent": cotangent, "output": output} | further
    stored |= {f"grad.{name}": g for name, g in zip(leaves, gradients)}
    for name, x in stored.items():
        array = x.detach().numpy() if isinstance(x, torch.Tensor) else np.asarray(x)
        assert array.dtype != np.float64 or np.isfinite(array).all(), f"{case}/{name}"
        tensors[f"{case}/{name}"] = array.copy()
    cases[case] = json.dumps({"operation": operation} | parameters, separators=(",", ":"))


def convolutions():
    table = [  # case, input, weight [out, in / groups, kh, kw], stride, padding, dilation, groups, bias
        ("conv2d_3x3", (2, 3, 5, 7), (4, 3, 3, 3), (1, 1), (1, 1), (1, 1), 1, True),
        ("conv2d_7x7s2p3", (2, 3, 11, 13), (3, 3, 7, 7), (2, 2), (3, 3), (1, 1), 1, True),
        ("conv2d_1x5", (2, 3, 5, 7), (4, 3, 1, 5), (1, 1), (0, 2), (1, 1), 1, True),
        ("conv2d_5x1", (2, 3, 7, 5), (4, 3, 5, 1), (1, 1), (2, 0), (1, 1), 1, True),
        ("conv2d_1x1s2", (2, 5, 7, 6), (3, 5, 1, 1), (2, 2), (0, 0), (1, 1), 1, True),
        ("conv2d_d2", (2, 2, 9, 8), (3, 2, 3, 3), (1, 1), (2, 2), (2, 2), 1, True),
        ("conv2d_s2d1g2", (2, 4, 7, 9), (6, 2, 3, 3), (2, 2), (1, 1), (1, 1), 2, True),
        ("conv2d_depthwise", (2, 4, 6, 7), (4, 1, 3, 3), (1, 1), (1, 1), (1, 1), 4, True),
        ("conv2d_asymmetric", (2, 3, 8, 9), (2, 3, 2, 3), (2, 1), (1, 2), (1, 2), 1, False),
        ("conv2d_valid", (1, 2, 7, 8), (3, 2, 3, 3), (1, 1), (0, 0), (1, 1), 1, False),
    ]
    for case, shape, weight, stride, padding, dilation, groups, biased in table:
        names = {"input": shape, "weight": weight} | ({"bias": weight[:1]} if biased else {})
        options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
        record(case, "conv2d", options, made(case, names), lambda **x: F.conv2d(**x, **options))


def transposed_convolutions():
    table = [  # case, input, weight [in, out / groups, kh, kw], stride, padding, output padding, dilation, groups, bias
        ("conv_transpose2d_4x4s2", (2, 3, 4, 5), (3, 2, 4, 4), (2, 2), (1, 1), (0, 0), (1, 1), 1, True),
        ("conv_transpose2d_s2o1", (2, 2, 5, 3), (2, 3, 3, 3), (2, 2), (1, 1), (1, 1), (1, 1), 1, True),
        ("conv_transpose2d_g2", (2, 4, 3, 5), (4, 2, 3, 2), (2, 1), (1, 0), (1, 0), (1, 1), 2, True),
        ("conv_transpose2d_d2", (1, 2, 5, 4), (2, 3, 3, 3), (1, 1), (1, 2), (0, 0), (2, 2), 1, False),
    ]
    for case, shape, weight, stride, padding, outer, dilation, groups, biased in table:
        names = {"input": shape, "weight": weight} | ({"bias": (weight[1] * groups,)} if biased else {})
        options = {"stride": stride, "padding": padding, "output_padding": outer, "dilation": dilation, "groups": groups}
        record(case, "conv_transpose2d", options, made(case, names), lambda **x: F.conv_transpose2d(**x, **options))


def products():
    for case, shape, biased in [("linear", (5, 3), True), ("linear_tokens", (2, 3, 4), True), ("linear_unbiased", (3, 5), False)]:
        names = {"input": shape, "weight": (6, shape[-1])} | ({"bias": (6,)} if biased else {})
        record(case, "linear", {}, made(case, names), lambda **x: F.linear(**x))
    for case, left, right in [("matmul_batched", (3, 4, 5), (3, 5, 2)), ("matmul_heads", (2, 3, 4, 5), (2, 3, 5, 4)),
                              ("matmul_shared", (2, 3, 4, 5), (5, 3)), ("matmul_broadcast", (2, 1, 3, 4), (1, 2, 4, 3))]:
        record(case, "matmul", {}, made(case, {"a": left, "b": right}), lambda a, b: a @ b)


def normalizations():
    for case, shape, affine, epsilon in [("instance_norm", (2, 3, 5, 7), False, 1e-5), ("instance_norm_affine", (2, 4, 3, 5), True, 1e-3)]:
        names = {"input": shape} | ({"weight": shape[1:2], "bias": shape[1:2]} if affine else {})
        record(case, "instance_norm", {"eps": epsilon}, made(case, names),
               lambda **x: F.instance_norm(x["input"], weight=x.get("weight"), bias=x.get("bias"), eps=epsilon))
    for case, shape, normalized, epsilon in [("layer_norm", (2, 3, 8), [8], 1e-5), ("layer_norm_eps6", (2, 3, 2, 5), [5], 1e-6)]:
        record(case, "layer_norm", {"normalized_shape": normalized, "eps": epsilon},
               made(case, {"input": shape, "weight": normalized, "bias": normalized}),
               lambda **x: F.layer_norm(normalized_shape=normalized, eps=epsilon, **x))
    for case, shape, groups, epsilon in [("group_norm_g2", (2, 6, 3, 5), 2, 1e-5), ("group_norm_g3", (3, 6, 4, 3), 3, 1e-3)]:
        record(case, "group_norm", {"num_groups": groups, "eps": epsilon},
               made(case, {"input": shape, "weight": shape[1:2], "bias": shape[1:2]}),
               lambda **x: F.group_norm(num_groups=groups, eps=epsilon, **x))


def batch_normalizations():
    table = [("batch_norm_train", (3, 4, 3, 5), True, 0.1, 1e-5), ("batch_norm_train_m3", (2, 3, 5, 4), True, 0.3, 1e-3),
             ("batch_norm_eval", (2, 4, 3, 5), False, 0.1, 1e-5)]
    for case, shape, training, momentum, epsilon in table:
        channels = shape[1:2]
        inputs = made(case, {"input": shape, "weight": channels, "bias": channels}, -2, 3)
        before = {"running_mean": fixture.uniform(f"{case}/running_mean", channels),
                  "running_var": fixture.uniform(f"{case}/running_var", channels, 0.5, 2)}

        def compute(input, weight, bias, running_mean, running_var):
            mean, variance = running_mean.clone(), running_var.clone()
            output = F.batch_norm(input, mean, variance, weight, bias, training, momentum, epsilon)
            return output, {"running_mean.after": mean, "running_var.after": variance}
        record(case, "batch_norm", {"training": training, "momentum": momentum, "eps": epsilon}, inputs, compute, before)


def frozen_batch_normalizations():
    """A convolution, a batch normalisation by constants (torchvision's FrozenBatchNorm2d), a residual, relu."""
    table = [  # case, input, weight [out, in, kh, kw], stride, padding, residual, relu
        ("conv_frozen_norm_3x3", (2, 3, 5, 7), (4, 3, 3, 3), 1, 1, False, True),
        ("conv_frozen_norm_1x1", (2, 6, 4, 3), (5, 6, 1, 1), 1, 0, True, True),
        ("conv_frozen_norm_s2", (2, 4, 7, 9), (3, 4, 3, 3), 2, 1, True, False),
        ("conv_frozen_norm_7x7", (1, 3, 11, 13), (3, 3, 7, 7), 2, 3, False, False),
    ]
    for case, shape, weight, stride, padding, residual, relu in table:
        channels = weight[:1]
        size = [(n + 2 * padding - k) // stride + 1 for n, k in zip(shape[2:], weight[2:])]
        shapes = {"input": shape, "weight": weight} | ({"residual": (shape[0], *channels, *size)} if residual else {})
        constants = {f"norm.{name}": fixture.uniform(f"{case}/norm.{name}", channels, low, 2.0)
                     for name, low in [("weight", -2.0), ("bias", -2.0), ("running_mean", -2.0), ("running_var", 0.5)]}

        def compute(input, weight, residual=None, **norm):
            scale = norm["norm.weight"] * (norm["norm.running_var"] + 1e-5).rsqrt()
            shift = norm["norm.bias"] - norm["norm.running_mean"] * scale
            y = F.conv2d(input, weight, stride=stride, padding=padding) * scale.reshape(1, -1, 1, 1) + shift.reshape(1, -1, 1, 1)
            y = y if residual is None else y + residual
            return y.relu() if relu else y
        record(case, "conv_frozen_norm", {"stride": (stride, stride), "padding": (padding, padding), "relu": relu},
               made(case, shapes, -2, 2), compute, constants)


def softmaxes():
    for operation in ("softmax", "log_softmax"):
        for axis, shape, high in [(1, (2, 5, 3, 4), 3), (-1, (3, 4, 5), 3), (2, (2, 3, 4, 2), 3), (0, (4, 3), 300)]:
            case = f"{operation}_axis{axis % len(shape)}of{len(shape)}"
            record(case, operation, {"dim": axis}, made(case, {"input": shape}, -high, high),
                   lambda input: getattr(F, operation)(input, dim=axis))


def cross_entropies():
    table = [  # case, logits, options, weighted, ignored positions
        ("cross_entropy", (6, 5), {}, False, []),
        ("cross_entropy_sum", (6, 5), {"reduction": "sum"}, False, []),
        ("cross_entropy_none", (6, 5), {"reduction": "none"}, False, []),
        ("cross_entropy_ignore", (7, 4), {"ignore_index": -100}, False, [1, 4]),
        ("cross_entropy_smoothing", (6, 5), {"label_smoothing": 0.1}, False, []),
        ("cross_entropy_weights", (6, 5), {}, True, []),
        ("cross_entropy_spatial", (2, 4, 3, 5), {"ignore_index": 255}, True, [0, 7, 20]),
        ("cross_entropy_all", (2, 4, 3, 5), {"ignore_index": 255, "label_smoothing": 0.2}, True, [3, 16]),
    ]
    for case, shape, options, weighted, ignored in table:
        size = shape[:1] + shape[2:]
        target = np.floor(fixture.uniform(f"{case}/target", size, 0, shape[1])).astype(np.int64)
        target.reshape(-1)[ignored] = options.get("ignore_index", 0)
        constants = {"target": target} | ({"weight": fixture.uniform(f"{case}/weight", shape[1:2], 0.2, 2)} if weighted else {})
        record(case, "cross_entropy", {"reduction": "mean", "ignore_index": -100, "label_smoothing": 0.0} | options,
               made(case, {"input": shape}, -3, 3), lambda **x: F.cross_entropy(**x, **options), constants)


def interpolations():
    sizes = {"up": ((2, 2, 3, 4), (7, 9)), "up8": ((1, 2, 2, 3), (16, 24)), "down": ((2, 2, 9, 7), (4, 5)), "mixed": ((1, 3, 5, 8), (8, 3)),
             "single": ((2, 1, 4, 3), (1, 5))}
    for direction, (shape, size) in sizes.items():
        for mode, align in [("nearest", None), ("bilinear", False), ("bilinear", True), ("bicubic", False), ("bicubic", True)]:
            if direction == "up8" and mode == "bicubic":
                continue
            case = f"interpolate_{mode}_{direction}" + {None: "", False: "_halfpixel", True: "_align"}[align]
            record(case, "interpolate", {"size": size, "mode": mode, "align_corners": align}, made(case, {"input": shape}),
                   lambda input: F.interpolate(input, size=size, mode=mode, align_corners=align))


def grid_samples():
    for mode in ("bilinear", "nearest"):
        for padding in ("zeros", "border", "reflection"):
            for align in (False, True):
                case = f"grid_sample_{mode}_{padding}" + ("_align" if align else "_halfpixel")
                inputs = made(case, {"input": (2, 2, 4, 5)}) | made(case, {"grid": (2, 3, 5, 2)}, -1.7, 1.7)
                record(case, "grid_sample", {"mode": mode, "padding_mode": padding, "align_corners": align}, inputs,
                       lambda input, grid: F.grid_sample(input, grid, mode, padding, align))


def poolings():
    table = [("max_pool2d_3x3s2p1", (2, 3, 7, 9), (3, 3), (2, 2), (1, 1)), ("max_pool2d_2x2", (2, 2, 5, 7), (2, 2), (2, 2), (0, 0)),
             ("max_pool2d_overlap", (2, 2, 6, 5), (3, 2), (1, 1), (1, 0))]
    for case, shape, kernel, stride, padding in table:
        options = {"kernel_size": kernel, "stride": stride, "padding": padding, "ceil_mode": False}
        record(case, "max_pool2d", options, made(case, {"input": shape}), lambda input: F.max_pool2d(input, **options))
    table = [("avg_pool2d_2x2", (2, 3, 5, 7), (2, 2), (2, 2), (0, 0), True), ("avg_pool2d_p1", (2, 2, 6, 7), (3, 3), (2, 2), (1, 1), True),
             ("avg_pool2d_p1_inside", (2, 2, 6, 7), (3, 3), (2, 2), (1, 1), False),
             ("avg_pool2d_asymmetric", (1, 3, 7, 5), (2, 3), (1, 2), (1, 0), False)]
    for case, shape, kernel, stride, padding, counted in table:
        options = {"kernel_size": kernel, "stride": stride, "padding": padding, "ceil_mode": False, "count_include_pad": counted}
        record(case, "avg_pool2d", options, made(case, {"input": shape}), lambda input: F.avg_pool2d(input, **options))
    for operation in ("adaptive_avg_pool2d", "adaptive_max_pool2d"):
        for name, shape, size in [("global", (2, 3, 5, 4), (1, 1)), ("uneven", (2, 2, 7, 8), (3, 5)), ("larger", (1, 2, 3, 4), (5, 6))]:
            case = f"{operation}_{name}"
            record(case, operation, {"output_size": size}, made(case, {"input": shape}), lambda input: getattr(F, operation)(input, size))


def activations():
    table = {"gelu": lambda x: F.gelu(x), "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"), "silu": F.silu, "elu": F.elu, "sigmoid": torch.sigmoid,
             "tanh": torch.tanh, "erf": torch.erf, "softplus": lambda x: F.softplus(x), "relu": F.relu,
             "leaky_relu": lambda x: F.leaky_relu(x, 0.01), "leaky_relu_02": lambda x: F.leaky_relu(x, 0.2)}
    parameters = {"softplus": {"beta": 1.0, "threshold": 20.0}, "leaky_relu": {"negative_slope": 0.01},
                  "leaky_relu_02": {"negative_slope": 0.2}, "gelu": {"approximate": "none"}, "gelu_tanh": {"approximate": "tanh"}}
    operations = {"gelu_tanh": "gelu", "leaky_relu_02": "leaky_relu"}
    large = np.array([-700, -100, -40, -12, -6, 6, 12, 40, 100, 700], dtype=np.float64)  # none in softplus's cut-off region 17..37
    for case, function in table.items():
        inputs = {"input": fixture.uniform(f"{case}/input", (2, 3, 4, 5), -4, 4)}
        record(case, operations.get(case, case), parameters.get(case, {}), inputs, lambda input: function(input))
        record(case + "_large", operations.get(case, case), parameters.get(case, {}), {"input": large}, lambda input: function(input))


def attentions():
    for case, keys, mask in [("attention", 5, None), ("attention_masked", 6, (2, 1, 4, 6)), ("attention_masked_shared", 6, (4, 6))]:
        shapes = {"query": (2, 3, 4, 5), "key": (2, 3, keys, 5), "value": (2, 3, keys, 2)}
        constants = {"mask": fixture.uniform(f"{case}/mask", mask, 0, 1) > 0.35} if mask else {}
        assert not mask or constants["mask"].any(-1).all()
        record(case, "scaled_dot_product_attention", {"mask": "true = attend"} if mask else {}, made(case, shapes, -2, 2),
               lambda query, key, value, mask=None: F.scaled_dot_product_attention(query, key, value, attn_mask=mask), constants)
    case = "attention_causal"
    shapes = {name: (2, 2, 4, 3) for name in ("query", "key", "value")}
    record(case, "scaled_dot_product_attention", {"is_causal": True}, made(case, shapes, -2, 2),
           lambda query, key, value: F.scaled_dot_product_attention(query, key, value, is_causal=True))
    case = "embedding"
    record(case, "embedding", {}, made(case, {"weight": (7, 4)}), lambda weight, indices: F.embedding(indices, weight),
           {"indices": np.array([[0, 3, 3], [6, 1, 3]], dtype=np.int64)})


def multihead_attentions():
    width, heads = 8, 2
    for case, queries, keys, padded in [("multihead_attention_self", 4, None, False), ("multihead_attention_padded", 5, None, True),
                                        ("multihead_attention_cross", 3, 5, True)]:
        shapes = {"query": (2, queries, width)} | ({"key": (2, keys, width), "value": (2, keys, width)} if keys else {})
        shapes |= {"in_proj_weight": (3 * width, width), "in_proj_bias": (3 * width,),
                   "out_proj.weight": (width, width), "out_proj.bias": (width,)}
        padding = np.zeros((2, keys or queries), dtype=bool)
        padding[0, -2:], padding[1, 0] = True, True

        def compute(query, key=None, value=None, key_padding_mask=None, **named):
            block = torch.nn.MultiheadAttention(width, heads, batch_first=True, dtype=torch.float64)
            memory = (query, query) if key is None else (key, value)
            arguments = (query, *memory)
            output, weights = torch.func.functional_call(block, named, arguments, {"key_padding_mask": key_padding_mask})
            return output, {"attention": weights}
        parameters = {"embed_dim": width, "num_heads": heads, "batch_first": True, "key_padding_mask": "true = ignore"}
        record(case, "multihead_attention", parameters, made(case, shapes), compute, {"key_padding_mask": padding} if padded else {})


def main():
    watch = fixture.Stopwatch(60)
    torch.set_num_threads(1)
    for family in (convolutions, transposed_convolutions, products, normalizations, batch_normalizations,
                   frozen_batch_normalizations, softmaxes, cross_entropies,
                   interpolations, grid_samples, poolings, activations, attentions, multihead_attentions):
        family()
    path = HERE / "operations.safetensors"
    fixture.write_tensors(path, tensors, cases)
    print(f"{len(cases)} cases, {len(tensors)} tensors")
    watch.report(path)


if __name__ == "__main__":
    main()
