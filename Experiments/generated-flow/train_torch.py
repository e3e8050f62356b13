"""The training of configs/raft/generated.yaml in PyTorch: torchvision's raft_small on the same pairs, with the same number of steps, batch,
crop, augmentation law, loss, optimiser and schedule. Prints the loss, then the end-point errors on the five real pairs.

    python3 Experiments/generated-flow/train_torch.py ../shared/data --threads 2 --out work_dirs/torch

The settings are read from the config by `apus config show`; --set changes them as in apus. Needs PyTorch and torchvision as pinned in
Experiments/benchmarks/requirements.txt, and Pillow. The random numbers differ from those of apus: compare within the spread of seeds.
"""
import argparse
import contextlib
import json
import math
import os
import random
import statistics
import subprocess
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

_operators = torch.library.Library("torchvision", "FRAGMENT")  # a CPU-only torch beside a stock torchvision lacks these two,
for _name in ("nms", "qnms"):                                  # and torchvision does not import without them
    with contextlib.suppress(RuntimeError):
        _operators.define(_name + "(Tensor a) -> Tensor")

from torchvision.models.optical_flow import raft_small  # noqa: E402
import torchvision.transforms.functional as TF  # noqa: E402

from real_pairs import PAIRS  # noqa: E402


def settings(apus, config, overrides):
    """The resolved config as `section.key` -> number or text."""
    command = [apus, "config", "show", config] + [word for override in overrides for word in ("--set", override)]
    result, section = {}, ""
    for line in subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines():
        key, _, value = line.split("#")[0].partition(":")
        if not line.startswith(" "):
            section = key
        elif value.strip():
            with contextlib.suppress(ValueError):
                value = float(value)
            result[f"{section}.{key.strip()}"] = value if isinstance(value, float) else value.strip()
    return result


def image(path):
    return torch.from_numpy(np.array(Image.open(path).convert("RGB"))).permute(2, 0, 1)


def middlebury_flow(path):
    """[2, h, w] and validity [h, w]."""
    data = open(path, "rb").read()
    width, height = np.frombuffer(data, "<i4", 2, 4)
    flow = torch.from_numpy(np.frombuffer(data, "<f4", 2 * width * height, 12).reshape(height, width, 2).copy()).permute(2, 0, 1)
    return flow, (flow.abs() < 1e9).all(0)


def kitti_flow(path):
    """16-bit RGB, which Pillow cannot read: the chunks of the PNG, unfiltered."""
    import struct
    import zlib
    data, place, packed = open(path, "rb").read(), 8, b""
    while place < len(data):
        size, kind = struct.unpack(">I4s", data[place:place + 8])
        body = data[place + 8:place + 8 + size]
        if kind == b"IHDR":
            width, height = struct.unpack(">II", body[:8])
        elif kind == b"IDAT":
            packed += body
        place += size + 12
    rows = np.frombuffer(zlib.decompress(packed), np.uint8).reshape(height, 1 + 6 * width)
    above, image = np.zeros(6 * width, np.int32), np.zeros((height, 6 * width), np.int32)
    for y in range(height):
        kind, line = rows[y, 0], rows[y, 1:].astype(np.int32)
        if kind == 2:
            line = (line + above) & 255
        elif kind in (1, 3, 4):
            for x in range(6 * width):
                left, corner = (line[x - 6], above[x - 6]) if x >= 6 else (0, 0)
                if kind == 1:
                    guess = left
                elif kind == 3:
                    guess = (left + above[x]) // 2
                else:
                    p = left + above[x] - corner
                    guess = min((abs(p - left), 0, left), (abs(p - above[x]), 1, above[x]), (abs(p - corner), 2, corner))[2]
                line[x] = (line[x] + guess) & 255
        image[y], above = line, line
    values = torch.from_numpy((image[:, 0::2] * 256 + image[:, 1::2]).reshape(height, width, 3)).permute(2, 0, 1)
    return (values[:2].float() - 32768) / 64, values[2] > 0


