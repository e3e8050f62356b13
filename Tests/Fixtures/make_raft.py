"""Makes raft_small.safetensors, raft_large.safetensors, raft_large_frozen.safetensors and the lists of names: one training step and three
AdamW steps each.

    python3 make_raft.py [small] [large] [large_frozen]

Weights and inputs are not stored: fixture_hash and the formulas of this file (README.md repeats them) make them on both sides.
"""
import dataclasses
import json
import pathlib
import sys

import numpy as np
import torch

import fixture_hash as fixture
import raft_reference as reference

HERE = pathlib.Path(__file__).parent
BATCH, HEIGHT, WIDTH = 2, 128, 136
GAMMA = 0.8
RATES = [4e-4] * 3                # constant learning rate, one per optimiser step
SHIFT_X, SHIFT_Y = 3, -2          # image 2 is image 1 moved by this many pixels
MARGIN = 8                        # noise is defined this far outside the image, so that it moves along
STRIDE = 5                        # stored flows: every 5th row and column; coprime to the factor 8 of the upsampling


@dataclasses.dataclass(frozen=True)
class Case:
    """One file."""

    name: str
    variant: str
    iterations: int
    noise: str          # README says why this one
    whole_limit: int    # up to so many elements a tensor is stored whole,
    samples: int        # above it by so many
    frozen: bool = False  # batch norm in evaluation mode
    has_whole_flow: bool = False


CASES = [
    Case("small", "small", 3, "noise.29", fixture.WHOLE_LIMIT, fixture.SAMPLES, has_whole_flow=True),
    Case("large", "large", 2, "noise.0", 48, 48),
    Case("large_frozen", "large", 2, "noise.5", 48, 48, frozen=True),
]


def values(name, shape):
    """The array of an official name: weights within sqrt(3 / fan_in), biases and means within 0.05, batch norm's weights and variances around 1."""
    if name.endswith("num_batches_tracked"):
        return np.array(7, dtype=np.int64)
    if len(shape) == 1 and name.endswith((".weight", ".running_var")):
        return fixture.weights(name, shape, 0.25 if name.endswith(".weight") else 0.5, centre=1)
    return fixture.weights(name, shape, np.sqrt(3.0 / np.prod(shape[1:])) if len(shape) > 1 else 0.05)


def weights(case):
    """Official name -> array, without the second names of shared arrays."""
    shapes = reference.official_shapes(case.variant)
    return {name: values(name, shapes[name]) for name in reference.names(case.variant)}


def rounded(value):
    """floor(value + 1/2); refuses values so close to a tie that another sine could round them the other way."""
    assert np.min(np.abs(value - np.floor(value) - 0.5)) > 1e-9
    return np.floor(value + 0.5)


def picture(noise_name, shift_x, shift_y):
    """Integers 0..255, [n, 3, h, w]: waves plus noise, moved by the shift."""
    n, c, y, x = np.meshgrid(*(np.arange(size) for size in (BATCH, 3, HEIGHT, WIDTH)), indexing="ij")
    x, y = x - shift_x, y - shift_y
    index = ((n * 3 + c) * (HEIGHT + 2 * MARGIN) + y + MARGIN) * (WIDTH + 2 * MARGIN) + x + MARGIN
    noise = 40 * fixture.fractions(noise_name, index) - 20
    waves = 60 * np.sin(0.11 * x + 0.07 * y + 0.9 * c + 1.3 * n) + 40 * np.cos(0.05 * x - 0.13 * y + 0.5 * c + 0.7 * n)
    values = rounded(127.5 + waves + noise)
    assert values.min() >= 0 and values.max() <= 255
    return values


def target():
    """Smooth flow near the shift in multiples of 1/64 pixel, [n, 2, h, w]; a 4x4 patch of the second sample is beyond 400 pixels."""
    n, y, x = np.meshgrid(*(np.arange(size) for size in (BATCH, HEIGHT, WIDTH)), indexing="ij")
    u = SHIFT_X + 1.5 * np.sin(0.04 * x + 0.02 * y + n + 0.3)
    v = SHIFT_Y + 1.2 * np.cos(0.03 * x - 0.05 * y + n + 0.1)
    flow = rounded(64 * np.stack([u, v], axis=1)) / 64
    flow[1, 0, 40:44, 60:64] = 500
    return flow


