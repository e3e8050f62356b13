"""Makes appearance.safetensors, appearance_losses.safetensors and appearance_names.json: DeepSORT's appearance network in training, in
float64, by the definition of appearance_reference.py.

Weights are those of README.md's "weights" (see FixtureHash), image [n, 3, h, w] = floor(256 fraction("image.<case>", i)).
"""
import json
import pathlib

import numpy as np
import torch
import torch.nn.functional as F

import appearance_reference as reference
import fixture_hash as fixture

HERE = pathlib.Path(__file__).parent
LABELS = [0, 0, 0, 1, 1, 2, 2, 2]
NARROW = {"height": 32, "width": 16, "channels": 4, "features": 8, "decay": 0.9}
CASES = {  # name: settings of the network, loss and its settings
    "valid": (NARROW | {"pooling": "valid"}, "cosine_softmax", {}),
    "same": (NARROW | {"pooling": "same"}, "cosine_softmax", {}),
    "contrastive": (NARROW | {"pooling": "same"}, "contrastive", {"margin": 1.0, "balanced": False}),
    "triplet": (NARROW | {"pooling": "valid"}, "triplet", {"margin": 0.3, "soft": False}),
    "batch_hard": (NARROW | {"pooling": "valid"}, "batch_hard", {"margin": 0.3, "soft": False}),
    "verification": (NARROW | {"pooling": "valid"}, "verification", {"balanced": True}),
    "published": ({}, "cosine_softmax", {}),
}
HEADS = {"cosine_softmax": lambda d: {"head.weight": (3, d), "head.scale": (1,)},
         "verification": lambda d: {"head.weight": (1, d), "head.bias": (1,)}}


def weights(name, shape):
    """As FixtureHash.weights: vectors called weight or running_var belong to batch normalisation; its count of batches is 7."""
    if not shape:
        return np.array(7)
    if len(shape) == 1:
        centre, bound = (1, 0.25) if name.endswith(".weight") else (1, 0.5) if name.endswith(".running_var") else (0, 0.05)
        return fixture.weights(name, shape, bound, centre)
    return fixture.weights(name, shape, (3 / np.prod(shape[1:])) ** 0.5)


def loss(kind, settings, features, labels, head):
    if kind == "cosine_softmax":
        return reference.cosine_softmax(features, labels, head["head.weight"], head["head.scale"])
    if kind == "verification":
        return reference.verification(features, labels, head["head.weight"], head["head.bias"], **settings)
    return getattr(reference, kind)(features, labels, **settings)


def compact(tensors, group, name, value):
    array = value.detach().numpy().astype(np.float64)
    tensors[f"f64/{group}/{name}"] = fixture.elements(array)
    tensors[f"f64/{group}.statistics/{name}"] = fixture.statistics(array)


def network_case(case, tensors):
    settings, kind, loss_settings = CASES[case]
    network = reference.AppearanceNetwork(**settings).double()
    state = {name: torch.tensor(weights(name, tuple(value.shape))).to(value.dtype) for name, value in network.state_dict().items()}
    network.load_state_dict(state)
    height, width, features = (settings.get(key, default) for key, default in [("height", 128), ("width", 64), ("features", 128)])
    labels = torch.tensor(LABELS[::3] if case == "published" else LABELS)
    shape = (len(labels), 3, height, width)
    image = np.floor(256 * fixture.fractions(f"image.{case}", np.arange(int(np.prod(shape))))).reshape(shape)
    heads = HEADS.get(kind, lambda d: {})(features)
    head = {name: torch.tensor(weights(name, shape)).double().requires_grad_() for name, shape in heads.items()}
    output = network(torch.from_numpy(image))
    total = loss(kind, loss_settings, output, labels, head)
    leaves = dict(network.named_parameters()) | head
    for name, gradient in zip(leaves, torch.autograd.grad(total, list(leaves.values()))):
        if gradient.numel() < 200_000:  # a sum over more elements with hashed signs takes minutes
            compact(tensors, f"{case}/grad", name, gradient)
    for name, value in network.named_buffers():
        compact(tensors, f"{case}/buffer", name, value)
    tensors[f"{case}/labels"] = labels.numpy()
    tensors[f"{case}/output"] = output.detach().numpy()
    tensors[f"{case}/loss"] = total.detach().numpy().reshape(1)
    tensors[f"{case}/evaluation"] = network.eval()(torch.from_numpy(image)).detach().numpy()
    defaults = {"height": 128, "width": 64, "channels": 32, "features": 128, "pooling": "valid", "decay": 0.999}
    return json.dumps(defaults | settings | loss_settings | {"operation": "network", "kind": kind}, separators=(",", ":"))


def loss_cases(tensors, cases):
    """Losses of given vectors: equal rows, rows of one identity only, hinges inside and outside."""
    table = [("cosine_softmax", {}), ("contrastive", {"margin": 1.0, "balanced": False}), ("contrastive", {"margin": 2.5, "balanced": True}),
             ("triplet", {"margin": 0.3, "soft": False}), ("triplet", {"margin": 0.0, "soft": True}),
             ("batch_hard", {"margin": 0.3, "soft": False}), ("batch_hard", {"margin": 0.0, "soft": True}),
             ("verification", {"balanced": False}), ("verification", {"balanced": True})]
    for number, (kind, settings) in enumerate(table):
        case = f"{kind}_{number}"
        labels = torch.tensor(LABELS + [3])
        made = {name: torch.tensor(fixture.uniform(f"{case}/{name}", shape)) for name, shape in
                ({"features": (len(labels), 5)} | {k.replace("head.", ""): (s if k != "head.weight" or kind == "verification" else (4, 5))
                                                   for k, s in HEADS.get(kind, lambda d: {})(5).items()}).items()}
        made["features"] = F.normalize(made["features"])
        leaves = {name: value.requires_grad_() for name, value in made.items()}
        total = loss(kind, settings, leaves["features"], labels, {f"head.{name}": value for name, value in leaves.items()})
        gradients = torch.autograd.grad(total, list(leaves.values()))
        tensors |= {f"{case}/{name}": value.detach().numpy() for name, value in leaves.items()}
        tensors |= {f"{case}/grad.{name}": value.numpy() for name, value in zip(leaves, gradients)}
        tensors |= {f"{case}/labels": labels.numpy(), f"{case}/loss": total.detach().numpy().reshape(1)}
        cases[case] = json.dumps({"operation": kind} | settings, separators=(",", ":"))


def main():
    watch, tensors = fixture.Stopwatch(300), {}
    cases = {case: network_case(case, tensors) for case in CASES}
    fixture.write_tensors(HERE / "appearance.safetensors", tensors, cases)
    watch.report(HERE / "appearance.safetensors")
    tensors, cases = {}, {}
    loss_cases(tensors, cases)
    fixture.write_tensors(HERE / "appearance_losses.safetensors", tensors, cases)
    watch.report(HERE / "appearance_losses.safetensors")
    network = reference.AppearanceNetwork()
    count = sum(value.numel() for value in network.parameters())
    assert count == 2_800_864 + 128, count
    names = [{"name": name, "shape": list(value.shape)} for name, value in network.state_dict().items()]
    path = HERE / "appearance_names.json"
    path.write_text("[\n" + ",\n".join("  " + json.dumps(entry) for entry in names) + "\n]\n")
    watch.report(path)


if __name__ == "__main__":
    main()
