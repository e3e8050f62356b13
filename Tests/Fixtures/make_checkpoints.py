"""Makes checkpoint_zip.pth, checkpoint_legacy.pth, golden.pth and raft_published_names.json: what torch.save writes, and RAFT's names.

    python3 make_checkpoints.py

The keys of the storages in checkpoint_legacy.pth are addresses, so its bytes differ from run to run; the values do not.
"""
import argparse
import collections
import json
import pathlib

import torch

import raft_reference as reference

FOLDER = pathlib.Path(__file__).parent


def state_dict():
    """Every type that we read, views of all kinds, shared storages, a parameter."""
    grid = torch.arange(20.0).reshape(4, 5)
    shared = torch.arange(6.0)
    state = collections.OrderedDict()
    state["float32"] = torch.tensor([[0.25, -0.5, 3.0], [1e-30, 65504.0, -1.0]])
    for name in ("float64", "float16", "bfloat16"):
        state[name] = torch.tensor([1.5, -2.0, 0.099609375], dtype=getattr(torch, name))
    state["int64"] = torch.tensor([2**62 + 1, -3])
    state["int32"] = torch.tensor([-65537, 7], dtype=torch.int32)
    state["int16"] = torch.tensor([-257, 300], dtype=torch.int16)
    state["int8"] = torch.tensor([-128, 127], dtype=torch.int8)
    state["uint8"] = torch.tensor([0, 200], dtype=torch.uint8)
    state["bool"] = torch.tensor([True, False, True])
    state["scalar"] = torch.tensor(7)
    state["empty"] = torch.zeros(0, 3)
    state["transposed"] = torch.arange(6.0).reshape(2, 3).t()
    state["sliced"] = grid[1:3, 1:5:2]
    state["channels_last"] = torch.arange(12.0).reshape(1, 2, 2, 3).contiguous(memory_format=torch.channels_last)
    state["expanded"] = torch.tensor(2.5).expand(2, 2)
    state["shared.a"] = shared
    state["shared.b"] = shared.detach()
    state["shared.tail"] = shared[4:]
    state["parameter"] = torch.nn.Parameter(torch.tensor([0.5, 1.5]))
    state._metadata = collections.OrderedDict({"": {"version": 1}})  # an attribute, as Module.state_dict leaves it
    return state


def checkpoint():
    """A training checkpoint with things around the weights."""
    weight = torch.nn.Parameter(torch.ones(2))
    optimizer = torch.optim.AdamW([weight])
    weight.sum().backward()
    optimizer.step()
    return {"epoch": 3, "perf": 0.5, "args": argparse.Namespace(lr=1e-4, gpus=[0, 1], name="trial"), "state_dict": state_dict(),
            "optimizer": optimizer.state_dict()}


def golden():
    """What our writer must write in the same way: plain tensors, one of them under two names."""
    state = collections.OrderedDict()
    for index in range(20):  # more than 256 remembered values
        state[f"layer.{index}.weight"] = torch.full((2, 3), float(index))
    state["kernel"] = torch.arange(300.0, dtype=torch.float64).reshape(5, 3, 10, 2)
    state["kernel.alias"] = state["kernel"].detach()
    state["scalar"] = torch.tensor(-7)
    state["empty"] = torch.zeros(0, 3)
    state["long"] = torch.arange(400)
    return state


def published_names():
    """For both variants: the authors' names and torchvision's own, with shapes."""
    def listed(shapes):
        return [{"name": name, "shape": list(shape)} for name, shape in shapes.items()]

    def theirs(network):
        return listed({name: tuple(x.shape) for name, x in network.state_dict().items()})

    networks = {"small": reference.raft.raft_small, "large": reference.raft.raft_large}
    return {variant: {"official": listed(reference.official_shapes(variant)), "torchvision": theirs(network(weights=None))}
            for variant, network in networks.items()}


def main():
    torch.set_num_threads(1)
    torch.save(checkpoint(), FOLDER / "checkpoint_zip.pth")
    torch.save(checkpoint(), FOLDER / "checkpoint_legacy.pth", _use_new_zipfile_serialization=False)
    torch.save(golden(), FOLDER / "golden.pth")
    names = published_names()
    assert [len(names[v][k]) for v in ("small", "large") for k in ("official", "torchvision")] == [106, 106, 179, 169]
    rows = {v: {k: "[\n" + ",\n".join("   " + json.dumps(row) for row in rows) + "]" for k, rows in kinds.items()} for v, kinds in names.items()}
    text = ",\n".join(f' "{v}": {{\n' + ",\n".join(f'  "{k}": {rows}' for k, rows in kinds.items()) + "}" for v, kinds in rows.items())
    (FOLDER / "raft_published_names.json").write_text("{\n" + text + "}\n")


if __name__ == "__main__":
    main()
