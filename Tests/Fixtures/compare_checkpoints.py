"""Compares flow and weights with torchvision's RAFT through files of torch.save. Needs the apus binary; not part of CI.

    python3 compare_checkpoints.py APUS [--variant small] [--set KEY=VALUE] [--iterations 4]

torchvision's network with random weights (and random running statistics) is saved in both forms of .pth, under torchvision's names and
under the authors' names with `module.` before them. For each file: `apus convert` reads it and must accept every name; `apus predict`
with the file itself must give torchvision's flow to within --tolerance pixels; what `apus convert` writes must load into torchvision's
network, strictly, with equal bits. Exit code 1 on any mismatch.
"""
import argparse
import collections
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import torch
from PIL import Image

import make_checkpoints
import raft_reference as reference


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("apus", type=pathlib.Path, help="path of the apus binary")
    parser.add_argument("--variant", choices=["small", "large"], default="small")
    parser.add_argument("--height", type=int, default=136)
    parser.add_argument("--width", type=int, default=160)
    parser.add_argument("--iterations", type=int, default=4)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="passed on to apus, repeatable")
    parser.add_argument("--tolerance", type=float, default=1e-3, help="largest difference of flow, pixels")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def random_network(variant, seed):
    """torch's own initialisation; running statistics and counts are random, too, so that mixed-up names show."""
    torch.manual_seed(seed)
    network = getattr(reference.raft, f"raft_{variant}")(weights=None).eval()
    for name, buffer in network.named_buffers():
        if name.endswith("num_batches_tracked"):
            buffer.fill_(torch.randint(1, 1000, ()))
        else:
            buffer.copy_(torch.rand_like(buffer) + (0.5 if name.endswith("var") else -0.5))
    return network


def official_state(network, variant):
    """The authors' names for torchvision's state; aliases share their storage, as in the authors' files."""
    table = make_checkpoints.published_names()[variant]
    theirs, state = network.state_dict(), collections.OrderedDict()
    for row in table["official"]:
        name = row["name"]
        state["module." + name] = theirs[reference.torchvision_name(name)]
    assert len({x.data_ptr() for x in state.values()}) == len(theirs)
    return state


def run(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(str(part) for part in command)}\nended with exit code {done.returncode}\n{done.stderr}")
    return done.stdout


def write_frames(folder, options):
    """Two frames, the second one moved by three pixels, as PNG files; returns them as tensors of 0..255."""
    generator = torch.Generator().manual_seed(options.seed)
    h, w = options.height, options.width
    scene = torch.nn.functional.interpolate(torch.rand(1, 3, h // 6, w // 6, generator=generator), size=(h, w + 3), mode="bicubic")
    scene = (255 * scene).round().clamp(0, 255)
    frames = [scene[:, :, :, 3:], scene[:, :, :, :w]]
    folder.mkdir()
    for index, frame in enumerate(frames):
        Image.fromarray(frame[0].permute(1, 2, 0).numpy().astype(np.uint8)).save(folder / f"frame{index}.png")
    return frames


def read_flow(path):
    """A .flo file as an array [2, h, w]."""
    width, height = np.fromfile(path, "<i4", 2, offset=4)
    return np.fromfile(path, "<f4", offset=12).reshape(height, width, 2).transpose(2, 0, 1)


def main():
    options = arguments()
    torch.set_num_threads(1)
    network, failures = random_network(options.variant, options.seed), 0
    with tempfile.TemporaryDirectory() as temporary, torch.no_grad():
        folder = pathlib.Path(temporary)
        frames = write_frames(folder / "frames", options)
        truth = reference.predict(network, frames, options.iterations)[-1][0].numpy()
        config = folder / "config.yaml"
        config.write_text(f"task: optical_flow\nmodel: {{variant: {options.variant}}}\ninference: {{iterations: {options.iterations}}}\n")
        settings = [part for setting in options.set for part in ("--set", setting)]
        states = {"torchvision": network.state_dict(), "official": official_state(network, options.variant)}
        for names, state in states.items():
            for form in ("zip", "legacy"):
                file = folder / f"{names}_{form}.pth"
                torch.save(state, file, _use_new_zipfile_serialization=form == "zip")
                run(options.apus, "predict", config, "--weights", file, "--source", folder / "frames", "--out", folder / "flow", *settings)
                error = float(np.abs(read_flow(folder / "flow" / "frame0.flo") - truth).max())
                run(options.apus, "convert", file, folder / "back.pth", "--config", config, "--names", "torchvision", *settings)
                back = torch.load(folder / "back.pth", weights_only=True)
                network.load_state_dict(back, strict=True)  # throws at any other name or shape
                kept = all(torch.equal(back[name], states["torchvision"][name]) for name in back)
                run(options.apus, "convert", file, folder / "official.pth", "--config", config, "--names", "official", *settings)
                official = torch.load(folder / "official.pth", weights_only=True)
                named = set(official) == {name.removeprefix("module.") for name in states["official"]}
                good = error <= options.tolerance and kept and named
                failures += not good
                print(f"raft_{options.variant} {names:11s} {form:6s}  flow differs by {error:.1e} px (largest {np.abs(truth).max():.1f}); "
                      f"bits kept: {kept}; official names: {named}" + ("" if good else "  MISMATCH"))
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
