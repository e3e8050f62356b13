"""Makes mat_*.safetensors and the lists of names: outputs, masks, losses, gradients and two alternating iterations of MAT.

    python3 make_mat.py [narrow] [--noise N ...]

The definition is mat_reference.py, whose 256-pixel network gives the numbers of MATVectorTests.swift. Weights, pictures, masks and draws are
not stored: fixture_hash and the formulas of this file make them on both sides. --noise only prints, for each of the noises, how far float32 is
from float64.
"""
import dataclasses
import json
import math
import pathlib

import numpy as np
import torch

import fixture_hash as fixture
import mat_reference as reference
import raft_reference

HERE = pathlib.Path(__file__).parent
HOLES = [(8, 12, 56, 52), (0, 0, 64, 40), (2, 2, 62, 62), (30, 0, 64, 64)]  # top, left, bottom, right of each picture
GAMMA = 10.0
EVERY = {"G": 4, "D": 16}       # steps from one regularisation to the next: the optimisers' lazy correction
RATE, BETA2 = 1e-3, 0.99
EMA = 0.75
ITERATIONS = 2
CUTOFFS = {"it0.Gmain": 3, "it1.Dmain": 1, "half": 4}  # of style mixing, where there is any


@dataclasses.dataclass(frozen=True)
class Case:
    """One file."""

    name: str
    network: reference.Network
    noise: int               # the inputs: those of `margin`
    batch: int = 4


CASES = [Case("narrow", reference.Network(
    resolution=64, channel_base=1024, channel_max=32, z_dim=16, w_dim=16, mapping_layers=4, width=12, heads=3, windows=(4, 8, 8, 8, 4),
    minibatch_group=2), 24)]


def values(name, shape):
    """The array of an official name: weights of unit variance, small biases."""
    root3 = math.sqrt(3.0)
    if name.startswith("mapping.fc"):
        return fixture.weights(name, shape, 100 * root3 if name.endswith("weight") else 10)
    if name.endswith("affine.bias"):
        return fixture.weights(name, shape, 0.1, centre=1)
    return fixture.weights(name, shape, root3 if name.endswith(("weight", "noise_const")) else 0.1)


def filled(network, dtype):
    state = network.state_dict()
    constants = ("resample_filter", "attn_mask")
    network.load_state_dict({name: x if name.endswith(constants) else torch.from_numpy(np.array(values(name, tuple(x.shape))))
                             for name, x in state.items()})
    return network.to(dtype)


def pictures(case, name="image"):
    """Multiples of 1/64, [n, 3, h, w]."""
    size = case.network.resolution
    return np.floor(fixture.uniform(f"{name}.{case.noise}", (case.batch, 3, size, size), -64, 65)) / 64


def masks(case):
    size = case.network.resolution
    result = np.ones((case.batch, 1, size, size))
    for i, (top, left, bottom, right) in enumerate(HOLES):
        result[i, :, top:bottom, left:right] = 0
    return result


def draws(case, name, dtype):
    """z and the two maps of 0 and 1 of one forward pass, and style mixing where CUTOFFS names it."""
    net, n = case.network, case.batch

    def tensor(x):
        return torch.from_numpy(np.array(x)).to(dtype)

    def keep(key, *shape):
        return tensor(np.floor(fixture.uniform(f"{name}.{key}.{case.noise}", (n, *shape), 0, 2)))
    grid = net.grids[2]
    result = {"z": tensor(fixture.weights(f"{name}.z.{case.noise}", (n, net.z_dim), math.sqrt(3.0))),
              "keep_first_stage": keep("keep_first_stage", net.width, grid, grid),
              "keep_second_stage": keep("keep_second_stage", net.channels(16), 16, 16)}
    if name in CUTOFFS:
        result["mixing"] = (tensor(fixture.weights(f"{name}.z_mixing.{case.noise}", (n, net.z_dim), math.sqrt(3.0))), CUTOFFS[name])
    return result


def plain(x):
    return x.detach().numpy().copy()


def gradients(network, loss):
    """Official name -> gradient; parameters that the loss does not reach have none.

    A leaky ReLU has no second derivative. PyTorch gives zeros behind it; the authors' fused layers, and Apus, give nothing, so that Adam
    leaves the parameter and its moments alone.
    """
    named = dict(network.named_parameters())
    found = torch.autograd.grad(loss, list(named.values()), allow_unused=True)
    return {name: x for name, x in zip(named, found) if x is not None and x.any()}


