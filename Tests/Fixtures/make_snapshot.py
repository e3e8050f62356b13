"""Makes snapshot.pkl and snapshot.safetensors: a small snapshot of networks as StyleGAN2-ADA's training pickles it, and the tensors in it.

    python3 make_snapshot.py

The classes are stand-ins of this file under the modules' names of the official code; what is stored as their source would create a file if
anybody ran it. The networks are tiny and have every kind of thing that a snapshot of MAT has: persistent classes within each other, plain
containers of torch.nn, references to classes, numbers of numpy, plain tensors beside parameters and buffers, shared storages.
"""
import json
import pathlib
import pickle
import sys
import types

import numpy as np
import torch

import fixture_hash as fixture

HERE = pathlib.Path(__file__).parent
SOURCE = "import os\nos.system('touch /tmp/apus-was-here')\nclass Generator: pass\n"


class EasyDict(dict):
    """A dictionary whose keys are attributes, too."""

    def __getattr__(self, name):
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def __setattr__(self, name, value):
        self[name] = value


def _reconstruct_persistent_obj(meta):
    raise SystemExit("a snapshot is not to be loaded here")


for path, content in (("torch_utils.persistence", _reconstruct_persistent_obj), ("dnnlib.util", EasyDict)):
    content.__module__ = path
    for name in (path.split(".")[0], path):
        sys.modules.setdefault(name, types.ModuleType(name))
    setattr(sys.modules[path], content.__name__, content)


class Persistent(torch.nn.Module):
    """A module that is stored through the hook."""

    def __init__(self, *arguments, **settings):
        super().__init__()
        self._init_args, self._init_kwargs = arguments, EasyDict(settings)

    def __reduce__(self):
        state = super().__reduce__()[2]
        meta = EasyDict(type="class", version=6, module_src=SOURCE, class_name=type(self).__name__, state=state)
        return _reconstruct_persistent_obj, (meta,), None, None, None


class Conv2dLayer(Persistent):
    def __init__(self, name, inputs, outputs, kernel=3):
        super().__init__(inputs, outputs, kernel, activation="lrelu", norm=torch.nn.LayerNorm)
        self.gain, self.weight_gain = np.sqrt(2.0), np.float32(0.5)
        self.register_buffer("resample_filter", values(f"{name}.resample_filter", (4, 4)))
        self.register_buffer("scratch", torch.zeros(3), persistent=False)
        self.weight = torch.nn.Parameter(values(f"{name}.weight", (outputs, inputs, kernel, kernel)))
        self.bias = torch.nn.Parameter(values(f"{name}.bias", (outputs,)))
        self.register_parameter("noise", None)
        self.weight_maskUpdater = torch.ones(1, 1, kernel, kernel)
        self.size = torch.Size([kernel, kernel])


class Block(Persistent):
    def __init__(self, name):
        super().__init__(act_layer=torch.nn.GELU)
        self.conv = Conv2dLayer(f"{name}.conv", 3, 2)
        self.softmax = torch.nn.Softmax(dim=-1)
        self.fc = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.AdaptiveAvgPool2d(1))
        self.fc[0].weight.data, self.fc[0].bias.data = values(f"{name}.fc.0.weight", (3, 2)), values(f"{name}.fc.0.bias", (3,))
        self.downsample = None


class Generator(Persistent):
    def __init__(self, name):
        super().__init__(z_dim=4, synthesis_kwargs=EasyDict(channel_base=32768, activations=[torch.nn.GELU]))
        self.blocks = torch.nn.ModuleList([Block(f"{name}.blocks.0"), Block(f"{name}.blocks.1")])
        self.blocks[1].fc[0].weight = self.blocks[0].fc[0].weight  # shared
        self.register_buffer("w_avg", values(f"{name}.w_avg", (6,)).double())
        whole = values(f"{name}.whole", (4, 6))
        self.transposed = torch.nn.Parameter(whole.t())            # a view
        self.noise_strength = torch.nn.Parameter(values(f"{name}.noise_strength", ()))


class Discriminator(Persistent):
    def __init__(self, name):
        super().__init__(c_dim=0)
        self.conv = Conv2dLayer(f"{name}.conv", 2, 2, kernel=1)


def values(name, shape):
    return torch.from_numpy(fixture.uniform(name, shape).astype(np.float32))


def main():
    watch = fixture.Stopwatch(10)
    networks = {"G": Generator("G"), "D": Discriminator("D"), "G_ema": Generator("G_ema")}
    for network in networks.values():
        network.eval().requires_grad_(False)
    settings = {"training_set_kwargs": EasyDict(class_name="training.dataset.ImageFolderDataset", resolution=512, use_labels=False),
                "val_set_kwargs": EasyDict()}
    snapshot = settings | networks | {"augment_pipe": None}
    for protocol in (3, 4):
        path = HERE / ("snapshot.pkl" if protocol == 4 else "snapshot_3.pkl")
        with open(path, "wb") as file:
            pickle.dump(snapshot, file, protocol=protocol)
        watch.report(path)
    tensors = {f"{key}/{name}": x.numpy() for key, network in networks.items() for name, x in network.state_dict().items()}
    names = {key: json.dumps(list(network.state_dict())) for key, network in networks.items()}
    path = HERE / "snapshot.safetensors"
    fixture.write_tensors(path, tensors, names | {"made_by": f"make_snapshot.py, torch {torch.__version__}"})
    watch.report(path)


if __name__ == "__main__":
    main()
