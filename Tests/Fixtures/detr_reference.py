"""The official DETR as the reference: a checkout of facebookresearch/detr at COMMIT, run as it is; nothing of it is copied here.

What differs from the official scripts: no dropout, backbones as narrow as wanted and not pretrained, and in float64 the sine positions are
float64, too (the official code computes them in float32 always).
"""
import contextlib
import dataclasses
import importlib
import pathlib
import sys
import types

import numpy as np
import scipy.optimize
import torch

import fixture_hash
import raft_reference  # noqa: F401  (prepares torch for torchvision)
import torchvision.models.resnet as resnet

COMMIT = "29901c51d7fe8712168b8d0d64351170bc0f83e0"
MODULES = ["backbone", "detr", "matcher", "position_encoding", "segmentation", "transformer"]
FILES = [f"models/{name}" for name in MODULES] + ["util/box_ops", "util/misc"]
CHECKSUM = "ad8a8b0da56fbfa2"  # fnv1a64 of FILES, one after the other
WEIGHTS = {"loss_ce": 1, "loss_bbox": 5, "loss_giou": 2, "loss_mask": 1, "loss_dice": 1}
NO_OBJECT = 0.1
CLIP, DECAY, RATE, BACKBONE_RATE = 0.1, 1e-4, 1e-4, 1e-5

official = types.SimpleNamespace()  # the official modules by name, see load


def load(path):
    """Imports the official modules from a checkout and stops if it is not the one of COMMIT."""
    content = b"".join((pathlib.Path(path) / f"{name}.py").read_bytes() for name in FILES)
    found = f"{fixture_hash.fnv1a64(content):016x}"
    assert found == CHECKSUM, f"{path} is not facebookresearch/detr at {COMMIT}: its files have the checksum {found}"
    sys.path.insert(0, str(path))
    for name in MODULES:
        setattr(official, name, importlib.import_module(f"models.{name}"))
    official.segmentation.id2rgb = id2rgb  # of panopticapi, which need not be installed
    official.segmentation.rgb2id = rgb2id


