"""DeepSORT's appearance network and losses of feature vectors, written from their definitions with PyTorch's layers."""
import torch
import torch.nn.functional as F
from torch import nn


class OffsetNorm(nn.BatchNorm2d):
    """Batch normalisation with an offset and no scale."""

    def __init__(self, channels, momentum):
        super().__init__(channels, eps=1e-3, momentum=momentum)
        self.weight = None

    def _check_input_dim(self, x):
        pass


def padded_as_same(x, kernel, stride, value=0.0):
    """TensorFlow's SAME: ceil(length / stride) results; an odd padding has one more below and on the right."""
    pads = []
    for length in (x.shape[3], x.shape[2]):
        total = max(0, (-(-length // stride) - 1) * stride + kernel - length)
        pads += [total // 2, total - total // 2]
    return F.pad(x, pads, value=value)


class Block(nn.Module):
    def __init__(self, inputs, outputs, first, momentum):
        super().__init__()
        self.stride = 1 if inputs == outputs else 2
        self.norm1 = None if first else OffsetNorm(inputs, momentum)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, self.stride, bias=False)
        self.norm2 = OffsetNorm(outputs, momentum)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.shortcut = None if self.stride == 1 else nn.Conv2d(inputs, outputs, 1, 2, bias=False)

    def forward(self, x):
        y = x if self.norm1 is None else F.elu(self.norm1(x))
        y = F.elu(self.norm2(self.conv1(padded_as_same(y, 3, self.stride))))
        return (x if self.shortcut is None else self.shortcut(x)) + self.conv2(y)


class AppearanceNetwork(nn.Module):
    """Without dropout. The columns of the dense layer are in the order of rows, columns, channels."""

    def __init__(self, height=128, width=64, channels=32, features=128, pooling="valid", decay=0.999):
        super().__init__()
        c, momentum, self.pooling = channels, 1 - decay, pooling
        self.conv1 = nn.Conv2d(3, c, 3, padding=1, bias=False)
        self.norm1 = OffsetNorm(c, momentum)
        self.conv2 = nn.Conv2d(c, c, 3, padding=1, bias=False)
        self.norm2 = OffsetNorm(c, momentum)
        shapes = [(c, c), (c, c), (c, 2 * c), (2 * c, 2 * c), (2 * c, 4 * c), (4 * c, 4 * c)]
        self.blocks = nn.ModuleList(Block(*shape, i == 0, momentum) for i, shape in enumerate(shapes))
        self.dense = nn.Linear(height // 8 * (width // 8) * 4 * c, features, bias=False)
        self.norm3 = OffsetNorm(features, momentum)
        self.ball = OffsetNorm(features, momentum)

    def forward(self, x):
        x = F.elu(self.norm1(self.conv1(x)))
        x = F.elu(self.norm2(self.conv2(x)))
        if self.pooling == "same":
            x = padded_as_same(x, 3, 2, float("-inf"))
        x = F.max_pool2d(x, 3, 2)
        for block in self.blocks:
            x = block(x)
        x = self.dense(x.permute(0, 2, 3, 1).flatten(1))
        x = self.ball(F.elu(self.norm3(x)))
        return x / (1e-8 + (x * x).sum(1, keepdim=True)).sqrt()


def cosine_softmax(r, labels, weight, scale):
    logits = F.softplus(scale) * r @ F.normalize(weight, eps=0).T
    return F.cross_entropy(logits, labels)


def all_pairs(labels):
    return [(i, j) for i in range(len(labels)) for j in range(i + 1, len(labels))]


def shares(same, balanced):
    """The weight of each pair in a mean."""
    if not balanced:
        return torch.full((len(same),), 1 / len(same), dtype=torch.float64)
    return torch.where(same, 0.5 / same.double().sum(), 0.5 / (~same).double().sum())


def contrastive(r, labels, margin, balanced):
    i, j = map(list, zip(*all_pairs(labels)))
    same = labels[i] == labels[j]
    d = (r[i] - r[j]).norm(dim=1)
    losses = torch.where(same, 0.5 * d**2, 0.5 * F.relu(margin - d) ** 2)
    return (losses * shares(same, balanced)).sum()


def hinge(difference, margin, soft):
    return F.softplus(difference) if soft else F.relu(difference + margin)


def triplet(r, labels, margin, soft):
    losses = [hinge((r[a] - r[p]).norm() - (r[a] - r[n]).norm(), margin, soft)
              for a in range(len(labels)) for p in range(len(labels)) for n in range(len(labels))
              if a != p and labels[a] == labels[p] and labels[a] != labels[n]]
    return torch.stack(losses).mean()


def batch_hard(r, labels, margin, soft):
    losses = []
    for a in range(len(labels)):
        near = [(r[a] - r[p]).norm() for p in range(len(labels)) if p != a and labels[p] == labels[a]]
        far = [(r[a] - r[n]).norm() for n in range(len(labels)) if labels[n] != labels[a]]
        if near and far:
            losses.append(hinge(torch.stack(near).max() - torch.stack(far).min(), margin, soft))
    return torch.stack(losses).mean()


def verification(r, labels, weight, bias, balanced):
    i, j = map(list, zip(*all_pairs(labels)))
    same = labels[i] == labels[j]
    logits = (r[i] - r[j]).abs() @ weight[0] + bias
    losses = F.binary_cross_entropy_with_logits(logits, same.double(), reduction="none")
    return (losses * shares(same, balanced)).sum()
