"""MAT as plain PyTorch, written from the paper's description and its published sizes; nothing of the authors' code is copied here.

Names and shapes of parameters and buffers are those of the authors' checkpoints. Images are [n, 3, h, w] in -1...1, masks [n, 1, h, w]
with 1 = known. All randomness comes in: z, and the 0/1 maps of the two mixings. The noise of the second stage is the constant one.
"""
import dataclasses
import math

import torch
import torch.nn.functional as F
from torch import nn

TAPS = (1.0, 3.0, 3.0, 1.0)
ROOT2 = math.sqrt(2.0)
NOISE_DECAY = 0.995


@dataclasses.dataclass(frozen=True)
class Network:
    """The sizes of both networks."""

    resolution: int = 256
    channel_base: int = 32768
    channel_max: int = 512
    z_dim: int = 512
    w_dim: int = 512
    mapping_layers: int = 8
    width: int = 180
    heads: int = 6
    mlp_ratio: int = 2
    depths: tuple = (2, 3, 4, 3, 2)
    windows: tuple = (8, 16, 16, 16, 8)
    minibatch_group: int = 8

    def channels(self, resolution):
        return min(self.channel_max, self.channel_base // resolution)

    @property
    def grids(self):
        first = min(64, self.resolution // 2)
        return tuple(first // f for f in (1, 2, 4, 2, 1))

    @property
    def steps(self):
        return int(math.log2(self.resolution // self.grids[0]))

    @property
    def style_count(self):
        return 2 * int(math.log2(self.resolution)) - 6


def lrelu(x):
    return F.leaky_relu(x, 0.2) * ROOT2


def resample_filter():
    taps = torch.tensor(TAPS)
    return torch.outer(taps, taps) / taps.sum() ** 2


def fir(x, taps, up=1, down=1, before=0, after=0, gain=1.0):
    """Zeros between the samples, zeros around them, the filter, every down-th sample."""
    n, c, h, w = x.shape
    if up > 1:
        stuffed = x.new_zeros(n, c, h, up, w, up)
        stuffed[:, :, :, 0, :, 0] = x
        x = stuffed.reshape(n, c, h * up, w * up)
    x = F.pad(x, (before, after, before, after))
    weight = (taps.to(x.dtype).flip(0, 1) * gain)[None, None].expand(c, 1, -1, -1)
    return F.conv2d(x, weight, stride=down, groups=c)


def resampled_conv(x, weight, taps, resampling, groups=1):
    """A correlation at the same, half or twice the resolution; weight [out, in / groups, k, k]."""
    k = weight.shape[-1]
    if resampling == "same":
        return F.conv2d(x, weight, padding=k // 2, groups=groups)
    if resampling == "down" and k == 1:
        return F.conv2d(fir(x, taps, down=2, before=1, after=1), weight, groups=groups)
    if resampling == "down":
        return F.conv2d(fir(x, taps, before=2, after=2), weight, stride=2, groups=groups)
    out, per, _, _ = weight.shape
    turned = weight.flip(2, 3).reshape(groups, out // groups, per, k, k).transpose(1, 2).reshape(groups * per, out // groups, k, k)
    return fir(F.conv_transpose2d(x, turned, stride=2, groups=groups), taps, before=1, after=1, gain=4.0)


class FC(nn.Module):
    def __init__(self, inputs, outputs, act=False, rate=1.0, bias=0.0):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) / rate)
        self.bias = nn.Parameter(torch.full((outputs,), bias))
        self.act, self.rate = act, rate

    def forward(self, x):
        y = F.linear(x, self.weight * (self.rate / math.sqrt(self.weight.shape[1])), self.bias * self.rate)
        return lrelu(y) if self.act else y


class Conv(nn.Module):
    def __init__(self, inputs, outputs, k, resampling="same", act=True, bias=True, gain=1.0):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, k, k))
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None
        self.register_buffer("resample_filter", resample_filter())
        self.resampling, self.act, self.gain = resampling, act, gain

    def forward(self, x):
        y = resampled_conv(x, self.weight / math.sqrt(self.weight[0].numel()), self.resample_filter, self.resampling)
        if self.bias is not None:
            y = y + self.bias[:, None, None]
        return (lrelu(y) if self.act else y) * self.gain


class Partial(nn.Module):
    def __init__(self, inputs, outputs, resampling="same"):
        super().__init__()
        self.conv = Conv(inputs, outputs, 3, resampling)

    def forward(self, x, mask=None):
        y = self.conv(x)
        if mask is None:
            return y, None
        stride = 2 if self.conv.resampling == "down" else 1
        known = F.conv2d(mask, mask.new_ones(1, 1, 3, 3), stride=stride, padding=1)
        updated = known.clamp(0, 1)
        return y * (9 / (known + 1e-8) * updated), updated


class Modulated(nn.Module):
    def __init__(self, inputs, outputs, k, style, resampling="same", demodulate=True):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(1, outputs, inputs, k, k))
        self.register_buffer("resample_filter", resample_filter())
        self.affine = FC(style, inputs, bias=1.0)
        self.resampling, self.demodulate = resampling, demodulate

    def forward(self, x, style):
        n, c, h, w = x.shape
        _, out, _, k, _ = self.weight.shape
        weight = self.weight / math.sqrt(c * k * k) * self.affine(style)[:, None, :, None, None]
        if self.demodulate:
            weight = weight * (weight.square().sum((2, 3, 4), keepdim=True) + 1e-8).rsqrt()
        y = resampled_conv(x.reshape(1, n * c, h, w), weight.reshape(n * out, c, k, k), self.resample_filter, self.resampling, groups=n)
        return y.reshape(n, out, *y.shape[2:])


class StyleConv(nn.Module):
    def __init__(self, inputs, outputs, style, resampling="same", resolution=None):
        super().__init__()
        self.conv = Modulated(inputs, outputs, 3, style, resampling)
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.has_noise = resolution is not None
        if self.has_noise:
            self.noise_strength = nn.Parameter(torch.zeros(()))
            self.register_buffer("noise_const", torch.randn(resolution, resolution))

    def forward(self, x, style):
        y = self.conv(x, style)
        if self.has_noise:
            y = y + self.noise_const * self.noise_strength
        return lrelu(y + self.bias[:, None, None])


class ToRGB(nn.Module):
    def __init__(self, inputs, style):
        super().__init__()
        self.conv = Modulated(inputs, 3, 1, style, demodulate=False)
        self.bias = nn.Parameter(torch.zeros(3))
        self.register_buffer("resample_filter", resample_filter())

    def forward(self, x, style, picture=None):
        y = self.conv(x, style) + self.bias[:, None, None]
        return y if picture is None else y + fir(picture, self.resample_filter, up=2, before=2, after=1, gain=4.0)


class Mapping(nn.Module):
    def __init__(self, net):
        super().__init__()
        self.register_buffer("w_avg", torch.zeros(net.w_dim))
        self.count, self.layers = net.style_count, net.mapping_layers
        for i in range(net.mapping_layers):
            setattr(self, f"fc{i}", FC(net.z_dim if i == 0 else net.w_dim, net.w_dim, act=True, rate=0.01))

    def forward(self, z, psi=1.0, updates=False):
        x = z * (z.square().mean(1, keepdim=True) + 1e-8).rsqrt()
        for i in range(self.layers):
            x = getattr(self, f"fc{i}")(x)
        if updates:
            mean = x.detach().mean(0)
            self.w_avg.copy_(mean + NOISE_DECAY * (self.w_avg - mean))
        x = x[:, None].repeat(1, self.count, 1)
        return x if psi == 1 else self.w_avg + psi * (x - self.w_avg)


class Attention(nn.Module):
    def __init__(self, net):
        super().__init__()
        self.q, self.k, self.v, self.proj = (FC(net.width, net.width) for _ in range(4))
        self.heads = net.heads

    def forward(self, x, bias):
        """x [windows, tokens, c], bias [windows, 1, tokens or 1, tokens] or None."""
        b, t, c = x.shape

        def split(y):
            return y.reshape(b, t, self.heads, c // self.heads).transpose(1, 2)
        unit = F.normalize(x, dim=-1)
        scores = split(self.q(unit)) @ split(self.k(unit)).transpose(2, 3) / math.sqrt(c // self.heads)
        weights = (scores if bias is None else scores + bias).softmax(-1)
        return self.proj((weights @ split(self.v(x))).transpose(1, 2).reshape(b, t, c))


def windows(x, length):
    n, h, w, c = x.shape
    return x.reshape(n, h // length, length, w // length, length, c).transpose(2, 3).reshape(-1, length * length, c)


def unwindows(x, length, h, w):
    return x.reshape(-1, h // length, w // length, length, length, x.shape[-1]).transpose(2, 3).reshape(-1, h, w, x.shape[-1])


def shift_mask(grid, length, shift):
    def region(i):
        return 0 if i < grid - length else 1 if i < grid - shift else 2
    labels = torch.tensor([[3.0 * region(i) + region(j) for j in range(grid)] for i in range(grid)])
    labels = windows(labels[None, :, :, None], length)[..., 0]
    return torch.where(labels[:, None, :] == labels[:, :, None], 0.0, -100.0)


class MLP(nn.Module):
    def __init__(self, net):
        super().__init__()
        self.fc1, self.fc2 = FC(net.width, net.mlp_ratio * net.width, act=True), FC(net.mlp_ratio * net.width, net.width)

    def forward(self, x):
        return self.fc2(self.fc1(x))


class Block(nn.Module):
    def __init__(self, net, stage, index):
        super().__init__()
        self.grid, self.length = net.grids[stage], min(net.windows[stage], net.grids[stage])
        self.shift = net.windows[stage] // 2 if index % 2 and self.grid > net.windows[stage] else 0
        self.attn, self.fuse, self.mlp = Attention(net), FC(2 * net.width, net.width, act=True), MLP(net)
        if self.shift:
            self.register_buffer("attn_mask", shift_mask(self.grid, self.length, self.shift))

    def forward(self, x, mask):
        """x [n, h, w, c], mask [n, h, w, 1] or None."""
        n, h, w, _ = x.shape

        def cut(y):
            return windows(torch.roll(y, (-self.shift, -self.shift), (1, 2)), self.length)

        def joined(y):
            return torch.roll(unwindows(y, self.length, h, w), (self.shift, self.shift), (1, 2))
        bias, valid = None, None if mask is None else cut(mask)
        if valid is not None:
            bias = torch.where(valid > 0, 0.0, -100.0).to(x.dtype)[..., 0][:, None, None, :]
        if self.shift:
            ofPairs = self.attn_mask.repeat(n, 1, 1)[:, None]
            bias = ofPairs if bias is None else bias + ofPairs
        attended = joined(self.attn(cut(x), bias))
        y = self.mlp(self.fuse(torch.cat([x, attended], -1)))
        if valid is not None:
            mask = joined(valid.sum(1, keepdim=True).clamp(0, 1).expand_as(valid))
        return y, mask


class Wrapped(nn.Module):
    """A convolution below one more name."""

    def __init__(self, conv):
        super().__init__()
        self.conv = conv


def first_to_last(x):
    return x.permute(0, 2, 3, 1)


def last_to_first(x):
    return x.permute(0, 3, 1, 2)


class Stage(nn.Module):
    def __init__(self, net, stage):
        super().__init__()
        if stage > 0:
            self.downsample = Wrapped(Partial(net.width, net.width, "down" if stage < 3 else "up"))
        self.blocks = nn.ModuleList(Block(net, stage, i) for i in range(net.depths[stage]))
        self.conv = Partial(net.width, net.width)
        self.first = stage == 0

    def forward(self, x, mask, seen, name):
        if not self.first:
            x, mask = self.downsample.conv(x, mask)
        tokens, mask = first_to_last(x), None if mask is None else first_to_last(mask)
        for i, block in enumerate(self.blocks):
            tokens, mask = block(tokens, mask)
            seen(f"{name}.blocks.{i}", last_to_first(tokens), None if mask is None else last_to_first(mask))
        y, mask = self.conv(last_to_first(tokens), None if mask is None else last_to_first(mask))
        return y + x, mask


class StyleBlock(nn.Module):
    def __init__(self, net):
        super().__init__()
        self.conv0, self.conv1 = StyleConv(net.width, net.width, 3 * net.width, "up"), StyleConv(net.width, net.width, 3 * net.width)
        self.toRGB = ToRGB(net.width, 3 * net.width)

    def forward(self, x, skip, picture, style):
        x = self.conv1(self.conv0(x, style) + skip, style)
        return x, self.toRGB(x, style, picture)


class FirstStage(nn.Module):
    def __init__(self, net):
        super().__init__()
        width, coarsest = net.width, net.grids[2]
        self.conv_first = Partial(4, width)
        self.enc_conv = nn.ModuleList(Partial(width, width, "down") for _ in range(net.steps))
        self.tran = nn.ModuleList(Stage(net, i) for i in range(5))
        self.down_conv = nn.ModuleList(Conv(width, width, 3, "down") for _ in range(int(math.log2(coarsest))))
        self.to_style, self.ws_style = FC(width, 2 * width, act=True), FC(net.w_dim, width, act=True)
        self.to_square = FC(width, coarsest * coarsest, act=True)
        self.dec_conv = nn.ModuleList(StyleBlock(net) for _ in range(net.steps))

    def forward(self, image, mask, w, keep, seen):
        x, known = self.conv_first(torch.cat([mask - 0.5, image * mask], 1), mask)
        seen("conv_first", x, known)
        skips = []
        for i, conv in enumerate(self.enc_conv):
            skips.append(x)
            x, known = conv(x, known)
            seen(f"enc_conv.{i}", x, known)
        body = []
        for i, stage in enumerate(self.tran):
            x, known = stage(x, known if i < 2 else None, seen, f"tran.{i}")
            seen(f"tran.{i}", x, known)
            if i < 2:
                body.append(x)
            elif i == 2:
                x, style = self.manipulated(x, w, keep)
            else:
                x = x + body[4 - i]
        picture = None
        for block, skip in zip(self.dec_conv, reversed(skips)):
            x, picture = block(x, skip, picture, style)
        return picture * (1 - mask) + image * mask

    def manipulated(self, x, w, keep):
        n, _, h, wide = x.shape
        noise = self.ws_style(w)
        added = F.interpolate(self.to_square(noise)[:, None], size=h * wide, mode="linear", align_corners=False).reshape(n, 1, h, wide)
        x = x * keep + added * (1 - keep)
        y = x
        for conv in self.down_conv:
            y = conv(y)
        return x, torch.cat([self.to_style(y.mean((2, 3))), noise], 1)


class EncoderBlock(nn.Module):
    def __init__(self, inputs, outputs, first):
        super().__init__()
        self.conv0 = Conv(inputs, outputs, 1 if first else 3, "same" if first else "down")
        self.conv1 = Conv(outputs, outputs, 3)

    def forward(self, x):
        return self.conv1(self.conv0(x))


class Encoder(nn.Module):
    def __init__(self, net):
        super().__init__()
        self.names, r = [], net.resolution
        while r >= 16:
            first = r == net.resolution
            self.names.append(f"EncConv_Block_{r}x{r}")
            setattr(self, self.names[-1], EncoderBlock(7 if first else net.channels(2 * r), net.channels(r), first))
            r //= 2

    def forward(self, x):
        features = []
        for name in self.names:
            x = getattr(self, name)(x)
            features.append(x)
        return features


class ToStyle(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv = nn.ModuleList(Conv(channels, channels, 3, "down") for _ in range(3))
        self.fc = FC(channels, 2 * channels, act=True)

    def forward(self, x):
        for conv in self.conv:
            x = conv(x)
        return self.fc(x.mean((2, 3)))


class DecoderBlock(nn.Module):
    def __init__(self, net, r, style):
        super().__init__()
        c = net.channels(r)
        self.conv0 = Conv(c, c, 3) if r == 16 else StyleConv(net.channels(r // 2), c, style, "up", r)
        self.conv1, self.toRGB = StyleConv(c, c, style, resolution=r), ToRGB(c, style)


class Decoder(nn.Module):
    def __init__(self, net, style):
        super().__init__()
        self.sizes = [16 << i for i in range(int(math.log2(net.resolution)) - 3)]
        for r in self.sizes:
            setattr(self, f"Dec_{r}x{r}", DecoderBlock(net, r, style))

    def forward(self, features, style, seen):
        x, picture = features[-1], None
        for step, r in enumerate(self.sizes):
            block = getattr(self, f"Dec_{r}x{r}")
            x = (block.conv0(x) if step == 0 else block.conv0(x, style(2 * step - 1))) + features[-1 - step]
            x = block.conv1(x, style(2 * step))
            picture = block.toRGB(x, style(2 * step + 1), picture)
            seen(f"dec.Dec_{r}x{r}", picture, None)
        return picture


class Synthesis(nn.Module):
    def __init__(self, net):
        super().__init__()
        c = net.channels(16)
        self.first_stage, self.enc = FirstStage(net), Encoder(net)
        self.to_square, self.to_style = FC(net.w_dim, 256, act=True), ToStyle(c)
        self.dec = Decoder(net, net.w_dim + 2 * c)

    def forward(self, image, mask, ws, keep_first, keep_second, seen):
        first = self.first_stage(image, mask, ws[:, -1], keep_first, lambda name, x, m: seen(f"first_stage.{name}", x, m))
        x = torch.cat([mask - 0.5, image * mask + first * (1 - mask), image * mask], 1)
        features = self.enc(x)
        coarse = features[-1]
        added = self.to_square(ws[:, 0]).reshape(-1, 1, 16, 16)
        features[-1] = coarse * keep_second + added * (1 - keep_second)
        own = self.to_style(features[-1])
        seen("to_style", own, None)
        picture = self.dec(features, lambda k: torch.cat([ws[:, k], own], 1), seen)
        return picture * (1 - mask) + image * mask, first


class Generator(nn.Module):
    def __init__(self, net):
        super().__init__()
        self.net, self.mapping, self.synthesis = net, Mapping(net), Synthesis(net)

    def styles(self, z, psi=1.0, mixing=None):
        """mixing: (z, cutoff)."""
        ws = self.mapping(z, psi, updates=self.training)
        if mixing is None:
            return ws
        return torch.cat([ws[:, :mixing[1]], self.mapping(mixing[0], psi)[:, mixing[1]:]], 1)

    def forward(self, image, mask, draws, psi=1.0, seen=lambda *_: None):
        """draws: z, mixing or None, and the two maps [n, width, g, g] and [n, c, 16, 16]; gives both pictures and the styles."""
        ws = self.styles(draws["z"], psi, draws.get("mixing"))
        picture, first = self.synthesis(image, mask, ws, draws["keep_first_stage"], draws["keep_second_stage"], seen)
        return picture, first, ws


class FromRGB(nn.Module):
    def __init__(self, outputs):
        super().__init__()
        self.conv = Conv(4, outputs, 1)

    def forward(self, x):
        return self.conv(x)


class DisBlock(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        half = math.sqrt(0.5)
        self.conv0, self.conv1 = Conv(inputs, inputs, 3), Conv(inputs, outputs, 3, "down", gain=half)
        self.skip = Conv(inputs, outputs, 1, "down", act=False, bias=False, gain=half)

    def forward(self, x):
        return self.skip(x) + self.conv1(self.conv0(x))


class MinibatchDeviation(nn.Module):
    def __init__(self, group):
        super().__init__()
        self.group = group

    def forward(self, x):
        n, c, h, w = x.shape
        group = min(self.group, n)
        y = x.reshape(group, n // group, c, h, w)
        deviation = ((y - y.mean(0)).square().mean(0) + 1e-8).sqrt().mean((1, 2, 3))
        return torch.cat([x, deviation.repeat(group)[:, None, None, None].expand(n, 1, h, w)], 1)


class Discriminator(nn.Module):
    def __init__(self, net):
        super().__init__()
        sizes = [net.resolution >> i for i in range(int(math.log2(net.resolution)) - 2)]
        for suffix, share in (("", 1), ("_stg1", 2)):
            def c(r):
                return net.channels(r) // share
            last = c(4)
            tower = [FromRGB(c(net.resolution))] + [DisBlock(c(r), c(r // 2)) for r in sizes]
            tower += [MinibatchDeviation(net.minibatch_group), Conv(last + 1, last, 3)]
            setattr(self, f"Dis{suffix}", nn.Sequential(*tower))
            setattr(self, f"fc0{suffix}", FC(16 * last, last, act=True))
            setattr(self, f"fc1{suffix}", FC(last, 1))

    def forward(self, image, mask, first):
        x = self.fc1(self.fc0(self.Dis(torch.cat([mask - 0.5, image], 1)).flatten(1)))
        y = self.fc1_stg1(self.fc0_stg1(self.Dis_stg1(torch.cat([mask - 0.5, first], 1)).flatten(1)))
        return x, y


def loss_g(logits):
    return sum(F.softplus(-x).mean() for x in logits)


def loss_d(fake, real):
    return sum(F.softplus(x).mean() for x in fake) + sum(F.softplus(-x).mean() for x in real)


def r1(discriminator, image, mask):
    """The squared lengths of the gradients of both logits with respect to the picture, means over the batch."""
    a, b = (image.detach().requires_grad_() for _ in range(2))
    x, y = discriminator(a, mask, b)
    slopes = torch.autograd.grad(x.sum() + y.sum(), [a, b], create_graph=True)
    return tuple(slope.square().sum((1, 2, 3)).mean() for slope in slopes)
