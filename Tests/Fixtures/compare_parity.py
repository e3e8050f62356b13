"""Compares `apus parity` with torchvision's RAFT on random weights and inputs. Needs the apus binary; not part of CI.

    python3 compare_parity.py APUS CONFIG [--variant large] [--frozen] [--precision float64] [--steps 3] [--height 128 --width 136]

The config must name the same variant; `--frozen` compares with frozen batch norm and sets `train.freeze_batch_norm`.

The settings of the config (iterations, gamma, learning rate and its schedule, clip, decay) must be given here too when they differ
from the defaults. Errors are relative to the largest absolute value of the tensor. float64 must agree within --tolerance; float32
must stay within --factor times the distance of torch's own float32 runs from its float64 run, or 16 roundings of the largest value.
Exit code 1 on any mismatch.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import torch
from safetensors.numpy import load_file

import fixture_hash as fixture
import raft_reference as reference


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("apus", help="path of the apus binary")
    parser.add_argument("config", help="path of the config given to apus")
    parser.add_argument("--variant", choices=["small", "large"], default="small")
    parser.add_argument("--frozen", action="store_true", help="batch norm in evaluation mode")
    parser.add_argument("--precision", choices=["float32", "float64"], default="float64")
    parser.add_argument("--steps", type=int, default=3, help="optimiser steps before the parameters are compared")
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--height", type=int, default=128)
    parser.add_argument("--width", type=int, default=136)
    parser.add_argument("--iterations", type=int, default=12, help="flow updates")
    parser.add_argument("--gamma", type=float, default=0.8)
    parser.add_argument("--learning-rate", type=float, default=4e-4, help="the constant rate, or the peak of the schedule")
    parser.add_argument("--schedule", choices=["constant", "one_cycle"], default="constant")
    parser.add_argument("--schedule-steps", type=int, default=100_100, help="total length of the one_cycle schedule")
    parser.add_argument("--clip", type=float, default=1.0, help="largest gradient norm; 0 switches off")
    parser.add_argument("--weight-decay", type=float, default=1e-4)
    parser.add_argument("--epsilon", type=float, default=1e-8)
    parser.add_argument("--betas", type=float, nargs=2, default=(0.9, 0.999))
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="passed on to apus, repeatable")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tolerance", type=float, default=1e-8, help="largest relative error in float64")
    parser.add_argument("--factor", type=float, default=4.0, help="float32: allowed multiple of torch's own rounding distance")
    parser.add_argument("--rows", type=int, default=12, help="how many of the worst tensors to print per group")
    parser.add_argument("--work-dir", type=pathlib.Path, help="keep the files here instead of in a temporary folder")
    return parser.parse_args()


def random_case(options):
    """torch's own initialisation (official name -> float32 array) and inputs whose second image is the moved first one."""
    torch.manual_seed(options.seed)
    theirs = reference.network(options.variant).state_dict()
    weights = {name: theirs[reference.torchvision_name(name)].numpy().copy() for name in reference.names(options.variant)}
    n, h, w = options.batch, options.height, options.width
    coarse = torch.rand(n, 3, h // 8 + 2, w // 8 + 2)
    scene = torch.nn.functional.interpolate(coarse, size=(h + 8, w + 8), mode="bicubic") + 0.1 * torch.rand(n, 3, h + 8, w + 8)
    scene = (255 * scene).round().clamp(0, 255)
    smooth = torch.nn.functional.interpolate(torch.randn(n, 2, 3, 4), size=(h, w), mode="bicubic")
    flow = torch.tensor([3.0, -2.0]).view(1, 2, 1, 1) + smooth
    inputs = {"image1": scene[:, :, 2:2 + h, 4:4 + w], "image2": scene[:, :, 4:4 + h, 1:1 + w], "flow": flow,
              "valid": (torch.rand(n, h, w) > 0.1).float()}
    return weights, {name: x.numpy().copy() for name, x in inputs.items()}


def learning_rates(options):
    """The rate of every step."""
    if options.schedule == "constant":
        return [options.learning_rate] * options.steps
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=options.learning_rate)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=options.learning_rate, total_steps=options.schedule_steps,
                                                    pct_start=0.05, cycle_momentum=False, anneal_strategy="linear")
    rates = []
    for _ in range(options.steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


def run_torch(weights, inputs, options, dtype):
    """What apus should write, made by torchvision in `dtype`: name -> array."""
    with reference.precision(dtype):
        data = {name: torch.from_numpy(x).to(dtype) for name, x in inputs.items()}
        images = (data["image1"], data["image2"])
        network = reference.model(options.variant, weights, dtype, options.frozen)
        flows = reference.predict(network, images, options.iterations)
        loss = reference.sequence_loss(flows, data["flow"], data["valid"], options.gamma)
        loss.backward()
        results = {f"output.flow.{i}": flow.detach().numpy() for i, flow in enumerate(flows)} | {"loss.total": loss.detach().numpy()}
        results |= {f"grad.{name}": p.grad.numpy() for name, p in reference.named_parameters(options.variant, network).items()}
        if options.steps > 0:
            network = reference.model(options.variant, weights, dtype, options.frozen)
            reference.train(network, (images, data["flow"], data["valid"]), options.iterations, options.gamma, learning_rates(options),
                            options.clip, tuple(options.betas), options.epsilon, options.weight_decay)
            results |= {f"param.{name}": p.detach().numpy() for name, p in reference.named_parameters(options.variant, network).items()}
            results |= {f"buffer.{name}": x.numpy() for name, x in reference.named_buffers(options.variant, network).items()}
    return results


def run_apus(weights, inputs, options, folder):
    """Writes weights.safetensors and inputs.safetensors, runs apus, and reads what it wrote."""
    kind = np.dtype(options.precision)
    fixture.write_tensors(folder / "weights.safetensors", {name: x if x.dtype.kind == "i" else x.astype(kind) for name, x in weights.items()}, {})
    images = {name: x.astype(np.float32 if name.startswith("image") else kind) for name, x in inputs.items()}
    fixture.write_tensors(folder / "inputs.safetensors", images, {})
    command = [options.apus, "parity", options.config, "--weights", folder / "weights.safetensors",
               "--inputs", folder / "inputs.safetensors", "--out", folder / "results.safetensors",
               "--steps", str(options.steps), "--precision", options.precision]
    for setting in options.set + (["train.freeze_batch_norm=true"] if options.frozen else []):
        command += ["--set", setting]
    code = subprocess.run([str(part) for part in command]).returncode
    if code != 0:
        sys.exit(f"apus ended with exit code {code}")
    return load_file(folder / "results.safetensors")


def scale(name, exact):
    """What errors are relative to: the largest absolute value; null gradients, mere noise, count as 1e-6 of the largest gradient."""
    largest = float(np.max(np.abs(exact[name])))
    if name.startswith("grad."):
        largest = max(largest, 1e-6 * max(float(np.max(np.abs(x))) for other, x in exact.items() if other.startswith("grad.")))
    return max(largest, 1e-300)


def allowance(name, exact, singles, options):
    """The largest absolute error that a tensor may have."""
    group, _, parameter = name.partition(".")
    if options.precision == "float64":
        return options.tolerance * scale(name, exact)
    nulls = reference.null_gradients(options.variant, options.frozen)
    null = parameter in nulls
    own = fixture.distance([single[name] for single in singles], exact[name])[1]
    if null and group == "grad":   # only rounding noise: as much as torch has in any of these tensors
        own = max(np.max(np.abs(single[f"grad.{other}"])) for single in singles for other in nulls)
    allowed = max(options.factor * own, 16 * np.finfo(np.float32).eps * np.max(np.abs(exact[name])))
    if null and group == "param":  # AdamW turns rounding noise into steps of up to the learning rate
        allowed = max(allowed, 2 * sum(learning_rates(options)))
    return allowed


def compare(found, exact, singles, options):
    """Rows (group, name, relative error, allowed relative error, problem) for every expected tensor."""
    rows = []
    for name, truth in exact.items():
        group = name.split(".")[0]
        if name not in found:
            rows.append((group, name, np.inf, 0.0, "missing"))
            continue
        value = found[name].astype(np.float64)
        if value.size != truth.size or (truth.ndim > 0 and value.shape != truth.shape):
            rows.append((group, name, np.inf, 0.0, f"shape {value.shape}, expected {truth.shape}"))
            continue
        error = float(np.max(np.abs(value.reshape(truth.shape) - truth)))
        allowed = allowance(name, exact, singles, options)
        unit = scale(name, exact)
        rows.append((group, name, error / unit, allowed / unit, "" if error <= allowed else "MISMATCH"))  # NaN is a mismatch too
    return rows


def report(rows, count):
    """Prints the worst tensors of each group and returns how many fail."""
    print(f"{'tensor':56s} {'error':>10s} {'allowed':>10s}  (relative to the tensor's largest absolute value)")
    for group in ("output", "loss", "grad", "param", "buffer"):
        mine = sorted((row for row in rows if row[0] == group), key=lambda row: (not row[4], -row[2] / max(row[3], 1e-300)))
        for _, name, error, allowed, problem in mine[:count]:
            print(f"{name:56s} {error:10.2e} {allowed:10.2e}  {problem}")
        if mine:
            failing, largest = sum(bool(row[4]) for row in mine), max(row[2] for row in mine)
            print(f"{group}: {len(mine)} tensors, {failing} fail, largest error {largest:.2e}\n")
    return sum(bool(row[4]) for row in rows)


def main():
    options = arguments()
    torch.set_num_threads(1)
    watch = fixture.Stopwatch(900)
    reference.check_names(options.variant)
    weights, inputs = random_case(options)
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.work_dir or pathlib.Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        found = run_apus(weights, inputs, options, folder)
        exact = run_torch(weights, inputs, options, torch.float64)
        singles = []
        for order in reference.ROUNDINGS if options.precision == "float32" else []:
            with reference.rounding(*order):
                singles.append(run_torch(weights, inputs, options, torch.float32))
        failures = report(compare(found, exact, singles, options), options.rows)
        watch.report(folder / "results.safetensors")
    print(json.dumps({"precision": options.precision, "steps": options.steps, "failures": failures}))
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