def id2rgb(ids):
    return np.stack([ids // 256**i % 256 for i in range(3)], axis=-1).astype(np.uint8)


def rgb2id(colours):
    return sum(colours[..., i].astype(np.int64) * 256**i for i in range(3))


@dataclasses.dataclass(frozen=True)
class Network:
    """The architecture of one case; `width` is that of the backbone's first stage, 64 in ResNet."""

    block: str = "bottleneck"
    blocks: tuple = (1, 1, 1, 1)
    width: int = 8
    dc5: bool = False
    hidden: int = 32
    heads: int = 4
    feedforward: int = 48
    encoder_layers: int = 2
    decoder_layers: int = 3
    pre_norm: bool = False
    position: str = "sine"
    queries: int = 12
    classes: int = 7
    masks: bool = False


class ResNet(resnet.ResNet):
    """torchvision's ResNet without the classifier, of any width and number of blocks."""

    def __init__(self, network, norm):
        torch.nn.Module.__init__(self)
        block = {"bottleneck": resnet.Bottleneck, "basic": resnet.BasicBlock}[network.block]
        self._norm_layer, self.inplanes, self.dilation, self.groups, self.base_width = norm, network.width, 1, 1, 64
        self.conv1 = torch.nn.Conv2d(3, network.width, kernel_size=7, stride=2, padding=3, bias=False)
        self.bn1 = norm(network.width)
        self.relu = torch.nn.ReLU(inplace=True)
        self.maxpool = torch.nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
        for i, blocks in enumerate(network.blocks):
            stage = self._make_layer(block, network.width * 2**i, blocks, stride=1 if i == 0 else 2, dilate=network.dc5 and i == 3)
            setattr(self, f"layer{i + 1}", stage)
        self.channels = [network.width * 2**i * block.expansion for i in range(4)]


def arguments(network):
    """What the official command line would hold."""
    return types.SimpleNamespace(
        hidden_dim=network.hidden, nheads=network.heads, dim_feedforward=network.feedforward, enc_layers=network.encoder_layers,
        dec_layers=network.decoder_layers, pre_norm=network.pre_norm, position_embedding=network.position, dropout=0.0,
        set_cost_class=1, set_cost_bbox=5, set_cost_giou=2)


def model(network):
    """The model in training mode, with the weights of its initialisation."""
    body = ResNet(network, official.backbone.FrozenBatchNorm2d)
    base = official.backbone.BackboneBase(body, True, body.channels[-1], network.masks)
    joiner = official.backbone.Joiner(base, official.position_encoding.build_position_encoding(arguments(network)))
    joiner.num_channels = base.num_channels
    transformer = official.transformer.build_transformer(arguments(network))
    result = official.detr.DETR(joiner, transformer, network.classes, network.queries, aux_loss=True)
    if network.masks:
        result = with_mask_head(result, body.channels)
    return result.train()


def with_mask_head(detr, channels):
    """The official segmentation model: its mask head expects the channels of ResNet-50, which these replace."""
    segmentation, original = official.segmentation, official.segmentation.MaskHeadSmallConv
    segmentation.MaskHeadSmallConv = lambda dim, _, context: original(dim, channels[2::-1], context)
    try:
        return segmentation.DETRsegm(detr)
    finally:
        segmentation.MaskHeadSmallConv = original


def criterion(network):
    matcher = official.matcher.build_matcher(arguments(network))
    names = ["labels", "boxes", "cardinality"] + ["masks"] * network.masks
    return official.detr.SetCriterion(network.classes, matcher, WEIGHTS, NO_OBJECT, names).train()


def total(terms):
    """Sum of the weighted terms of all layers; `terms` has the official names, suffixed by the number of the layer but for the last."""
    layer = {name: name.rstrip("0123456789").rstrip("_") for name in terms}
    return sum(WEIGHTS[layer[name]] * x for name, x in terms.items() if layer[name] in WEIGHTS)


def null_gradients(network):
    """Parameters whose gradient is zero in exact arithmetic.

    The content that the first decoder layer attends to is zero: all values are the bias, whatever the weights of the attention; and a norm
    in front of it has nothing to scale. A group norm of one channel subtracts the bias of the convolution before it.
    """
    layer = ("detr." if network.masks else "") + "transformer.decoder.layers.0."
    names = [layer + ("norm1.weight" if network.pre_norm else "self_attn.in_proj_weight")]
    return names + ["mask_head.lay5.bias"] * (network.masks and network.hidden == 128)


class _Torch:
    """torch, but for its float32, which is another type."""

    def __init__(self, dtype):
        self.float32 = dtype

    def __getattr__(self, name):
        return getattr(torch, name)


@contextlib.contextmanager
def precision(dtype):
    """Builds and runs models in `dtype`; positions of the image, too."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    official.position_encoding.torch = _Torch(dtype)
    try:
        yield
    finally:
        official.position_encoding.torch = torch
        torch.set_default_dtype(before)


@contextlib.contextmanager
def recorded_costs():
    """The cost matrices that the official matcher passes to scipy, in the order of its calls."""
    costs = []

    def solve(cost):
        costs.append(np.array(cost, dtype=np.float64))
        return scipy.optimize.linear_sum_assignment(cost)
    before, official.matcher.linear_sum_assignment = official.matcher.linear_sum_assignment, solve
    try:
        yield costs
    finally:
        official.matcher.linear_sum_assignment = before


@contextlib.contextmanager
def recorded_kinks():
    """Per ReLU that gradients pass the smallest distance of an input to zero, in float32 roundings of the largest input."""
    kinks, before = [], torch.nn.functional.relu

    def relu(x, inplace=False):
        if x.requires_grad:
            kinks.append((x.abs().min() / x.abs().max() / np.finfo(np.float32).eps).item())
        return before(x, inplace)
    torch.nn.functional.relu = relu
    try:
        yield kinks
    finally:
        torch.nn.functional.relu = before


def margin(cost):
    """How much more than the best assignment the second best costs; infinite if there is none."""
    def solve(matrix):
        rows, columns = scipy.optimize.linear_sum_assignment(matrix)
        return rows, columns, matrix[rows, columns].sum()
    rows, columns, best = solve(cost)
    forbidden = []
    for row, column in zip(rows, columns):
        other = cost.copy()
        other[row, column] = 1e6
        forbidden.append(solve(other)[2] - best)
    return min(forbidden, default=float("inf"))


def train(network, losses, batch, steps):
    """AdamW steps on the same batch with the official groups and clipping; returns the terms of the loss before each step and the norms."""
    images, targets = batch
    trained = {name: p for name, p in network.named_parameters() if p.requires_grad}
    groups = [{"params": [p for name, p in trained.items() if ("backbone" in name) == is_backbone], "lr": rate}
              for is_backbone, rate in ((False, RATE), (True, BACKBONE_RATE))]
    optimizer = torch.optim.AdamW(groups, lr=RATE, weight_decay=DECAY, foreach=False)
    terms, norms = [], []
    for _ in range(steps):
        terms.append(losses(network(images), targets))
        optimizer.zero_grad(set_to_none=True)
        total(terms[-1]).backward()
        norms.append(torch.nn.utils.clip_grad_norm_(network.parameters(), CLIP).item())
        optimizer.step()
    return [numbers(x) for x in terms], norms


def numbers(terms):
    """The terms and their weighted sum as Python numbers."""
    return {name: x.item() for name, x in terms.items()} | {"total": total(terms).item()}
