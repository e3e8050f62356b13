"""Checks that PyTorch loads what `apus convert` wrote: same names, shapes and values, shared storages shared.

    python3 check_checkpoints.py ORIGINAL CONVERTED [ORIGINAL CONVERTED ...]

CONVERTED is loaded with weights_only=True; ORIGINAL, a fixture of ours, as it is. Numbers of few bits come back as float32. Exit code 1 on any
difference.
"""
import sys

import torch


def check(original, converted):
    expected, found = torch.load(original, weights_only=False), torch.load(converted, weights_only=True)
    expected = expected.get("state_dict", expected)
    assert set(found) == set(expected), set(found) ^ set(expected)
    for name, value in expected.items():
        kept = value.dtype in (torch.float32, torch.float64, torch.int64)
        assert found[name].dtype == (value.dtype if kept else torch.float32), (name, found[name].dtype)
        assert found[name].shape == value.shape and torch.equal(found[name], value.detach().to(found[name].dtype)), name
        assert found[name].is_contiguous(), name
    if "shared.a" in found:
        assert found["shared.a"].data_ptr() == found["shared.b"].data_ptr()


def main():
    torch.set_num_threads(1)
    files = sys.argv[1:]
    for original, converted in zip(files[::2], files[1::2]):
        check(original, converted)
    print(f"{len(files) // 2} files agree")


if __name__ == "__main__":
    main()
