"""Makes detr_*.safetensors and the lists of names: outputs, matches, losses, gradients, post-processing and three AdamW steps of DETR.

    python3 make_detr.py --official PATH [narrow] [prenorm] [dc5] [panoptic] [r50] [--noise N ...]

PATH is a checkout of https://github.com/facebookresearch/detr at the commit that detr_reference names. Weights, images and masks are not
stored: fixture_hash and the formulas of this file (README.md repeats them) make them on both sides. --noise only prints, for each of the
noises, how far float32 is from float64.
"""
import dataclasses
import io
import json
import pathlib

import numpy as np
import torch
from PIL import Image

import detr_reference as reference
import fixture_hash as fixture
import raft_reference

HERE = pathlib.Path(__file__).parent
STEPS = 3
THINGS = 6                        # classes below this one are things
GAINS = {"class_embed.weight": 4, "bbox_embed.layers.2.weight": 4, "query_embed.weight": 16, "row_embed.weight": 8, "col_embed.weight": 8}
MARGIN = 1e-4                     # the second best assignment costs at least so much more, everywhere
R50 = reference.Network(
    blocks=(3, 4, 6, 3), width=64, hidden=256, heads=8, feedforward=2048, encoder_layers=6, decoder_layers=6, queries=100, classes=91)


@dataclasses.dataclass(frozen=True)
class Item:
    """One image of a batch: (height, width) as the model sees it and originally, and its objects; boxes are cx, cy, w, h in 1/64.

    Of the original sizes some are such that PyTorch's nearest pixel, found in float32, is not floor(i * in / out) everywhere.
    """

    size: tuple
    original: tuple
    labels: tuple = ()
    boxes: tuple = ()


BATCH = [
    Item((93, 122), (177, 242), (2, 5, 0, 2), ((20, 24, 30, 36), (44, 20, 24, 18), (33, 45, 50, 25), (52, 50, 12, 14))),
    Item((125, 80), (125, 80)),
    Item((75, 110), (145, 196), (6, 1, 3), ((18, 40, 28, 40), (46, 26, 30, 30), (32, 12, 8, 11))),
]
R50_BATCH = [
    Item((160, 192), (480, 577), (17, 1, 62), ((24, 30, 40, 44), (48, 16, 20, 24), (40, 52, 34, 16))),
    Item((120, 150), (427, 534)),
]


@dataclasses.dataclass(frozen=True)
class Case:
    """One file."""

    name: str
    network: reference.Network
    noise: int               # README says why this one
    batch: tuple = tuple(BATCH)
    is_trained: bool = True  # three optimiser steps
    tensors: int = 0         # 0: gradients of all parameters; else of about so many, evenly spaced
    whole_limit: int = 40    # up to so many elements a tensor is stored whole,
    samples: int = 32        # above it by so many
    panoptic_threshold: float = 0.0  # 0: no panoptic post-processing


CASES = [
    Case("narrow", reference.Network(), 12),
    Case("prenorm", reference.Network(block="basic", pre_norm=True, position="learned"), 15),
    Case("dc5", reference.Network(blocks=(1, 1, 1, 2), dc5=True), 18, is_trained=False),
    Case("panoptic", reference.Network(hidden=128, heads=8, masks=True), 28, panoptic_threshold=0.35),
    Case("r50", R50, 2, batch=tuple(R50_BATCH), tensors=40),
]


def gain(name):
    return next((value for ending, value in GAINS.items() if name.endswith(ending)), 1)


def values(name, shape):
    """The array of an official name: weights within gain * sqrt(3 / fan_in), biases within 0.05, those of norms and variances around 1."""
    if len(shape) == 1 and name.endswith((".weight", ".running_var")):
        return fixture.weights(name, shape, 0.25 if name.endswith(".weight") else 0.5, centre=1)
    return np.float32(gain(name)) * fixture.weights(name, shape, np.sqrt(3.0 / np.prod(shape[1:])) if len(shape) > 1 else 0.05)