def run(case, dtype):
    """All results of one precision: group -> name -> array."""
    with raft_reference.precision(dtype):
        image, mask = (torch.from_numpy(x).to(dtype) for x in (pictures(case), masks(case)))
        generator, discriminator = filled(reference.Generator(case.network), dtype), filled(reference.Discriminator(case.network), dtype)
        seen, known = {}, {}

        def keep(name, x, m):
            seen[name] = plain(x)
            if m is not None:
                known[name] = plain(m)
        generator.eval()
        one = generator(image, mask, draws(case, "one", dtype), seen=keep)
        half = generator(image, mask, draws(case, "half", dtype), psi=0.5)
        output = {"image": one[0], "image_stage1": one[1], "ws": one[2], "half.image": half[0], "half.ws": half[2]}
        fake = discriminator(one[0], mask, one[1])
        fake_d = discriminator(one[0].detach(), mask, one[1].detach())
        real = discriminator(image, mask, image)
        slope = reference.r1(discriminator, image, mask)
        output |= {"logits.fake": fake[0], "logits_stage1.fake": fake[1], "logits.real": real[0], "logits_stage1.real": real[1]}
        loss_g, loss_d = reference.loss_g(fake), reference.loss_d(fake_d, real)
        results = {"seen": seen, "mask": known, "output": {name: plain(x) for name, x in output.items()},
                   "loss": {name: plain(x)[None] for name, x in
                            {"Gmain": loss_g, "Dmain": loss_d, "r1": slope[0], "r1_stage1": slope[1]}.items()},
                   "grad": {f"D.Dreg.{k}": plain(x) for k, x in gradients(discriminator, GAMMA / 2 * (slope[0] + slope[1])).items()}}
        results["grad"] |= {f"D.Dmain.{k}": plain(x) for k, x in gradients(discriminator, loss_d).items()}
        results["grad"] |= {f"G.{k}": plain(x) for k, x in gradients(generator, loss_g).items()}
        return results | trained(case, dtype, image, mask)


def optimizer(network, kind):
    share = EVERY[kind] / (EVERY[kind] + 1)
    return torch.optim.Adam(network.parameters(), lr=RATE * share, betas=(0.0, BETA2**share), eps=1e-8)


def trained(case, dtype, image, mask):
    """Parameters, averages and losses of alternating iterations; the first one regularises the discriminator."""
    generator, discriminator = filled(reference.Generator(case.network), dtype), filled(reference.Discriminator(case.network), dtype)
    average = {name: x.clone() for name, x in generator.state_dict().items()}
    optimizers = {"G": optimizer(generator, "G"), "D": optimizer(discriminator, "D")}
    networks, losses = {"G": generator, "D": discriminator}, {}

    def update(kind, name, loss):
        slopes = gradients(networks[kind], loss)
        for key, p in networks[kind].named_parameters():
            p.grad = slopes.get(key)
        optimizers[kind].step()
        losses[name] = np.array([loss.item()])
    for i in range(ITERATIONS):
        picture, first, _ = generator(image, mask, draws(case, f"it{i}.Gmain", dtype), psi=0.5)
        update("G", f"it{i}.Gmain", reference.loss_g(discriminator(picture, mask, first)))
        with torch.no_grad():
            picture, first, _ = generator(image, mask, draws(case, f"it{i}.Dmain", dtype), psi=0.5)
        update("D", f"it{i}.Dmain", reference.loss_d(discriminator(picture, mask, first), discriminator(image, mask, image)))
        if i % EVERY["D"] == 0:
            slope = reference.r1(discriminator, image, mask)
            update("D", f"it{i}.Dreg", GAMMA / 2 * (slope[0] + slope[1]) * EVERY["D"])
        buffers = dict(generator.named_buffers())
        for name, x in generator.state_dict().items():
            average[name] = x.clone() if name in buffers else EMA * average[name] + (1 - EMA) * x
    names = list(dict(generator.named_parameters()))[::3] + ["mapping.w_avg"]
    state = generator.state_dict()
    return {"param": {f"G.{name}": plain(state[name]) for name in names} | {f"D.{k}": plain(p) for k, p in discriminator.named_parameters()},
            "ema": {f"G.{name}": plain(average[name]) for name in names}, "iteration": losses}


def null_gradients(case):
    """A constant added to all keys changes no weight of attention."""
    return [f"G.{name}" for name, _ in reference.Generator(case.network).named_parameters() if name.endswith("attn.k.bias")]


def compact(case, exact, singles):
    """Tensors of the file: of float64 elements and statistics, of float32 the distance to float64."""
    tensors = {}
    for group in ("loss", "iteration"):
        for name, x in exact[group].items():
            tensors[f"f64/{group}/{name}"] = x
            tensors[f"f32/{group}.distance/{name}"] = np.max([np.abs(single[group][name] - x) for single in singles], axis=0)
    for group in ("seen", "mask", "output", "grad", "param", "ema"):
        limits = (256, 128) if group == "output" else (16, 8)
        for name, x in exact[group].items():
            tensors[f"f64/{group}/{name}"] = fixture.elements(x, *limits)
            tensors[f"f64/{group}.statistics/{name}"] = fixture.statistics(x)
            tensors[f"f32/{group}.distance/{name}"] = fixture.distance([single[group][name] for single in singles], x)
    return tensors


