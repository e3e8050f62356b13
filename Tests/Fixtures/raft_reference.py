"""torchvision's RAFT as the reference: official names and shapes, precision, loss and optimiser as in the RAFT paper.

A variant is "small" or "large". Batch norm, which only the large one has, trains, or is frozen: evaluation mode within training.
"""
import contextlib
import re
import warnings

import numpy as np
import torch

_operators = torch.library.Library("torchvision", "FRAGMENT")  # a CPU-only torch beside a stock torchvision lacks these two,
for _name in ("nms", "qnms"):                                  # and torchvision does not import without them
    with contextlib.suppress(RuntimeError):
        _operators.define(_name + "(Tensor a) -> Tensor")

import torchvision.models.optical_flow.raft as raft  # noqa: E402  (needs the operators above)

_RENAMINGS = [  # official -> torchvision, applied in this order
    (r"^(cnet\.layer\d\.0)\.norm3\.", r"\1.downsample.1."),  # one module under two names
    (r"^(fnet|cnet)\.conv1\.", r"\1.convnormrelu.0."),
    (r"^(fnet|cnet)\.norm1\.", r"\1.convnormrelu.1."),
    (r"^(fnet|cnet)\.conv2\.", r"\1.conv."),
    (r"^(fnet|cnet)\.(layer\d\.\d)\.conv(\d)\.", r"\1.\2.convnormrelu\3.0."),
    (r"^(fnet|cnet)\.(layer\d\.\d)\.norm(\d)\.", r"\1.\2.convnormrelu\3.1."),
    (r"^fnet\.", "feature_encoder."),
    (r"^cnet\.", "context_encoder."),
    (r"^update_block\.encoder\.convc(\d)\.", r"update_block.motion_encoder.convcorr\1.0."),
    (r"^update_block\.encoder\.convf(\d)\.", r"update_block.motion_encoder.convflow\1.0."),
    (r"^update_block\.encoder\.conv\.", "update_block.motion_encoder.conv.0."),
    (r"^update_block\.gru\.conv([zrq])([12])\.", r"update_block.recurrent_block.convgru\2.conv\1."),
    (r"^update_block\.gru\.", "update_block.recurrent_block.convgru1."),
    (r"^update_block\.mask\.0\.", "mask_predictor.convrelu.0."),
    (r"^update_block\.mask\.2\.", "mask_predictor.conv."),
]
_NORM = ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"]


def torchvision_name(official):
    """The torchvision name of an official name."""
    for pattern, replacement in _RENAMINGS:
        official = re.sub(pattern, replacement, official)
    return official


def official_shapes(variant):
    """Name -> shape of everything in the official state dict, in its order."""
    return _small_shapes() if variant == "small" else _large_shapes()


def _with_biases(convolutions):
    return {f"{name}.{part}": part_shape for name, shape in convolutions.items() for part, part_shape in (("weight", shape), ("bias", shape[:1]))}


def _small_shapes():
    """The 106 arrays of RAFT-small."""
    convolutions = {}
    for encoder, outputs in (("fnet", 128), ("cnet", 160)):
        convolutions[f"{encoder}.conv1"] = (32, 3, 7, 7)
        incoming = 32
        for layer, width in (("layer1", 32), ("layer2", 64), ("layer3", 96)):
            for block in range(2):
                place, narrow = f"{encoder}.{layer}.{block}", width // 4
                convolutions[f"{place}.conv1"] = (narrow, incoming, 1, 1)
                convolutions[f"{place}.conv2"] = (narrow, narrow, 3, 3)
                convolutions[f"{place}.conv3"] = (width, narrow, 1, 1)
                if incoming != width:
                    convolutions[f"{place}.downsample.0"] = (width, incoming, 1, 1)
                incoming = width
        convolutions[f"{encoder}.conv2"] = (outputs, 96, 1, 1)
    update = "update_block."
    return _with_biases(convolutions | {
        update + "encoder.convc1": (96, 196, 1, 1), update + "encoder.convf1": (64, 2, 7, 7),
        update + "encoder.convf2": (32, 64, 3, 3), update + "encoder.conv": (80, 128, 3, 3),
        update + "gru.convz": (96, 242, 3, 3), update + "gru.convr": (96, 242, 3, 3), update + "gru.convq": (96, 242, 3, 3),
        update + "flow_head.conv1": (128, 96, 3, 3), update + "flow_head.conv2": (2, 128, 3, 3),
    })


def _large_shapes():
    """The 179 arrays of RAFT-large; cnet has batch norms, fnet's norms have no parameters."""
    shapes = {}
    for encoder in ("fnet", "cnet"):
        def convolution(name, *shape):
            shapes.update(_with_biases({f"{encoder}.{name}": shape}))

        def norm(name, width):
            if encoder == "cnet":
                shapes.update({f"{encoder}.{name}.{part}": () if part == "num_batches_tracked" else (width,) for part in _NORM})

        norm("norm1", 64)
        convolution("conv1", 64, 3, 7, 7)
        incoming = 64
        for layer, width in (("layer1", 64), ("layer2", 96), ("layer3", 128)):
            for block in range(2):
                place = f"{layer}.{block}"
                convolution(f"{place}.conv1", width, incoming, 3, 3)
                convolution(f"{place}.conv2", width, width, 3, 3)
                norm(f"{place}.norm1", width)
                norm(f"{place}.norm2", width)
                if incoming != width:
                    norm(f"{place}.norm3", width)
                    convolution(f"{place}.downsample.0", width, incoming, 1, 1)
                    norm(f"{place}.downsample.1", width)
                incoming = width
        convolution("conv2", 256, 128, 1, 1)
    update = "update_block."
    convolutions = {
        update + "encoder.convc1": (256, 324, 1, 1), update + "encoder.convc2": (192, 256, 3, 3),
        update + "encoder.convf1": (128, 2, 7, 7), update + "encoder.convf2": (64, 128, 3, 3), update + "encoder.conv": (126, 256, 3, 3),
    }
    for digit, kernel in (("1", (1, 5)), ("2", (5, 1))):
        convolutions |= {f"{update}gru.conv{gate}{digit}": (128, 384, *kernel) for gate in "zrq"}
    convolutions |= {
        update + "flow_head.conv1": (256, 128, 3, 3), update + "flow_head.conv2": (2, 256, 3, 3),
        update + "mask.0": (256, 128, 3, 3), update + "mask.2": (576, 256, 1, 1),
    }
    return shapes | _with_biases(convolutions)


