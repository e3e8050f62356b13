"""Makes optimizers.safetensors and schedules.json: parameters after each optimiser step, clipped gradients, learning rates."""
import json
import pathlib

import numpy as np
import torch
from torch.optim import lr_scheduler

import fixture_hash as fixture

HERE = pathlib.Path(__file__).parent
SHAPES = {"a": (3, 4), "b": (5,), "c": (2, 3, 2)}
STEPS = 6
OPTIMIZERS = {
    "sgd": ("SGD", {"lr": 0.1}),
    "sgd_momentum": ("SGD", {"lr": 0.05, "momentum": 0.9, "dampening": 0.0}),
    "sgd_nesterov": ("SGD", {"lr": 0.05, "momentum": 0.9, "nesterov": True}),
    "sgd_decay": ("SGD", {"lr": 0.05, "momentum": 0.9, "weight_decay": 0.01}),
    "sgd_nesterov_decay": ("SGD", {"lr": 0.02, "momentum": 0.8, "nesterov": True, "weight_decay": 0.1}),
    "adam": ("Adam", {"lr": 0.01, "betas": (0.9, 0.999), "eps": 1e-8}),
    "adam_l2": ("Adam", {"lr": 0.02, "betas": (0.8, 0.99), "eps": 1e-6, "weight_decay": 0.1}),
    "adamw": ("AdamW", {"lr": 4e-4, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 1e-4}),
    "adamw_strong": ("AdamW", {"lr": 0.05, "betas": (0.8, 0.95), "eps": 1e-3, "weight_decay": 0.3}),
}
CLIPS = {"clip_active": (0.75, 3.0), "clip_inactive": (100.0, 1.0), "clip_small": (1.0, 1e-3)}  # largest norm, scale of the gradients


def gradients():
    """Tensor -> gradients of all steps, stacked on a leading axis."""
    return {name: fixture.uniform(f"gradient/{name}", (STEPS, *shape)) for name, shape in SHAPES.items()}


def optimized(kind, options):
    """Tensor -> its values after every step, stacked on a leading axis."""
    parameters = {name: torch.nn.Parameter(torch.from_numpy(fixture.uniform(f"initial/{name}", shape))) for name, shape in SHAPES.items()}
    optimizer = getattr(torch.optim, kind)(list(parameters.values()), foreach=False, **options)
    trace = {name: [] for name in SHAPES}
    for step in range(STEPS):
        for name, gradient in gradients().items():
            parameters[name].grad = torch.from_numpy(gradient[step].copy())
        optimizer.step()
        for name, parameter in parameters.items():
            trace[name].append(parameter.detach().numpy().copy())
    return {name: np.stack(values) for name, values in trace.items()}


def clipped(largest, scale):
    """The gradients of step 0 times `scale` before and after clip_grad_norm_, and the norm it returns."""
    parameters = {name: torch.nn.Parameter(torch.zeros(shape, dtype=torch.float64)) for name, shape in SHAPES.items()}
    before = {name: scale * gradient[0] for name, gradient in gradients().items()}
    for name, parameter in parameters.items():
        parameter.grad = torch.from_numpy(before[name].copy())
    norm = torch.nn.utils.clip_grad_norm_(list(parameters.values()), largest)
    return ({f"before/{name}": x for name, x in before.items()} | {"norm": norm.numpy()}
            | {f"after/{name}": parameter.grad.numpy() for name, parameter in parameters.items()})


def make_optimizers(path):
    tensors = {f"initial/{name}": fixture.uniform(f"initial/{name}", shape) for name, shape in SHAPES.items()}
    tensors |= {f"gradient/{name}": x for name, x in gradients().items()}
    metadata = {}
    for case, (kind, options) in OPTIMIZERS.items():
        tensors |= {f"{case}/{name}": x for name, x in optimized(kind, options).items()}
        metadata[case] = json.dumps({"optimizer": kind} | options, separators=(",", ":"))
    for case, (largest, scale) in CLIPS.items():
        tensors |= {f"{case}/{name}": x for name, x in clipped(largest, scale).items()}
        metadata[case] = json.dumps({"max_norm": largest}, separators=(",", ":"))
    fixture.write_tensors(path, tensors, metadata)


def rates(kind, base, options, steps):
    """The learning rates of the given steps t: the one in force for update t, counted from 0."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=base)
    scheduler = getattr(lr_scheduler, kind)(optimizer, **options)
    wanted, values = set(steps), []
    for t in range(max(steps) + 1):
        if t in wanted:
            values.append(float(optimizer.param_groups[0]["lr"]))
        if t < max(steps):
            optimizer.step()
            scheduler.step()
    return values


def one_cycle(peak, updates):
    """RAFT's schedule: linear, 5 % warm-up, 100 steps more than the run has."""
    return {"max_lr": peak, "total_steps": updates + 100, "pct_start": 0.05, "cycle_momentum": False, "anneal_strategy": "linear"}


def make_schedules(path):
    table = {
        "one_cycle_raft_100k": ("OneCycleLR", 4e-4, one_cycle(4e-4, 100_000),
                                [0, 1, 1000, 5003, 5004, 5005, 5006, 50_000, 100_000, 100_099]),
        "one_cycle_small": ("OneCycleLR", 1.25e-4, one_cycle(1.25e-4, 60), range(160)),
        "step": ("StepLR", 1e-4, {"step_size": 4, "gamma": 0.1}, range(14)),
        "multi_step": ("MultiStepLR", 1e-3, {"milestones": [5, 8], "gamma": 0.1}, range(12)),
        "cosine": ("CosineAnnealingLR", 2e-3, {"T_max": 20, "eta_min": 1e-5}, range(21)),
        "polynomial": ("PolynomialLR", 1e-2, {"total_iters": 15, "power": 0.9}, range(18)),
        "linear_warmup": ("LinearLR", 5e-4, {"start_factor": 0.001, "end_factor": 1.0, "total_iters": 8}, range(12)),
    }
    entries = {}
    for name, (kind, base, options, steps) in table.items():
        values = rates(kind, base, options, list(steps))
        entries[name] = {"scheduler": kind, "base_lr": base, "parameters": options, "steps": list(steps), "values": values}
    text = ",\n".join(f"  {json.dumps(name)}: {json.dumps(entry)}" for name, entry in entries.items())
    path.write_text("{\n" + text + "\n}\n")
    published = dict(zip(entries["one_cycle_raft_100k"]["steps"], entries["one_cycle_raft_100k"]["values"]))
    for t, value, digits in [(0, 1.6e-5, 1e-9), (5004, 4e-4, 1e-9), (50_000, 2.107e-4, 5e-8), (100_000, 4.18e-7, 5e-10)]:
        assert abs(published[t] - value) <= digits, (t, published[t], value)


def main():
    watch = fixture.Stopwatch(60)
    torch.set_num_threads(1)
    make_optimizers(HERE / "optimizers.safetensors")
    make_schedules(HERE / "schedules.json")
    watch.report(HERE / "optimizers.safetensors")
    watch.report(HERE / "schedules.json")


if __name__ == "__main__":
    main()
