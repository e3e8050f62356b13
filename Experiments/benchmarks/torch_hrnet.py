"""HRNet-W32 for pose in PyTorch, written for the benchmarks: the architecture of Wang et al. 2020."""
import torch
from torch import nn


def unit(inputs, outputs, kernel=3, stride=1, is_rectified=True):
    """A convolution, batch norm and, unless it is the last one before a sum, ReLU."""
    layers = [nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(outputs)]
    return nn.Sequential(*layers, *[nn.ReLU(inplace=True)] * is_rectified)


class Residual(nn.Module):
    def __init__(self, body, shortcut=None):
        super().__init__()
        self.body, self.shortcut = nn.Sequential(*body), shortcut or nn.Identity()

    def forward(self, x):
        return torch.relu_(self.body(x) + self.shortcut(x))


def bottleneck(inputs, width):
    shortcut = None if inputs == 4 * width else unit(inputs, 4 * width, 1, is_rectified=False)
    return Residual([unit(inputs, width, 1), unit(width, width), unit(width, 4 * width, 1, is_rectified=False)], shortcut)


def basic(width):
    return Residual([unit(width, width), unit(width, width, is_rectified=False)])


class Exchange(nn.Module):
    """Four blocks of each resolution, then the fusion into each of the outputs."""

    def __init__(self, widths, outputs):
        super().__init__()
        self.branches = nn.ModuleList(nn.Sequential(*[basic(width) for _ in range(4)]) for width in widths)
        self.fusions = nn.ModuleList(nn.ModuleList(self.path(widths, j, i) for j in range(len(widths))) for i in range(outputs))

    @staticmethod
    def path(widths, j, i):
        if j > i:
            return nn.Sequential(unit(widths[j], widths[i], 1, is_rectified=False), nn.Upsample(scale_factor=2 ** (j - i)))
        return nn.Sequential(*[unit(widths[j], widths[i] if k == i - 1 else widths[j], 3, 2, k < i - 1) for k in range(j, i)])

    def forward(self, x):
        x = [branch(y) for branch, y in zip(self.branches, x)]
        return [torch.relu_(sum(path(y) for path, y in zip(paths[1:], x[1:])) + paths[0](x[0])) for paths in self.fusions]


class HRNet(nn.Module):
    """Heatmaps of 17 keypoints."""

    def __init__(self, width=32, keypoints=17):
        super().__init__()
        widths = [width * 2**i for i in range(4)]
        self.stem = nn.Sequential(
            unit(3, 64, stride=2), unit(64, 64, stride=2), bottleneck(64, 64), *[bottleneck(256, 64) for _ in range(3)])
        self.begin = nn.ModuleList([unit(256, widths[0]), unit(256, widths[1], stride=2)])
        self.further = nn.ModuleList(unit(widths[i], widths[i + 1], stride=2) for i in (1, 2))
        self.stages = nn.ModuleList()
        for modules, branches in ((1, 2), (4, 3), (3, 4)):
            outputs = [1 if branches == 4 and m == 2 else branches for m in range(modules)]
            self.stages.append(nn.ModuleList(Exchange(widths[:branches], count) for count in outputs))
        self.head = nn.Conv2d(width, keypoints, 1)

    def forward(self, images):
        x = self.stem(images)
        x = [layer(x) for layer in self.begin]
        for index, stage in enumerate(self.stages):
            if index:
                x = [*x, self.further[index - 1](x[-1])]
            for module in stage:
                x = module(x)
        return self.head(x[0])
