"""torchvision's raft_small as the reference: official names and shapes, precision, loss and optimiser as in the RAFT paper."""
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
    (r"^(fnet|cnet)\.conv1\.", r"\1.convnormrelu.0."),
    (r"^(fnet|cnet)\.conv2\.", r"\1.conv."),
    (r"^(fnet|cnet)\.(layer\d\.\d)\.conv(\d)\.", r"\1.\2.convnormrelu\3.0."),
    (r"^fnet\.", "feature_encoder."),
    (r"^cnet\.", "context_encoder."),
    (r"^update_block\.encoder\.convc(\d)\.", r"update_block.motion_encoder.convcorr\1.0."),
    (r"^update_block\.encoder\.convf(\d)\.", r"update_block.motion_encoder.convflow\1.0."),
    (r"^update_block\.encoder\.conv\.", "update_block.motion_encoder.conv.0."),
    (r"^update_block\.gru\.", "update_block.recurrent_block.convgru1."),
]


def torchvision_name(official):
    """The torchvision name of an official parameter name of RAFT-small."""
    for pattern, replacement in _RENAMINGS:
        official = re.sub(pattern, replacement, official)
    return official


def official_shapes():
    """Name -> shape of the 106 parameters of RAFT-small, in the order of the official state dict."""
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
    convolutions |= {
        update + "encoder.convc1": (96, 196, 1, 1), update + "encoder.convf1": (64, 2, 7, 7),
        update + "encoder.convf2": (32, 64, 3, 3), update + "encoder.conv": (80, 128, 3, 3),
        update + "gru.convz": (96, 242, 3, 3), update + "gru.convr": (96, 242, 3, 3), update + "gru.convq": (96, 242, 3, 3),
        update + "flow_head.conv1": (128, 96, 3, 3), update + "flow_head.conv2": (2, 128, 3, 3),
    }
    shapes = {}
    for name, shape in convolutions.items():
        shapes |= {f"{name}.weight": shape, f"{name}.bias": shape[:1]}
    return shapes


def null_gradients():
    """Parameters whose gradient is zero in exact arithmetic: biases that an instance norm of fnet subtracts again."""
    return [name for name in official_shapes() if name.startswith("fnet.") and name.endswith(".bias") and name != "fnet.conv2.bias"]


def check_names():
    """Stops unless the renaming is a bijection onto torchvision's names, in its order, with equal shapes and 990,162 elements."""
    shapes = official_shapes()
    theirs = {name: tuple(p.shape) for name, p in raft.raft_small(weights=None).state_dict().items()}
    renamed = {torchvision_name(name): shape for name, shape in shapes.items()}
    assert len(shapes) == 106 and len(renamed) == 106, (len(shapes), len(renamed))
    assert list(renamed) == list(theirs), sorted(set(renamed) ^ set(theirs))
    assert renamed == theirs, [name for name in theirs if renamed[name] != theirs[name]]
    assert sum(int(np.prod(shape)) for shape in shapes.values()) == 990_162


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


def model(parameters, dtype):
    """raft_small in training mode with the given arrays (official name -> numpy array)."""
    network = raft.raft_small(weights=None).to(dtype).train()
    network.load_state_dict({torchvision_name(name): torch.from_numpy(np.array(x)).to(dtype) for name, x in parameters.items()})
    return network


def named_parameters(network):
    """Official name -> parameter, in official order."""
    theirs = dict(network.named_parameters())
    return {name: theirs[torchvision_name(name)] for name in official_shapes()}


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
