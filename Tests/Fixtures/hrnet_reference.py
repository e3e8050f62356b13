"""The official HRNets as the reference: four checkouts, run as they are; nothing of them is copied here.

What differs from the official scripts: ordinary batch norm in place of the synchronised one, no dropout, bodies as narrow as wanted.
"""
import contextlib
import dataclasses
import importlib.util
import pathlib
import sys
import types
import warnings

import numpy as np
import torch

import fixture_hash

# Folder below --official -> repository, commit, files, fnv1a64 of the files one after the other.
SOURCES = {
    "pose": ("leoxiaobin/deep-high-resolution-net.pytorch", "6f69e4676ad8d43d0d61b64b1b9726f0c369e7b1",
             ["lib/models/pose_hrnet.py", "lib/core/loss.py"], "f716aa90a01fa16c"),
    "segmentation": ("HRNet/HRNet-Semantic-Segmentation", "88419ab18813f2c9193985e2d4d31d3d07abe839",
                     ["lib/models/seg_hrnet.py", "lib/core/criterion.py"], "d47108cbce97ec03"),
    "ocr": ("HRNet/HRNet-Semantic-Segmentation", "0bbb2880446ddff2d78f8dd7e8c4c610151d5a51",
            ["lib/models/seg_hrnet_ocr.py", "lib/core/criterion.py"], "eb693ca3862ad3f6"),
    "classification": ("HRNet/HRNet-Image-Classification", "f760c988482cdb8a1f69b10b219d669721144582", ["lib/models/cls_hrnet.py"],
                       "51e77930872b8b78"),
}
AUX, MAIN = 0.4, 1.0               # weights of the losses with object context
IGNORE = 255

official = types.SimpleNamespace()  # <folder>_<file without its extension>, see load


class Node(dict):
    """A section of a config, whose keys are attributes, too."""

    __getattr__ = dict.__getitem__


settings = Node(MODEL=Node(ALIGN_CORNERS=True, NUM_OUTPUTS=2), LOSS=Node(BALANCE_WEIGHTS=[AUX, MAIN]))


def load(path):
    """Imports the official modules from the checkouts and stops if one is not at its commit."""
    np.int = int  # of old numpy
    warnings.filterwarnings("ignore", message="`nn.functional.upsample` is deprecated")
    sys.modules["config"] = types.SimpleNamespace(config=settings)
    norms = types.ModuleType("official_ocr.bn_helper")
    norms.BatchNorm2d = norms.BatchNorm2d_class = torch.nn.BatchNorm2d
    norms.relu_inplace = True
    sys.modules["official_ocr"], sys.modules["official_ocr.bn_helper"] = types.ModuleType("official_ocr"), norms
    sys.modules["official_ocr"].__path__ = []
    for folder, (repository, commit, files, checksum) in SOURCES.items():
        content = b"".join((pathlib.Path(path) / folder / name).read_bytes() for name in files)
        found = f"{fixture_hash.fnv1a64(content):016x}"
        assert found == checksum, f"{path}/{folder} is not {repository} at {commit}: its files have the checksum {found}"
        for name in files:
            stem = pathlib.Path(name).stem
            spec = importlib.util.spec_from_file_location(f"official_{folder}.{stem}", pathlib.Path(path) / folder / name)
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            setattr(official, f"{folder}_{stem}", module)


@dataclasses.dataclass(frozen=True)
class Network:
    """The architecture of one case."""

    task: str                      # a folder of SOURCES
    width: int = 8
    modules: tuple = (1, 2, 2)
    blocks: int = 1
    layer1: tuple = (1, 16)        # bottlenecks and channels of their 3x3 convolutions; pose: (4, 64) always
    outputs: int = 5               # keypoints or classes
    align_corners: bool = False
    context: tuple = (32, 16)      # channels of pixels and of keys

    @property
    def momentum(self):
        return 0.01 if self.task == "segmentation" else 0.1