class Pairs:
    """The training pairs of a folder in the layout of FlyingChairs."""

    def __init__(self, root):
        names = sorted(name for name in os.listdir(f"{root}/data") if name.endswith("_flow.flo"))
        marks = open(f"{root}/FlyingChairs_train_val.txt").read().split()
        self.stems = [f"{root}/data/{name[:-9]}" for name, mark in zip(names, marks) if mark == "1"]

    def __getitem__(self, index):
        stem = self.stems[index]
        flow, valid = middlebury_flow(f"{stem}_flow.flo")
        return image(f"{stem}_img1.ppm"), image(f"{stem}_img2.ppm"), flow, valid


class Augmentation:
    """Colours, eraser, then resize, flips and crop: the order and the laws of RAFT's dense augmentation."""

    def __init__(self, config):
        self.of = lambda key: config[f"augmentation.{key}"]
        self.height, self.width = int(self.of("crop_height")), int(self.of("crop_width"))

    def colours(self, pictures, dice):
        changes = [(change, dice.uniform(max(0, 1 - self.of(key)), 1 + self.of(key))) for change, key in (
            (TF.adjust_brightness, "brightness"), (TF.adjust_contrast, "contrast"), (TF.adjust_saturation, "saturation"))]
        changes.append((TF.adjust_hue, dice.uniform(-self.of("hue"), self.of("hue"))))
        dice.shuffle(changes)
        stacked = torch.cat(pictures, 1)  # one picture: the contrast's mean is common
        for change, amount in changes:
            stacked = change(stacked, amount)
        return list(stacked.split([picture.shape[1] for picture in pictures], 1))

    def erase(self, picture, dice):
        mean = picture.float().mean((1, 2)).to(torch.uint8)[:, None, None]
        picture = picture.clone()
        for _ in range(dice.randint(1, int(self.of("eraser_maximum_count")))):
            left, top = dice.randrange(picture.shape[2]), dice.randrange(picture.shape[1])
            sides = [dice.randint(int(self.of("eraser_minimum_side")), int(self.of("eraser_maximum_side"))) for _ in range(2)]
            picture[:, top:top + sides[0], left:left + sides[1]] = mean
        return picture

    def scale(self, height, width, dice):
        margin = self.of("crop_margin")
        bound = max((self.height + margin) / height, (self.width + margin) / width)
        if self.of("spatial") != "true" or dice.random() >= self.of("resize_probability"):
            return (bound, bound) if height < self.height or width < self.width else (1.0, 1.0)
        base = 2 ** dice.uniform(self.of("minimum_scale"), self.of("maximum_scale"))
        stretch = (0.0, 0.0)
        if dice.random() < self.of("stretch_probability"):
            stretch = [dice.uniform(-self.of("maximum_stretch"), self.of("maximum_stretch")) for _ in range(2)]
        return tuple(max(base * 2 ** s, bound) for s in stretch)

    def __call__(self, first, second, flow, valid, dice):
        if self.of("photometric") == "true":
            if dice.random() < self.of("asymmetric_probability"):
                first, second = self.colours([first], dice)[0], self.colours([second], dice)[0]
            else:
                first, second = self.colours([first, second], dice)
        if self.of("eraser") == "true" and dice.random() < self.of("eraser_probability"):
            second = self.erase(second, dice)
        sx, sy = self.scale(*flow.shape[1:], dice)
        layers = torch.cat([first.float(), second.float(), flow])[None]
        if (sx, sy) != (1.0, 1.0):
            size = (round(layers.shape[2] * sy), round(layers.shape[3] * sx))
            layers = F.interpolate(layers, size, mode="bilinear", align_corners=False)
            layers[:, 6] *= sx
            layers[:, 7] *= sy
        if self.of("spatial") == "true":
            for axis, channel, key in ((3, 6, "horizontal_flip_probability"), (2, 7, "vertical_flip_probability")):
                if dice.random() < self.of(key):
                    layers = layers.flip(axis)
                    layers[:, channel] *= -1
        top = dice.randrange(max(1, layers.shape[2] - self.height))
        left = dice.randrange(max(1, layers.shape[3] - self.width))
        layers = layers[0, :, top:top + self.height, left:left + self.width]
        return layers[:3].round(), layers[3:6].round(), layers[6:]


