"""Evaluates weights on the five real pairs, one by one, and prints the end-point errors beside those of classical methods.

    python3 Experiments/generated-flow/real_pairs.py ../shared/data work_dirs/generated-run [...]

The first argument is the folder of samples; each further one is a run folder, a checkpoint folder or a .safetensors file. Run from the
checkout; needs a built `apus` and nothing but Python. With --checkpoints every checkpoint of the given runs is evaluated: the error over time.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

# Files of each pair, and the errors of zero flow, Farneback's and DIS flow (OpenCV's defaults) on it.
PAIRS = {
    "rubberwhale": (("flow_rubberwhale/RubberWhale1.png", "flow_rubberwhale/RubberWhale2.png", "flow_rubberwhale/RubberWhale.flo"),
                    (1.256, 0.430, 0.223)),
    "alley_1": (("flow_sintel_alley1/frame_0001.png", "flow_sintel_alley1/frame_0002.png", "flow_sintel_alley1/frame_0001.flo"),
                (2.803, 1.021, 0.292)),
    "chairs2": (("flow_chairs/0000002-img0.ppm", "flow_chairs/0000002-img1.ppm", "flow_chairs/0000002-gt.flo"), (4.353, 5.147, 3.448)),
    "chairs6": (("flow_chairs/0000006-img0.ppm", "flow_chairs/0000006-img1.ppm", "flow_chairs/0000006-gt.flo"), (2.992, 3.130, 1.755)),
    "kitti": (("flow_kitti_000010/kitti_000010_10.png", "flow_kitti_000010/kitti_000010_11.png",
               "flow_kitti_000010/kitti_occ_000010_10.png"), (9.028, 5.206, 2.993)),
}


def checkpoints(run):
    """The weights in a run folder, oldest first."""
    folder = os.path.join(run, "checkpoints")
    names = sorted(name for name in os.listdir(folder) if name.startswith("step_"))
    if not names:
        sys.exit(f"{folder}: no checkpoints (step_NNNNNNNN) found")
    return [os.path.join(folder, name) for name in names]


def end_point_error(apus, config, weights, root, threads):
    command = [apus, "evaluate", config, "--weights", weights, "--json", "--threads", str(threads),
               "--set", "validation.format=pairs", "--set", f"validation.root={root}", "--set", "validation.limit=0"]
    outcome = subprocess.run(command, capture_output=True, text=True)
    if outcome.returncode != 0:
        sys.exit(outcome.stderr)
    return json.loads(outcome.stdout)["epe"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("samples")
    parser.add_argument("weights", nargs="+")
    parser.add_argument("--config", default="configs/raft/generated.yaml")
    parser.add_argument("--apus", default=".build/release/apus")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--checkpoints", action="store_true", help="every checkpoint of the runs")
    options = parser.parse_args()
    weights = [path for run in options.weights for path in (checkpoints(run) if options.checkpoints else [run])]
    with tempfile.TemporaryDirectory() as folder:
        for name, (files, _) in PAIRS.items():
            os.mkdir(os.path.join(folder, name))
            for file in files:
                os.symlink(os.path.abspath(os.path.join(options.samples, file)), os.path.join(folder, name, os.path.basename(file)))
        print(f"{'EPE, px':36}" + "".join(f"{name:>13}" for name in PAIRS))
        for index, method in enumerate(("zero flow", "Farneback", "DIS")):
            print(f"{method:36}" + "".join(f"{errors[index]:13.3f}" for _, errors in PAIRS.values()))
        for path in weights:
            errors = [end_point_error(options.apus, options.config, path, os.path.join(folder, name), options.threads) for name in PAIRS]
            marks = ["**" if e < dis else "*" if e < farneback else "" if e < zero else "!"
                     for e, (_, (zero, farneback, dis)) in zip(errors, PAIRS.values())]
            print(f"{path[-36:]:36}" + "".join(f"{f'{e:.3f}{mark}':>13}" for e, mark in zip(errors, marks)), flush=True)
    print("* better than Farneback, ** than DIS as well, ! worse than zero flow")


if __name__ == "__main__":
    main()