def rows(network, prefix):
    return [f'{{"name": "{prefix}{name}", "shape": {list(x.shape)}}}' for name, x in network.state_dict().items()]


def metadata(case):
    content = {"images": pictures(case), "masks": masks(case), "z": fixture.weights(f"one.z.{case.noise}", (case.batch, case.network.z_dim), math.sqrt(3.0))}
    settings = dataclasses.asdict(case.network) | {
        "noise": case.noise, "batch": case.batch, "holes": HOLES, "gamma": GAMMA, "generator_every": EVERY["G"],
        "discriminator_every": EVERY["D"], "rate": RATE, "beta2": BETA2, "average": EMA, "cutoffs": CUTOFFS}
    return {"settings": json.dumps(settings), "null_gradients": json.dumps(null_gradients(case)),
            "made_by": f"make_mat.py, torch {torch.__version__}"} | {
                f"fnv1a64.{name}": f"{fixture.fnv1a64(x.astype('<f4').tobytes()):016x}" for name, x in content.items()}


def results(case):
    """The float64 run and the float32 runs."""
    singles = []
    for order in raft_reference.ROUNDINGS:
        with raft_reference.rounding(*order):
            singles.append(run(case, torch.float32))
    return run(case, torch.float64), singles


def ratios(case, group, exact, single):
    null = null_gradients(case)
    return {name: np.abs(single[group][name] - x).max() / np.abs(x).max() for name, x in exact[group].items()
            if name not in null and np.abs(x).max() > 0}


def margin(case):
    """How near to 0 the activations come where the discriminator sees real pictures: in float32 some change their sign, R1 with them."""
    with raft_reference.precision(torch.float64):
        network, nearest = filled(reference.Discriminator(case.network), torch.float64), [np.inf]

        def hook(_, __, y):
            nearest.append((y.abs().min() / y.std()).item())
        for module in network.modules():
            if getattr(module, "act", False):
                module.register_forward_hook(hook)
        image, mask = (torch.from_numpy(x).to(torch.float64) for x in (pictures(case), masks(case)))
        with torch.no_grad():
            network(image, mask, image)
    return min(nearest)


def check(case, exact):
    """Stops unless the case is a good one: null gradients are none, all others are not, and the masks change within the body."""
    scale = max(np.abs(x).max() for x in exact["grad"].values())
    null = sorted(name for name, x in exact["grad"].items() if np.abs(x).max() < 1e-13 * scale)
    assert null == sorted(null_gradients(case)), null
    shares = [exact["mask"][f"first_stage.tran.{i}.blocks.1"].mean() for i in (0, 1)]
    assert margin(case) > 1e-6, margin(case)
    assert exact["mask"]["first_stage.conv_first"].mean() < shares[0] < shares[1] <= 1, shares


def describe(case, exact, singles):
    """Prints what a reader needs to judge the numbers: are activations sane, how far is float32 from float64."""
    print(case.name, {name: float(x[0]) for name, x in (exact["loss"] | exact["iteration"]).items()})
    for name, x in exact["output"].items():
        print(f"{name:20s} {str(x.shape):20s} mean {x.mean():+.4f} deviation {x.std():.4f} max {np.abs(x).max():.4f}")
    print("known", {name: round(float(x.mean()), 4) for name, x in exact["mask"].items()})
    for group in ("output", "grad", "param", "ema"):
        for single in singles:
            found = ratios(case, group, exact, single)
            worst = max(found, key=found.get)
            print(f"{group}: relative distance of float32: median {np.median(list(found.values())):.2e}, worst {found[worst]:.2e} {worst}")


def make(case):
    watch = fixture.Stopwatch(600)
    exact, singles = results(case)
    describe(case, exact, singles)
    check(case, exact)
    path = HERE / f"mat_{case.name}.safetensors"
    fixture.write_tensors(path, compact(case, exact, singles), metadata(case))
    watch.report(path)


def write_names():
    """The names and shapes of the published networks."""
    for resolution in (256, 512):
        net = reference.Network(resolution=resolution)
        entries = rows(reference.Generator(net), "G.") + rows(reference.Discriminator(net), "D.")
        (HERE / f"mat_{resolution}_names.json").write_text("[\n" + ",\n".join("  " + entry for entry in entries) + "\n]\n")


def compare_noises(case, noises):
    for noise in noises:
        item = dataclasses.replace(case, noise=noise)
        exact, singles = results(item)
        worst = " ".join(f"{max(ratios(item, 'grad', exact, single).values()):.1e}" for single in singles)
        print(f"{case.name} {noise}: margin {margin(item):.1e}, worst gradients {worst}", flush=True)


def main():
    torch.set_num_threads(1)
    fixture.run(CASES, None, make, compare_noises, write_names)


if __name__ == "__main__":
    main()