def names(variant):
    """The official names without the second ones of shared arrays."""
    return [name for name in official_shapes(variant) if ".downsample.1." not in name]


def null_gradients(variant, frozen):
    """Parameters whose gradient is zero in exact arithmetic: biases that a norm by the statistics of its input subtracts again."""
    encoders = ("fnet.",) if variant == "small" or frozen else ("fnet.", "cnet.")
    convolutions = [name for name, shape in official_shapes(variant).items() if name.endswith(".weight") and len(shape) == 4]
    biases = [name.removesuffix("weight") + "bias" for name in convolutions]
    return [name for name in biases if name.startswith(encoders) and name not in ("fnet.conv2.bias", "cnet.conv2.bias")]


def network(variant):
    return (raft.raft_small if variant == "small" else raft.raft_large)(weights=None)


def check_names(variant):
    """Stops unless the renaming is a bijection onto torchvision's names with equal shapes, but for the shared arrays."""
    shapes = official_shapes(variant)
    theirs = {name: tuple(p.shape) for name, p in network(variant).state_dict().items()}
    renamed = {torchvision_name(name): shapes[name] for name in names(variant)}
    assert len(shapes) == (106 if variant == "small" else 179) and len(renamed) == len(names(variant))
    assert sorted(renamed) == sorted(theirs), sorted(set(renamed) ^ set(theirs))
    assert renamed == theirs, [name for name in theirs if renamed[name] != theirs[name]]
    count = sum(p.numel() for p in network(variant).parameters())
    assert count == (990_162 if variant == "small" else 5_257_536), count


@contextlib.contextmanager
def precision(dtype):
    """Runs torchvision's RAFT in `dtype`: its coordinate grid is fixed to float32, its constants follow the default type."""
    original, before = raft.make_coords_grid, torch.get_default_dtype()
    raft.make_coords_grid = lambda *size, **options: original(*size, **options).to(dtype)
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        raft.make_coords_grid = original
        torch.set_default_dtype(before)


ROUNDINGS = [(True, 1), (True, 2), (False, 1)]  # (oneDNN, threads): the same formulas, summed in other orders


@contextlib.contextmanager
def rounding(onednn, threads):
    """Runs float32 with another order of summation. The largest distance to float64 among all ROUNDINGS is torch's own rounding."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="TF32")  # of a graphics processor that is not there
            with torch.backends.mkldnn.flags(enabled=onednn):
                yield
    finally:
        torch.set_num_threads(before)


def model(variant, arrays, dtype, frozen=False):
    """The network in training mode with the given arrays (official name -> numpy array)."""
    result = network(variant).to(dtype).train()
    result.load_state_dict({torchvision_name(name): torch.from_numpy(np.array(arrays[name])) for name in names(variant)})
    if frozen:
        for module in result.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.eval()
    return result


def named_parameters(variant, network):
    """Official name -> parameter, in official order."""
    theirs = dict(network.named_parameters())
    return {name: theirs[torchvision_name(name)] for name in names(variant) if torchvision_name(name) in theirs}


def named_buffers(variant, network):
    """Official name -> running statistics (not the counts), in official order."""
    theirs = dict(network.named_buffers())
    return {name: theirs[torchvision_name(name)] for name in names(variant)
            if torchvision_name(name) in theirs and "num_batches" not in name}


def predict(network, images, iterations):
    """The upsampled flow [n, 2, h, w] of every iteration for two images [n, 3, h, w] of 0..255."""
    first, second = (2 * (image / 255) - 1 for image in images)
    return network(first, second, num_flow_updates=iterations)


def sequence_loss(flows, target, valid, gamma, largest=400.0):
    """sum_i gamma^(N-1-i) * mean(v |f_i - target|), v = valid >= 0.5 and |target| < 400; the mean counts masked elements too."""
    mask = ((valid >= 0.5) & (target.square().sum(1).sqrt() < largest)).to(target.dtype)[:, None]
    return sum(gamma ** (len(flows) - 1 - i) * (mask * (flow - target).abs()).mean() for i, flow in enumerate(flows))


def train(network, batch, iterations, gamma, rates, clip=1.0, betas=(0.9, 0.999), epsilon=1e-8, decay=1e-4):
    """One AdamW step per learning rate, always on the same batch; returns the losses before each step and the gradient norms.

    `batch` is (images, target, valid); a clip of 0 leaves the gradients as they are.
    """
    images, target, valid = batch
    parameters = list(network.parameters())
    optimizer = torch.optim.AdamW(parameters, lr=0.0, betas=betas, eps=epsilon, weight_decay=decay, foreach=False)
    losses, norms = [], []
    for rate in rates:
        optimizer.param_groups[0]["lr"] = rate
        optimizer.zero_grad(set_to_none=True)
        loss = sequence_loss(predict(network, images, iterations), target, valid, gamma)
        loss.backward()
        losses.append(loss.item())
        norms.append(torch.nn.utils.clip_grad_norm_(parameters, clip if clip > 0 else float("inf")).item())
        optimizer.step()
    return losses, norms
