"""Makes hrnet_*.safetensors: names, outputs of every fusion, losses, gradients, batch-norm buffers and three optimiser steps of HRNet.

    python3 make_hrnet.py --official PATH [pose] [pose_w32] [segmentation] [ocr] [ocr_w48] [classification] [--noise N ...]

PATH holds checkouts: `pose` of https://github.com/leoxiaobin/deep-high-resolution-net.pytorch, `segmentation` and `ocr` of
https://github.com/HRNet/HRNet-Semantic-Segmentation, `classification` of https://github.com/HRNet/HRNet-Image-Classification, at the commits
that hrnet_reference names. Weights, images and targets are not stored: fixture_hash and the formulas of this file (README.md repeats them)
make them on both sides. --noise only prints, for each of the noises, how far float32 is from float64.
"""
import dataclasses
import json
import pathlib

import numpy as np
import torch

import fixture_hash as fixture
import hrnet_reference as reference
import raft_reference

HERE = pathlib.Path(__file__).parent
STEPS = 3
CLASS_WEIGHTS = [0.8373, 0.918, 0.866, 1.0345, 1.0166]
WIDE = dict(modules=(1, 4, 3), blocks=4, layer1=(4, 64))


@dataclasses.dataclass(frozen=True)
class Case:
    """One file."""

    name: str
    network: reference.Network
    noise: int               # the inputs; README says why this one
    size: tuple              # height and width of images
    batch: int = 2
    is_trained: bool = True  # optimiser steps
    tensors: int = 0         # 0: gradients of all parameters; else of about so many, evenly spaced
    threshold: float = 0.9   # of hard pixels,
    kept: int = 131072       # of which so many count at least
    rate: float = 0.01       # of the optimiser; small where three steps would be chaotic


CASES = [
    Case("pose", reference.Network("pose", layer1=(4, 64), outputs=6), 3, (96, 64), rate=1e-3),
    Case("pose_w32", reference.Network("pose", width=32, outputs=17, **WIDE), 1, (128, 96), tensors=60, rate=1e-4),
    Case("segmentation", reference.Network("segmentation"), 1, (75, 90), threshold=0.2, kept=4000),
    Case("ocr", reference.Network("ocr", align_corners=True), 1, (75, 90), threshold=0.2, kept=4000, rate=1e-3),
    Case("ocr_w48", reference.Network("ocr", width=48, outputs=5, align_corners=True, context=(512, 256), **WIDE), 1, (96, 80), tensors=60,
         threshold=0.2, kept=4000, rate=1e-4),
    Case("classification", reference.Network("classification", outputs=1000), 3, (64, 96), batch=3, is_trained=False, tensors=120),
]


def values(name, shape):
    """The array of an official name: weights within sqrt(3 / fan_in), biases within 0.05, those of norms and variances around 1."""
    if not shape:
        return np.int64(7)
    if len(shape) == 1 and name.endswith((".weight", ".running_var")) and not name.startswith("classifier"):
        return fixture.weights(name, shape, 0.25 if name.endswith(".weight") else 0.5, centre=1)
    return fixture.weights(name, shape, np.sqrt(3.0 / np.prod(shape[1:])) if len(shape) > 1 else 0.05)


def shapes(network):
    """Name -> shape of everything in the official state dict, in its order."""
    return {name: tuple(x.shape) for name, x in reference.model(network).state_dict().items()}


def pictures(case):
    """Multiples of 1/64, [n, 3, h, w]."""
    return np.floor(fixture.uniform(f"image.{case.noise}", (case.batch, 3, *case.size), -128, 128)) / 64