def shapes(network):
    """Name -> shape of everything in the official state dict, in its order."""
    return {name: tuple(x.shape) for name, x in reference.model(network).state_dict().items()}


def picture(case, i):
    """Multiples of 1/64, [3, h, w]: waves plus noise."""
    height, width = case.batch[i].size
    c, y, x = np.meshgrid(np.arange(3), np.arange(height), np.arange(width), indexing="ij")
    noise = fixture.uniform(f"noise.{case.noise}.{i}", (3, height, width), -0.5, 0.5)
    waves = 1.2 * np.sin(0.11 * x + 0.07 * y + 0.9 * c + 1.3 * i) + 0.8 * np.cos(0.05 * x - 0.13 * y + 0.5 * c + 0.7 * i)
    scaled = 64 * (waves + noise)
    assert np.min(np.abs(scaled - np.floor(scaled) - 0.5)) > 1e-9  # another sine rounds to the same
    return np.floor(scaled + 0.5) / 64


def masks(item):
    """[objects, h, w] of 0 and 1: the ellipses inside the boxes."""
    height, width = item.size
    y, x = np.meshgrid((np.arange(height) + 0.5) / height, (np.arange(width) + 0.5) / width, indexing="ij")
    found = []
    for box in item.boxes:
        cx, cy, w, h = np.array(box) / 64
        radius = (2 * (x - cx) / w) ** 2 + (2 * (y - cy) / h) ** 2
        assert np.min(np.abs(radius - 1)) > 1e-9
        found.append(radius <= 1)
    return np.array(found, dtype=bool).reshape(-1, height, width)


def targets(case, dtype):
    """The targets as the official loader makes them."""
    return [{"labels": torch.tensor(item.labels, dtype=torch.int64), "boxes": torch.tensor(item.boxes, dtype=dtype).reshape(-1, 4) / 64,
             "masks": torch.from_numpy(masks(item))} for item in case.batch]


def record_stages(network, stages):
    """Keeps what the backbone's stages, the encoder and the decoder give: for finding the first wrong stage."""
    detr = getattr(network, "detr", network)

    def keep(name, module, change):
        def hook(_, __, output):
            stages[name] = change(output).detach().numpy().copy()
        module.register_forward_hook(hook)
    for i in range(1, 5):
        keep(f"layer{i}", getattr(detr.backbone[0].body, f"layer{i}"), lambda x: x)
    keep("position", detr.backbone, lambda x: x[1][-1])
    keep("projection", detr.input_proj, lambda x: x)
    keep("encoder", detr.transformer.encoder, lambda x: x.transpose(0, 1))  # [batch, tokens, hidden]
    keep("decoder", detr.transformer, lambda x: x[0])                       # [layers, batch, queries, hidden]
    if detr is not network:
        keep("attention_map", network.bbox_attention, lambda x: x)          # [batch, queries, heads, h, w]


def prepared(case, dtype):
    """The network with the fixture's weights, and the loss."""
    network = reference.model(case.network)
    network.load_state_dict({name: torch.from_numpy(np.array(values(name, shape))) for name, shape in shapes(case.network).items()})
    return network.to(dtype), reference.criterion(case.network)