def validity():
    """[n, h, w] of 0 and 1: zero for about a tenth of the pixels and for the rectangle y < 16, x < 24 of the first sample."""
    valid = (fixture.uniform("valid", (BATCH, HEIGHT, WIDTH), 0, 1) >= 0.1).astype(np.float64)
    valid[0, :16, :24] = 0
    return valid


def inputs(case):
    return {"image1": picture(case.noise, 0, 0), "image2": picture(case.noise, SHIFT_X, SHIFT_Y), "flow": target(), "valid": validity()}


def record_stages(network, stages):
    """Keeps what the two encoders, the lookup, the update and the upsampling see: for finding the first wrong stage."""
    network.feature_encoder.register_forward_hook(lambda _, __, output: stages.append(("feature_encoder", output)))
    network.context_encoder.register_forward_hook(lambda _, __, output: stages.append(("context_encoder", output)))

    def update(_, arguments, output):
        iteration = sum(name.startswith("lookup") for name, _ in stages)
        stages.extend([(f"lookup.{iteration}", arguments[2]), (f"hidden.{iteration}", output[0])])
        stages.append((f"flow_low.{iteration}", arguments[3] + output[1]))
    return [network.update_block.register_forward_hook(update)]


def run(case, dtype):
    """All results of one precision as float32 or float64 arrays: group -> name -> array."""
    variant = case.variant
    with reference.precision(dtype):
        network = reference.model(variant, weights(case), dtype, case.frozen)
        data = {name: torch.from_numpy(x).to(dtype) for name, x in inputs(case).items()}
        images = (data["image1"], data["image2"])
        stages = []
        record_stages(network, stages)
        flows = reference.predict(network, images, case.iterations)
        stages = {name: x.detach().numpy().copy() for name, x in stages}
        loss = reference.sequence_loss(flows, data["flow"], data["valid"], GAMMA)
        loss.backward()
        gradients = {name: p.grad.numpy().copy() for name, p in reference.named_parameters(variant, network).items()}

        fresh = reference.model(variant, weights(case), dtype, case.frozen)
        losses, norms = reference.train(fresh, (images, data["flow"], data["valid"]), case.iterations, GAMMA, RATES)
        assert losses[0] == loss.item()
        trained = {name: p.detach().numpy().copy() for name, p in reference.named_parameters(variant, fresh).items()}
        moved = {name: x.numpy().copy() for name, x in reference.named_buffers(variant, fresh).items()}
        with torch.no_grad():
            final = reference.sequence_loss(reference.predict(fresh, images, case.iterations), data["flow"], data["valid"], GAMMA)
    return {"grad": gradients, "param": trained, "buffer": moved, "stage": stages,
            "flow": {str(i): f.detach().numpy() for i, f in enumerate(flows)},
            "scalars": {"loss": np.array(losses + [final.item()]), "grad_norm": np.array(norms)}}


def compact(case, label, runs, truth=None):
    """Tensors of the file for one precision, from the first run; with `truth` the statistics end with the distance of all runs to it.

    Of the large model only the statistics of float32 are kept.
    """
    tensors = {f"{label}/{name}": x for name, x in runs[0]["scalars"].items()}
    if truth is not None:
        tensors |= {f"{label}/{name}.distance": np.max([np.abs(run["scalars"][name] - x) for run in runs], axis=0)
                    for name, x in truth["scalars"].items()}
    for group in ("grad", "param", "buffer", "stage", "flow"):
        for name, x in runs[0][group].items():
            whole = name.startswith("flow_low")
            kept = x[:, :, ::STRIDE, ::STRIDE] if group == "flow" else x if whole else fixture.elements(x, case.whole_limit, case.samples)
            known = fixture.statistics(x)
            if truth is not None:
                known = np.concatenate([known, fixture.distance([run[group][name] for run in runs], truth[group][name])])
            if truth is None or case.variant == "small":
                tensors[f"{label}/{group}/{name}"] = kept
            tensors[f"{label}/{group}.statistics/{name}"] = known
    return tensors