def config(network):
    """What the official file of settings would hold."""
    stages = {f"STAGE{i + 2}": Node(
        NUM_MODULES=network.modules[i], NUM_BRANCHES=i + 2, NUM_BLOCKS=[network.blocks] * (i + 2), BLOCK="BASIC", FUSE_METHOD="SUM",
        NUM_CHANNELS=[network.width * 2**j for j in range(i + 2)]) for i in range(3)}
    first = Node(NUM_CHANNELS=[network.layer1[1]], NUM_BLOCKS=[network.layer1[0]], BLOCK="BOTTLENECK")
    extra = Node(stages, STAGE1=first, FINAL_CONV_KERNEL=1, PRETRAINED_LAYERS=["*"])
    context = Node(MID_CHANNELS=network.context[0], KEY_CHANNELS=network.context[1])
    return Node(MODEL=Node(EXTRA=extra, NUM_JOINTS=network.outputs, ALIGN_CORNERS=network.align_corners, OCR=context),
                DATASET=Node(NUM_CLASSES=network.outputs))


def model(network):
    """The model in training mode, with the weights of its initialisation."""
    if network.task == "pose":
        result = official.pose_pose_hrnet.PoseHighResolutionNet(config(network))
    elif network.task == "classification":
        result = official.classification_cls_hrnet.HighResolutionNet(config(network))
    elif network.task == "ocr":
        result = official.ocr_seg_hrnet_ocr.HighResolutionNet(config(network))
    else:
        result = official.segmentation_seg_hrnet.HighResolutionNet(config(network))
    for module in result.modules():
        if isinstance(module, torch.nn.Dropout2d):
            module.p = 0.0
    return result.train()


def fusions(network):
    """Name -> module whose outputs are the fusions of one exchange module: stage2.0 and so on."""
    return {name: module for name, module in network.named_modules() if name.startswith("stage") and name.count(".") == 1}


def criterion(network, dtype, weights, threshold, kept):
    """The loss of outputs and targets: (outputs, targets) -> terms with `total`."""
    if network.task == "pose":
        plain = official.pose_loss.JointsMSELoss(use_target_weight=True)
        return lambda x, targets: {"total": plain(x, *targets)}
    if network.task == "classification":
        return lambda x, labels: {"total": torch.nn.functional.cross_entropy(x, labels)}
    weights = torch.tensor(weights, dtype=dtype)
    if network.task == "segmentation":
        hard = official.segmentation_criterion.OhemCrossEntropy(IGNORE, threshold, kept, weights)
        plain = official.segmentation_criterion.CrossEntropy(IGNORE, weights)
        return lambda x, labels: {"total": hard(x, labels), "plain": plain(x, labels).detach()}
    hard = official.ocr_criterion.OhemCrossEntropy(IGNORE, threshold, kept, weights)
    settings.MODEL["ALIGN_CORNERS"] = network.align_corners
    # The training script takes the mean, over all pixels of the auxiliary logits.
    return lambda x, labels: {"total": hard(x, labels).mean(), "main": hard._ohem_forward(x[1], labels).detach(),
                              "aux": hard._ce_forward(x[0], labels).mean().detach()}


def null_gradients(network):
    """Parameters whose gradient is zero in exact arithmetic: a batch norm subtracts the bias of the convolution before it."""
    return {"pose": [], "segmentation": ["last_layer.0.bias"], "ocr": ["conv3x3_ocr.0.bias", "aux_head.0.bias"],
            "classification": [f"downsamp_modules.{i}.0.bias" for i in range(3)] + ["final_layer.0.bias"]}[network.task]


def optimizer(network, parameters, rate):
    """Adam as the pose script builds it, SGD as the segmentation script does."""
    if network.task == "pose":
        return torch.optim.Adam(parameters, lr=rate)
    return torch.optim.SGD(parameters, lr=rate, momentum=0.9, weight_decay=5e-4)


@contextlib.contextmanager
def precision(dtype):
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)