def parameters(case, network):
    """Official name -> parameter that is trained, those that the file has."""
    trained = {name: p for name, p in network.named_parameters() if p.requires_grad}
    every = max(1, len(trained) // case.tensors) if case.tensors else 1
    return {name: trained[name] for name in list(trained)[::every]}


def run(case, dtype):
    """All results of one precision: group -> name -> array."""
    with reference.precision(dtype):
        network, losses = prepared(case, dtype)
        images = [torch.from_numpy(picture(case, i)).to(dtype) for i in range(len(case.batch))]
        batch = (images, targets(case, dtype))
        stages, matches = {}, []
        record_stages(network, stages)
        losses.matcher.register_forward_hook(lambda _, __, found: matches.append([np.stack(pair) for pair in found]))
        with reference.recorded_costs() as costs, reference.recorded_kinks() as kinks:
            outputs = network(images)
            terms = losses(outputs, batch[1])
        reference.total(terms).backward()
        first = matches[1:] + matches[:1]  # the criterion begins with the last layer
        gradients = {name: p.grad.numpy().copy() for name, p in parameters(case, network).items()}
        results = {"grad": gradients, "param": {}, "stage": stages, "output": flattened(outputs), "result": post_processed(case, outputs),
                   "loss": {name: np.array([x]) for name, x in reference.numbers(terms).items()}}
        norm = torch.stack([p.grad.norm() for p in network.parameters() if p.grad is not None]).norm().item()
        results["loss"]["grad_norm"] = np.array([norm])
        if case.is_trained:
            results |= trained(case, dtype, batch)
        results |= {"match": {f"{layer}.{i}": x for layer, found in enumerate(first) for i, x in enumerate(found)}}
        results["kink"] = min(kinks)
        results["margin"] = min(map(reference.margin, costs))
        results["panoptic"] = panoptic(case, outputs)
    return results


def trained(case, dtype, batch):
    """Parameters after the steps, and the terms before each step and after the last."""
    network, losses = prepared(case, dtype)
    terms, norms = reference.train(network, losses, batch, STEPS)
    with torch.no_grad():
        terms.append(reference.numbers(losses(network(batch[0]), batch[1])))
    return {"param": {name: p.detach().numpy().copy() for name, p in parameters(case, network).items()},
            "loss": {name: np.array([step[name] for step in terms]) for name in terms[0]} | {"grad_norm": np.array(norms)}}


def flattened(outputs):
    """pred_logits.<layer> and pred_boxes.<layer> of all layers, pred_masks."""
    layers = outputs["aux_outputs"] + [outputs]
    found = {f"{name}.{i}": layer[name].detach().numpy() for i, layer in enumerate(layers) for name in ("pred_logits", "pred_boxes")}
    return found | {name: outputs[name].detach().numpy() for name in ("pred_masks",) if name in outputs}


def sizes(case, name):
    return torch.tensor([getattr(item, name) for item in case.batch])


def post_processed(case, outputs):
    """scores, labels and boxes in pixels of the original images, pixels: the area of each mask, checksum of all masks of an image."""
    found = reference.official.detr.PostProcess()(outputs, sizes(case, "original"))
    if case.network.masks:
        segm = reference.official.segmentation.PostProcessSegm()
        found = segm(found, outputs, sizes(case, "original"), sizes(case, "size"))
    results = {}
    for i, image in enumerate(found):
        results |= {f"{name}.{i}": image[name].detach().numpy() for name in ("scores", "labels", "boxes")}
        if case.network.masks:
            results |= {f"pixels.{i}": image["masks"].sum((1, 2, 3), dtype=torch.int64).numpy(), f"masks.{i}": image["masks"][:, 0].numpy()}
    return results


def panoptic(case, outputs):
    """Per image its segments and the map of their ids. The official code would squeeze the masks of the padded batch into the image's size:
    it gets them without the padding."""
    if not case.panoptic_threshold:
        return []
    is_thing = {label: label < THINGS for label in range(case.network.classes)}
    process = reference.official.segmentation.PostProcessPanoptic(is_thing, threshold=case.panoptic_threshold)
    canvas = tuple(sizes(case, "size").max(0)[0].tolist())
    results = []
    with torch.no_grad():
        full = torch.nn.functional.interpolate(outputs["pred_masks"], canvas, mode="bilinear", align_corners=False)
        for i, item in enumerate(case.batch):
            one = {name: outputs[name][i:i + 1] for name in ("pred_logits", "pred_boxes")}
            one["pred_masks"] = full[i:i + 1, :, :item.size[0], :item.size[1]]
            found, = process(one, sizes(case, "size")[i:i + 1], sizes(case, "original")[i:i + 1])
            results.append((found["segments_info"], reference.rgb2id(np.array(Image.open(io.BytesIO(found["png_string"]))))))
    return results


def compact(case, exact, singles):
    """Tensors of the file: of float64 elements and statistics, of float32 the statistics that end with the distance to float64."""
    tensors = {f"match/{name}": x for name, x in exact["match"].items()}
    for i, item in enumerate(case.batch):
        tensors[f"target/labels.{i}"] = np.array(item.labels, dtype=np.int64)
        tensors[f"target/boxes.{i}"] = np.array(item.boxes, dtype=np.float64).reshape(-1, 4) / 64
    for name, x in exact["loss"].items():
        tensors[f"f64/loss/{name}"] = x
        tensors[f"f32/loss.distance/{name}"] = np.max([np.abs(single["loss"][name] - x) for single in singles], axis=0)
    for name, x in exact["result"].items():
        if not name.startswith("masks"):
            tensors[f"f64/result/{name}"] = x
        if name.startswith(("scores", "boxes")):
            tensors[f"f32/result.distance/{name}"] = fixture.distance([single["result"][name] for single in singles], x)
    for group in ("grad", "param", "stage", "output"):
        limits = (3000, 256) if group == "output" else (case.whole_limit, case.samples)
        for name, x in exact[group].items():
            known, others = fixture.statistics(x), [single[group][name] for single in singles]
            tensors[f"f64/{group}/{name}"] = fixture.elements(x, *limits)
            tensors[f"f64/{group}.statistics/{name}"] = known
            tensors[f"f32/{group}.statistics/{name}"] = np.concatenate([fixture.statistics(others[0]), fixture.distance(others, x)])
    return tensors


def metadata(case, exact):
    """The settings, the names, and checksums with which the other side proves that it made the same inputs and the same masks."""
    pictures = [picture(case, i).astype("<f4").tobytes() for i in range(len(case.batch))]
    made = {"images": b"".join(pictures), "masks": b"".join(masks(item).astype(np.uint8).tobytes() for item in case.batch)}
    if not case.tensors:  # the checksum of ResNet-50 would take minutes
        made["weights"] = b"".join(values(name, shape).astype("<f4").tobytes() for name, shape in shapes(case.network).items())
    made |= {f"result.{name}": x.tobytes() for name, x in exact["result"].items() if name.startswith("masks")}
    made |= {f"panoptic.{i}": ids.astype(np.uint8).tobytes() for i, (_, ids) in enumerate(exact["panoptic"])}
    settings = dataclasses.asdict(case.network) | {
        "noise": case.noise, "sizes": [item.size for item in case.batch], "original_sizes": [item.original for item in case.batch],
        "eos_coef": reference.NO_OBJECT, "weights": reference.WEIGHTS, "steps": STEPS * case.is_trained, "learning_rate": reference.RATE,
        "backbone_learning_rate": reference.BACKBONE_RATE, "weight_decay": reference.DECAY, "gradient_clip": reference.CLIP,
        "panoptic_threshold": case.panoptic_threshold, "things": THINGS}
    known = {"settings": settings, "null_gradients": reference.null_gradients(case.network), "loss_terms": list(exact["loss"]),
             "panoptic": [segments for segments, _ in exact["panoptic"]]}
    if not case.tensors:
        known["names"] = list(shapes(case.network).items())
    return {key: json.dumps(value) for key, value in known.items()} | {
        "made_by": f"make_detr.py, torch {torch.__version__}, facebookresearch/detr {reference.COMMIT}"} | {
            f"fnv1a64.{name}": f"{fixture.fnv1a64(content):016x}" for name, content in made.items()}


def check(case, exact, singles):
    """Stops unless the case is a good one: nothing hangs on rounding, and null gradients are none."""
    assert exact["margin"] > MARGIN, exact["margin"]
    for single in singles:
        for name, x in exact["match"].items():
            assert np.array_equal(x, single["match"][name]), name
        for name, x in exact["result"].items():
            assert not name.startswith("labels") or np.array_equal(x, single["result"][name]), name
        assert [len(segments) for segments, _ in exact["panoptic"]] == [len(segments) for segments, _ in single["panoptic"]]
    scale = max(np.abs(x).max() for x in exact["grad"].values())
    null = [name for name, x in exact["grad"].items() if np.abs(x).max() < 1e-12 * scale]
    assert null == [name for name in reference.null_gradients(case.network) if name in exact["grad"]], null


def results(case):
    """The float64 run and the float32 runs."""
    singles = []
    for order in raft_reference.ROUNDINGS:
        with raft_reference.rounding(*order):
            singles.append(run(case, torch.float32))
    return run(case, torch.float64), singles


def make(case):
    watch = fixture.Stopwatch(600)
    exact, singles = results(case)
    describe(case, exact, singles)
    check(case, exact, singles)
    path = HERE / f"detr_{case.name}.safetensors"
    fixture.write_tensors(path, compact(case, exact, singles), metadata(case, exact))
    watch.report(path)


def write_names():
    """The names and shapes of the published models with ResNet-50."""
    for name, network in (("r50", R50), ("r50_panoptic", dataclasses.replace(R50, classes=250, masks=True))):
        found = shapes(network)
        assert len(found) == {"r50": 458, "r50_panoptic": 490}[name]
        entries = [json.dumps({"name": name, "shape": list(shape)}) for name, shape in found.items()]
        (HERE / f"detr_{name}_names.json").write_text("[\n" + ",\n".join("  " + entry for entry in entries) + "\n]\n")


def ratios(group, exact, single, null):
    return {name: np.abs(single[group][name] - x).max() / np.abs(x).max() for name, x in exact[group].items() if name not in null}


def describe(case, exact, singles):
    """Prints what a reader needs to judge the numbers: are activations sane, how far is float32 from float64."""
    print(f"{case.name}: margin {exact['margin']:.3g}, kink {exact['kink']:.2f}")
    print("total", exact["loss"]["total"], "norm", exact["loss"]["grad_norm"])
    print("terms", {name: round(float(x[0]), 4) for name, x in exact["loss"].items()})
    for name, x in list(exact["stage"].items()) + list(exact["output"].items()):
        print(f"{name:16s} {str(x.shape):20s} mean {x.mean():+.4f} deviation {x.std():.4f} max {np.abs(x).max():.4f}")
    print("matches", {name: x.tolist() for name, x in exact["match"].items() if x.size})
    print("panoptic", [segments for segments, _ in exact["panoptic"]])
    print("scores", np.sort(exact["result"]["scores.0"])[::-1][:6], "labels", np.unique(exact["result"]["labels.0"]))
    for group in ("grad", "param"):
        for single in singles if exact[group] else []:
            found = ratios(group, exact, single, reference.null_gradients(case.network))
            worst = max(found, key=found.get)
            print(f"{group}: relative distance of float32: median {np.median(list(found.values())):.2e}, worst {found[worst]:.2e} {worst}")


def compare_noises(case, noises):
    for noise in noises:
        item = dataclasses.replace(case, noise=noise)
        exact, singles = results(item)
        worst = [max(ratios("grad", exact, single, reference.null_gradients(item.network)).values()) for single in singles]
        distances = " ".join(f"{x:.1e}" for x in worst)
        print(f"{case.name} {noise}: margin {exact['margin']:.2e}, kink {exact['kink']:.2f}, worst gradients {distances}", flush=True)


def main():
    torch.set_num_threads(1)
    fixture.run(CASES, reference.load, make, compare_noises, write_names)


if __name__ == "__main__":
    main()