def metadata(case):
    """The settings, and checksums with which the other side proves that it made the same inputs."""
    data, parameters = inputs(case), weights(case)
    made = {name: data[name].astype(np.uint8).tobytes() for name in ("image1", "image2", "valid")}
    made["flow"] = data["flow"].astype("<f4").tobytes()
    made["weights"] = b"".join(x.astype("<f4").tobytes() for x in parameters.values())
    settings = {"batch": BATCH, "height": HEIGHT, "width": WIDTH, "iterations": case.iterations, "gamma": GAMMA, "optimizer": "adamw",
                "learning_rate": RATES[0], "steps": len(RATES), "betas": [0.9, 0.999], "epsilon": 1e-8, "weight_decay": 1e-4,
                "gradient_clip": 1.0, "flow_stride": STRIDE, "frozen": case.frozen}
    return {"settings": json.dumps(settings), "made_by": f"make_raft.py, torch {torch.__version__}, torchvision 0.29.2", "noise": case.noise,
            "null_gradients": json.dumps(reference.null_gradients(case.variant, case.frozen))} | {
                f"fnv1a64.{name}": f"{fixture.fnv1a64(content):016x}" for name, content in made.items()}


def make(case):
    watch = fixture.Stopwatch(600)
    reference.check_names(case.variant)
    exact, singles = run(case, torch.float64), []
    for order in reference.ROUNDINGS:
        with reference.rounding(*order):
            singles.append(run(case, torch.float32))
    tensors = compact(case, "f64", [exact]) | compact(case, "f32", singles, exact)
    if case.has_whole_flow:
        last = str(case.iterations - 1)
        tensors[f"f64/flow.whole/{last}"] = exact["flow"][last].astype(np.float32)
    describe(case, exact, singles)
    path = HERE / f"raft_{case.name}.safetensors"
    fixture.write_tensors(path, tensors, metadata(case))
    names = [{"name": name, "shape": list(shape)} for name, shape in reference.official_shapes(case.variant).items()]
    (HERE / f"raft_{case.variant}_names.json").write_text("[\n" + ",\n".join("  " + json.dumps(entry) for entry in names) + "\n]\n")
    watch.report(path)


def main():
    torch.set_num_threads(1)
    for case in CASES:
        if len(sys.argv) == 1 or case.name in sys.argv[1:]:
            make(case)


def describe(case, exact, singles):
    """Prints what a reader needs to judge the numbers: are activations sane, how far is float32 from float64."""
    print("loss f64", exact["scalars"]["loss"], "f32", *(single["scalars"]["loss"] for single in singles))
    print("gradient norm f64", exact["scalars"]["grad_norm"], "f32", *(single["scalars"]["grad_norm"] for single in singles))
    for name, x in list(exact["stage"].items()) + [(f"flow {i}", f) for i, f in exact["flow"].items()]:
        print(f"{name:18s} {str(x.shape):20s} mean {x.mean():+.4f} deviation {x.std():.4f} max {np.abs(x).max():.4f}")
    null = set(reference.null_gradients(case.variant, case.frozen))
    for group in ("grad", "param"):
        for single in singles:
            ratios = {name: np.abs(single[group][name] - x).max() / np.abs(x).max()
                      for name, x in exact[group].items() if name not in null}
            worst = max(ratios, key=ratios.get)
            median = np.median(list(ratios.values()))
            print(f"{group}: relative distance of float32: median {median:.2e}, worst {ratios[worst]:.2e} {worst}")
    print("null gradients: largest f64", max(np.abs(exact["grad"][name]).max() for name in null),
          "f32", *(max(np.abs(single["grad"][name]).max() for name in null) for single in singles))


if __name__ == "__main__":
    main()
