"""DETR-R50 and its loss in PyTorch, written for the benchmarks: the architecture and the recipe of Carion et al. 2020."""
import math

import torch
from scipy.optimize import linear_sum_assignment
from torch import nn
from torch.nn import functional as F


class FrozenBatchNorm(nn.Module):
    def __init__(self, channels):
        super().__init__()
        for name, value in (("weight", 1.0), ("bias", 0.0), ("mean", 0.0), ("variance", 1.0)):
            self.register_buffer(name, torch.full((channels,), value))

    def forward(self, x):
        scale = self.weight * (self.variance + 1e-5).rsqrt()
        shift = self.bias - self.mean * scale
        return x * scale.view(1, -1, 1, 1) + shift.view(1, -1, 1, 1)


class Bottleneck(nn.Module):
    def __init__(self, inputs, width, stride):
        super().__init__()
        outputs = 4 * width
        self.body = nn.Sequential(
            nn.Conv2d(inputs, width, 1, bias=False), FrozenBatchNorm(width), nn.ReLU(inplace=True),
            nn.Conv2d(width, width, 3, stride, 1, bias=False), FrozenBatchNorm(width), nn.ReLU(inplace=True),
            nn.Conv2d(width, outputs, 1, bias=False), FrozenBatchNorm(outputs))
        same = stride == 1 and inputs == outputs
        self.shortcut = nn.Identity() if same else nn.Sequential(
            nn.Conv2d(inputs, outputs, 1, stride, bias=False), FrozenBatchNorm(outputs))

    def forward(self, x):
        return torch.relu_(self.body(x) + self.shortcut(x))


def resnet50():
    """The stem and four stages; stem and first stage are not trained."""
    stem = nn.Sequential(nn.Conv2d(3, 64, 7, 2, 3, bias=False), FrozenBatchNorm(64), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1))
    stages, inputs = [], 64
    for index, blocks in enumerate((3, 4, 6, 3)):
        width = 64 << index
        stage = [Bottleneck(inputs if b == 0 else 4 * width, width, 2 if b == 0 and index > 0 else 1) for b in range(blocks)]
        stages.append(nn.Sequential(*stage))
        inputs = 4 * width
    for part in (stem, stages[0]):
        part.requires_grad_(False)
    return nn.Sequential(stem, *stages)


def sine_positions(h, w, half=128):
    def axis(length):
        angle = 2 * math.pi * torch.arange(1, length + 1) / (length + 1e-6)
        waves = angle[:, None] / 10000 ** (2 * (torch.arange(half) // 2) / half)
        return torch.stack((waves[:, 0::2].sin(), waves[:, 1::2].cos()), 2).flatten(1)
    y, x = axis(h)[:, None].expand(h, w, half), axis(w)[None].expand(h, w, half)
    return torch.cat((y, x), 2).reshape(1, h * w, 2 * half)


class Layer(nn.Module):
    """An encoder layer, or with `is_decoder` one that also attends to the encoder's result."""

    def __init__(self, is_decoder, width=256, heads=8, hidden=2048, dropout=0.1):
        super().__init__()
        self.attention = nn.MultiheadAttention(width, heads, dropout, batch_first=True)
        self.cross = nn.MultiheadAttention(width, heads, dropout, batch_first=True) if is_decoder else None
        self.linear1, self.linear2 = nn.Linear(width, hidden), nn.Linear(hidden, width)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3 if is_decoder else 2))
        self.dropout = nn.Dropout(dropout)

    def forward(self, x, positions, memory=None, memory_positions=None):
        q = x + positions
        x = self.norms[0](x + self.dropout(self.attention(q, q, x, need_weights=False)[0]))
        if self.cross is not None:
            y = self.cross(x + positions, memory + memory_positions, memory, need_weights=False)[0]
            x = self.norms[1](x + self.dropout(y))
        y = self.linear2(self.dropout(torch.relu(self.linear1(x))))
        return self.norms[-1](x + self.dropout(y))


class DETR(nn.Module):
    def __init__(self, classes=91, queries=100, width=256, is_auxiliary=True):
        super().__init__()
        self.body = resnet50()
        self.projection = nn.Conv2d(2048, width, 1)
        self.encoder = nn.ModuleList(Layer(False) for _ in range(6))
        self.decoder = nn.ModuleList(Layer(True) for _ in range(6))
        self.norm = nn.LayerNorm(width)
        self.queries = nn.Embedding(queries, width)
        self.classes = nn.Linear(width, classes + 1)
        self.boxes = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 4))
        self.is_auxiliary = is_auxiliary

    def forward(self, images):
        cells = self.projection(self.body(images))
        n, _, h, w = cells.shape
        memory, positions = cells.flatten(2).transpose(1, 2), sine_positions(h, w)
        for layer in self.encoder:
            memory = layer(memory, positions)
        queries = self.queries.weight[None].expand(n, -1, -1)
        x, outputs = torch.zeros_like(queries), []
        for layer in self.decoder:
            x = layer(x, queries, memory, positions)
            outputs.append(self.norm(x))
        hidden = torch.stack(outputs if self.is_auxiliary else outputs[-1:])
        return self.classes(hidden), self.boxes(hidden).sigmoid()


def corners(boxes):
    centre, size = boxes[..., :2], boxes[..., 2:]
    return torch.cat((centre - size / 2, centre + size / 2), -1)


def generalized_iou(a, b):
    """Of boxes by corners; shapes are broadcast."""
    inner = (torch.minimum(a[..., 2:], b[..., 2:]) - torch.maximum(a[..., :2], b[..., :2])).clamp(min=0).prod(-1)
    outer = (torch.maximum(a[..., 2:], b[..., 2:]) - torch.minimum(a[..., :2], b[..., :2])).prod(-1)
    union = (a[..., 2:] - a[..., :2]).prod(-1) + (b[..., 2:] - b[..., :2]).prod(-1) - inner
    return inner / union - (outer - union) / outer


@torch.no_grad()
def matched(logits, boxes, labels, targets):
    costs = 5 * torch.cdist(boxes, targets, p=1) - logits.softmax(-1)[:, labels]
    costs = costs - 2 * generalized_iou(corners(boxes)[:, None], corners(targets)[None])
    return [torch.as_tensor(side) for side in linear_sum_assignment(costs.numpy())]


def set_loss(logits, boxes, labels, targets):
    """The weighted sum over all layers: logits [layers, n, queries, classes + 1], boxes [layers, n, queries, 4]."""
    weights = torch.ones(logits.shape[-1])
    weights[-1] = 0.1
    count = max(1, sum(len(item) for item in labels))
    total = 0
    for layer_logits, layer_boxes in zip(logits, boxes):
        classes = torch.full(layer_logits.shape[:2], logits.shape[-1] - 1)
        predicted, truth = [], []
        for i, (item_labels, item_boxes) in enumerate(zip(labels, targets)):
            queries, objects = matched(layer_logits[i], layer_boxes[i], item_labels, item_boxes)
            classes[i, queries] = item_labels[objects]
            predicted.append(layer_boxes[i][queries])
            truth.append(item_boxes[objects])
        predicted, truth = torch.cat(predicted), torch.cat(truth)
        total = total + F.cross_entropy(layer_logits.flatten(0, 1), classes.flatten(), weights)
        total = total + 5 * (predicted - truth).abs().sum() / count
        total = total + 2 * (1 - generalized_iou(corners(predicted), corners(truth))).sum() / count
    return total