def predict(network, first, second, iterations):
    return network(2 * (first / 255) - 1, 2 * (second / 255) - 1, num_flow_updates=iterations)


def real_errors(network, samples, iterations):
    """The end-point error of each real pair, padded to multiples of 8 by edge replication."""
    network.eval()
    errors = {}
    for name, ((first, second, truth), _) in PAIRS.items():
        flow, valid = (kitti_flow if truth.endswith(".png") else middlebury_flow)(os.path.join(samples, truth))
        height, width = flow.shape[1:]
        down, right = -height % 8, -width % 8
        padding = (right // 2, right - right // 2, down // 2, down - down // 2)
        pictures = [F.pad(image(os.path.join(samples, path))[None].float(), padding, mode="replicate") for path in (first, second)]
        with torch.no_grad():
            found = predict(network, *pictures, iterations)[-1][0]
        found = found[:, padding[2]:padding[2] + height, padding[0]:padding[0] + width]
        errors[name] = (found - flow).square().sum(0).sqrt()[valid].mean().item()
    network.train()
    return errors


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("samples")
    parser.add_argument("--config", default="configs/raft/generated.yaml")
    parser.add_argument("--apus", default=".build/release/apus")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--evaluate-every", type=int, default=1000)
    parser.add_argument("--out", help="folder for metrics.jsonl and the weights")
    options = parser.parse_args()
    config = settings(options.apus, options.config, options.set)
    torch.set_num_threads(options.threads)
    seed, steps, batch = (int(config[key]) for key in ("plan.seed", "plan.steps", "train.batch_size"))
    torch.manual_seed(seed)
    dice = random.Random(seed)
    if options.out:
        os.makedirs(options.out, exist_ok=True)
    network, pairs, augment = raft_small(weights=None).train(), Pairs(config["data.root"]), Augmentation(config)
    optimizer = torch.optim.AdamW(network.parameters(), lr=config["optimizer.learning_rate"], eps=config["optimizer.epsilon"],
                                  betas=(config["optimizer.beta1"], config["optimizer.beta2"]),
                                  weight_decay=config["optimizer.weight_decay"])
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, config["optimizer.learning_rate"], total_steps=steps + int(config["schedule.padding_steps"]),
        pct_start=config["schedule.pct_start"], cycle_momentum=False, anneal_strategy="linear")
    order, durations, losses = [], [], []
    for step in range(1, steps + 1):
        began, samples = time.time(), []
        for _ in range(batch):
            if not order:
                order = list(range(len(pairs.stems)))
                dice.shuffle(order)
            samples.append(augment(*pairs[order.pop()], dice))
        first, second, flow = (torch.stack(parts) for parts in zip(*samples))
        mask = (flow.square().sum(1, keepdim=True).sqrt() < config["loss.max_flow"]).float()
        optimizer.zero_grad(set_to_none=True)
        flows = predict(network, first, second, int(config["train.iterations"]))
        gamma = config["loss.gamma"]
        loss = sum(gamma ** (len(flows) - 1 - i) * (mask * (found - flow).abs()).mean() for i, found in enumerate(flows))
        if not math.isfinite(loss.item()):
            sys.exit(f"step {step}: the loss is {loss.item()}")
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), config["optimizer.clip_norm"])
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
        durations.append(time.time() - began)
        if step % options.evaluate_every == 0 or step == steps:
            errors = real_errors(network, options.samples, int(config["inference.iterations"]))
            # The seconds are those of the training alone; a process that was halted for a while shows in the sum, not in the median.
            row = {"step": step, "seconds": sum(durations), "median_step": statistics.median(durations),
                   "loss": statistics.fmean(losses), **errors}
            losses = []
            print(json.dumps({key: round(value, 4) for key, value in row.items()}), flush=True)
            if options.out:
                with open(f"{options.out}/metrics.jsonl", "a") as log:
                    log.write(json.dumps(row) + "\n")
    if options.out:
        torch.save(network.state_dict(), f"{options.out}/raft_small.pth")


if __name__ == "__main__":
    main()