def targets(case, dtype):
    """Heatmaps in 64ths and weights of keypoints; or labels of pixels, a tenth of them ignored; or labels of images."""
    outputs = case.network.outputs
    if case.network.task == "pose":
        shape = (case.batch, outputs, case.size[0] // 4, case.size[1] // 4)
        maps = np.floor(fixture.uniform(f"target.{case.noise}", shape, 0, 65)) / 64
        weights = np.floor(fixture.uniform(f"target_weight.{case.noise}", (case.batch, outputs, 1), 0, 4)) / 2  # 0, 0.5, 1, 1.5
        return torch.from_numpy(maps).to(dtype), torch.from_numpy(weights).to(dtype)
    if case.network.task == "classification":
        return torch.from_numpy(np.floor(fixture.uniform(f"label.{case.noise}", (case.batch,), 0, outputs)).astype(np.int64))
    drawn = np.floor(fixture.uniform(f"label.{case.noise}", (case.batch, *case.size), 0, 10)).astype(np.int64)
    return torch.from_numpy(np.where(drawn == 9, reference.IGNORE, drawn % outputs))


def prepared(case, dtype):
    """The network with the fixture's weights, and the loss."""
    network = reference.model(case.network)
    network.load_state_dict({name: torch.from_numpy(np.array(values(name, shape))) for name, shape in shapes(case.network).items()})
    return network.to(dtype), reference.criterion(case.network, dtype, CLASS_WEIGHTS, case.threshold, case.kept)


def chosen(case, named):
    """Official name -> tensor, those that the file has."""
    named = dict(named)
    every = max(1, len(named) // case.tensors) if case.tensors else 1
    return {name: named[name] for name in list(named)[::every]}


def statistics_of(network):
    return [(name, x) for name, x in network.named_buffers() if x.dim() > 0]


def plain(x):
    return x.detach().numpy().copy()


def run(case, dtype):
    """All results of one precision: group -> name -> array."""
    with reference.precision(dtype):
        network, losses = prepared(case, dtype)
        images, wanted = torch.from_numpy(pictures(case)).to(dtype), targets(case, dtype)
        stages = {}

        def keep(name):
            def hook(_, __, outputs):
                stages.update({f"{name}.{i}": plain(x) for i, x in enumerate(outputs)})
            return hook
        for name, module in reference.fusions(network).items():
            module.register_forward_hook(keep(name))
        outputs = network(images)
        terms = losses(outputs, wanted)
        terms["total"].backward()
        found = {"logits" if case.network.task != "pose" else "heatmaps": outputs} if torch.is_tensor(outputs) else dict(
            zip(("aux", "logits"), outputs))
        results = {"output": {name: plain(x) for name, x in found.items()}, "stage": dict(stages),
                   "grad": {name: plain(p.grad) for name, p in chosen(case, network.named_parameters()).items()},
                   "buffer": {name: plain(x) for name, x in chosen(case, statistics_of(network)).items()}, "param": {},
                   "loss": {name: np.array([x.item()]) for name, x in terms.items()}}
        if case.network.task == "pose":
            results |= hard_keypoints(outputs, wanted, results)
        network.eval()
        with torch.no_grad():
            evaluated = network(images)
            results["output"]["evaluation"] = plain(evaluated if torch.is_tensor(evaluated) else evaluated[-1])
        if case.is_trained:
            results |= trained(case, dtype, images, wanted)
        results["margin"] = margin(case, outputs, wanted)
    return results


def hard_keypoints(outputs, wanted, results):
    """Loss and gradient of the hardest keypoints: of four."""
    heatmaps = outputs.detach().requires_grad_()
    loss = reference.official.pose_loss.JointsOHKMMSELoss(use_target_weight=True, topk=4)(heatmaps, *wanted)
    loss.backward()
    return {"loss": results["loss"] | {"hard_keypoints": np.array([loss.item()])},
            "output": results["output"] | {"hard_keypoints_gradient": plain(heatmaps.grad)}}


def margin(case, outputs, wanted):
    """How near the probability of a pixel is to the threshold of hard pixels; infinite without them."""
    if case.network.task not in ("segmentation", "ocr"):
        return np.inf
    logits = outputs if torch.is_tensor(outputs) else outputs[-1]
    with torch.no_grad():
        full = torch.nn.functional.interpolate(logits, case.size, mode="bilinear", align_corners=case.network.align_corners)
        valid = wanted != reference.IGNORE
        own = full.softmax(1).gather(1, wanted.where(valid, 0).unsqueeze(1))[:, 0][valid].double().sort()[0]
    limit = max(own[min(case.kept, len(own) - 1)].item(), case.threshold)
    below, above = own[own < limit], own[own > limit]
    return min(limit - below[-1].item(), above[0].item() - limit if len(above) else np.inf)


def trained(case, dtype, images, wanted):
    """Parameters and buffers after the steps, and the total before each step and after the last."""
    network, losses = prepared(case, dtype)
    optimizer, totals = reference.optimizer(case.network, network.parameters(), case.rate), []
    for _ in range(STEPS):
        optimizer.zero_grad()
        total = losses(network(images), wanted)["total"]
        total.backward()
        optimizer.step()
        totals.append(total.item())
    buffers = {name: plain(x) for name, x in chosen(case, statistics_of(network)).items()}
    with torch.no_grad():
        totals.append(losses(network(images), wanted)["total"].item())
    return {"param": {name: plain(p) for name, p in chosen(case, network.named_parameters()).items()}, "trained_buffer": buffers,
            "totals": {"total": np.array(totals)}}


def compact(case, exact, singles):
    """Tensors of the file: of float64 elements and statistics, of float32 the statistics that end with the distance to float64."""
    tensors = {}
    for group in ("loss", "totals"):
        for name, x in exact.get(group, {}).items():
            tensors[f"f64/{group}/{name}"] = x
            tensors[f"f32/{group}.distance/{name}"] = np.max([np.abs(single[group][name] - x) for single in singles], axis=0)
    for group in ("grad", "param", "stage", "output", "buffer", "trained_buffer"):
        limits = (256, 128) if group == "output" else (16, 8)
        for name, x in exact.get(group, {}).items():
            known, others = fixture.statistics(x), [single[group][name] for single in singles]
            tensors[f"f64/{group}/{name}"] = fixture.elements(x, *limits)
            tensors[f"f64/{group}.statistics/{name}"] = known
            tensors[f"f32/{group}.distance/{name}"] = fixture.distance(others, x)
    return tensors


def metadata(case, exact):
    """The settings, the names, and checksums with which the other side proves that it made the same inputs."""
    content = {"images": pictures(case).astype("<f4").tobytes()}
    wanted = targets(case, torch.float64)
    content["targets"] = b"".join(x.numpy().astype("<f4").tobytes() for x in (wanted if isinstance(wanted, tuple) else (wanted,)))
    settings = dataclasses.asdict(case.network) | {
        "noise": case.noise, "size": case.size, "batch": case.batch, "is_trained": case.is_trained, "threshold": case.threshold,
        "kept": case.kept, "rate": case.rate, "class_weights": CLASS_WEIGHTS, "momentum": case.network.momentum}
    repository, commit, _, _ = reference.SOURCES[case.network.task]
    known = {"settings": settings, "null_gradients": reference.null_gradients(case.network), "names": list(shapes(case.network).items())}
    return {key: json.dumps(value) for key, value in known.items()} | {
        "made_by": f"make_hrnet.py, torch {torch.__version__}, {repository} {commit}"} | {
            f"fnv1a64.{name}": f"{fixture.fnv1a64(bytes):016x}" for name, bytes in content.items()}


def results(case):
    """The float64 run and the float32 runs."""
    singles = []
    for order in raft_reference.ROUNDINGS:
        with raft_reference.rounding(*order):
            singles.append(run(case, torch.float32))
    return run(case, torch.float64), singles


def ratios(case, group, exact, single):
    null = reference.null_gradients(case.network)
    return {name: np.abs(single[group][name] - x).max() / np.abs(x).max() for name, x in exact[group].items() if name not in null}


def check(case, exact, singles):
    """Stops unless the case is a good one: null gradients are none, and no pixel is hard by rounding."""
    scale = max(np.abs(x).max() for x in exact["grad"].values())
    null = [name for name, x in exact["grad"].items() if np.abs(x).max() < 1e-11 * scale]
    assert null == [name for name in reference.null_gradients(case.network) if name in exact["grad"]], null
    error = max(np.abs(single["output"][name] - x).max() for single in singles for name, x in exact["output"].items())
    assert exact["margin"] > 1e-7, (exact["margin"], error)


def describe(case, exact, singles):
    """Prints what a reader needs to judge the numbers: are activations sane, how far is float32 from float64."""
    print(f"{case.name}: margin {exact['margin']:.2g}, terms", {name: float(x[0]) for name, x in exact["loss"].items()}, exact.get("totals"))
    for name, x in list(exact["stage"].items())[-4:] + list(exact["output"].items()):
        print(f"{name:16s} {str(x.shape):20s} mean {x.mean():+.4f} deviation {x.std():.4f} max {np.abs(x).max():.4f}")
    for group in ("output", "grad", "param"):
        for single in singles if exact[group] else []:
            found = ratios(case, group, exact, single)
            worst = max(found, key=found.get)
            print(f"{group}: relative distance of float32: median {np.median(list(found.values())):.2e}, worst {found[worst]:.2e} {worst}")


def make(case):
    watch = fixture.Stopwatch(600)
    exact, singles = results(case)
    describe(case, exact, singles)
    check(case, exact, singles)
    path = HERE / f"hrnet_{case.name}.safetensors"
    fixture.write_tensors(path, compact(case, exact, singles), metadata(case, exact))
    watch.report(path)


def compare_noises(case, noises):
    for noise in noises:
        item = dataclasses.replace(case, noise=noise)
        exact, singles = results(item)
        worst = [max(ratios(item, "grad", exact, single).values()) for single in singles]
        distances = " ".join(f"{x:.1e}" for x in worst)
        print(f"{case.name} {noise}: margin {exact['margin']:.2e}, worst gradients {distances}", flush=True)


def main():
    torch.set_num_threads(1)
    fixture.run(CASES, reference.load, make, compare_noises)


if __name__ == "__main__":
    main()
