"""Makes pillow_resize.safetensors: small images resized by Pillow, antialiased bilinear, and sizes that the official DETR resizes to.

    python3 make_resize.py --official PATH

PATH: see make_detr.py. The images are not stored, README.md has their formula.
"""
import argparse
import importlib.util
import json
import pathlib

import numpy as np
import PIL
from PIL import Image

import detr_reference
import fixture_hash as fixture

# (height, width) -> (height, width), channels
CASES = [((37, 53), (20, 31), 3), ((37, 53), (64, 90), 3), ((48, 40), (48, 17), 3), ((40, 48), (13, 48), 3), ((60, 9), (7, 30), 3),
         ((5, 7), (1, 1), 3), ((1, 1), (4, 3), 3), ((90, 110), (23, 28), 3), ((30, 41), (30, 41), 3), ((25, 32), (24, 33), 1)]
SCALES = [480, 512, 544, 576, 608, 640, 672, 704, 736, 768, 800]
# width, height
IMAGES = [(640, 480), (480, 640), (500, 333), (640, 428), (1000, 300), (300, 1000), (612, 612), (640, 229), (427, 640), (53, 640)]


def picture(name, height, width, channels):
    """Integers 0...255, [h, w, c]: a smooth pattern, hard edges and noise."""
    y, x, c = np.meshgrid(np.arange(height), np.arange(width), np.arange(channels), indexing="ij")
    smooth = 60 * np.sin(0.3 * x + 0.17 * y + c)
    edges = 80 * ((x // 5 + y // 7 + c) % 2)
    value = 80 + smooth + edges + 70 * fixture.uniform(name, (height, width, channels), -0.5, 0.5)
    assert np.min(np.abs(value - np.floor(value) - 0.5)) > 1e-9
    return np.clip(np.floor(value + 0.5), 0, 255).astype(np.uint8)


def official_sizes(path):
    """Rows of width, height, shorter side, limit of the longer, and the official width and height."""
    detr_reference.load(path)
    specification = importlib.util.spec_from_file_location("transforms", pathlib.Path(path) / "datasets/transforms.py")
    transforms = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(transforms)
    rows = []
    for width, height in IMAGES:
        for size, limit in [(size, 1333) for size in SCALES] + [(size, None) for size in (400, 500, 600)]:
            resized, _ = transforms.resize(Image.new("1", (width, height)), None, size, limit)
            rows.append([width, height, size, limit or 0, *resized.size])
    return rows


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--official", required=True)
    tensors, checksums = {}, {}
    for i, (before, after, channels) in enumerate(CASES):
        image = picture(f"resize.{i}", *before, channels)
        checksums[f"fnv1a64.{i}"] = f"{fixture.fnv1a64(image.tobytes()):016x}"
        pillow = Image.fromarray(image if channels == 3 else image[:, :, 0])
        tensors[f"{i}"] = np.array(pillow.resize((after[1], after[0]), Image.Resampling.BILINEAR)).reshape(*after, channels)
    cases = [{"from": before, "to": after, "channels": channels} for before, after, channels in CASES]
    sizes = official_sizes(parser.parse_args().official)
    known = {"cases": json.dumps(cases), "sizes": json.dumps(sizes), "made_by": f"Pillow {PIL.__version__}"}
    path = pathlib.Path(__file__).parent / "pillow_resize.safetensors"
    fixture.write_tensors(path, tensors, known | checksums)
    print(path.name, path.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
