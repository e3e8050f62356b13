"""PyTorch's side of `apus bench`: answers requests line by line until its input ends.

The protocol is that of Sources/Benchmarks/WorkerMessages.swift. Sizes arrive with each request, so that every number of a benchmark is
written once, on the Swift side.
"""
import argparse
import gc
import json
import os
import sys
import time


def answer(**fields):
    ANSWERS.write(json.dumps(fields) + "\n")
    ANSWERS.flush()


# Libraries may print; only answers go to the standard output.
ANSWERS = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
try:
    import torch
except ImportError as problem:
    answer(error=f"{sys.executable}: {problem}")
    sys.exit(0)
from torch import nn

WARM_UPS = 3  # repetitions before any that counts: compilation, oneDNN's caches, optimiser state
TRIAL = 0.3   # seconds for which a variant is tried at least, and three repetitions


class Workload:
    """A model with its inputs in one variant: `eager`, `channels-last`, `compiled` or `channels-last, compiled`."""

    has_images = True  # whether the channels-last layout applies

    def __init__(self, variant, precision):
        self.is_channels_last = "channels-last" in variant
        self.is_compiled = "compiled" in variant
        self.is_autocast = precision == "medium"

    def laid_out(self, tensor):
        is_image = self.is_channels_last and tensor.dim() == 4
        return tensor.contiguous(memory_format=torch.channels_last) if is_image else tensor

    def trained(self, module):
        return (module.to(memory_format=torch.channels_last) if self.is_channels_last else module).train()

    def compiled(self, function):
        return torch.compile(function) if self.is_compiled else function

    def autocast(self):
        return torch.autocast("cpu", torch.bfloat16, enabled=self.is_autocast)

    def step(self):
        """One repetition."""
        raise NotImplementedError


class Differentiated(Workload):
    """Forward, and the gradients of all parameters and (mostly) of the input for a random output gradient."""

    def prepare(self, module, shape, input_gradient=True):
        self.model = self.trained(module)
        self.function = self.compiled(self.model)
        self.x = self.laid_out(torch.randn(shape)).requires_grad_(input_gradient)
        self.leaves = list(self.model.parameters()) + ([self.x] if input_gradient else [])
        with self.autocast(), torch.no_grad():
            y = self.model(self.x)
        self.seed = self.laid_out(torch.randn(y.shape, dtype=y.dtype))

    def step(self):
        with self.autocast():
            y = self.function(self.x)
        torch.autograd.grad(y, self.leaves, self.seed)


class Convolution(Differentiated):
    def __init__(self, sizes, variant, precision):
        super().__init__(variant, precision)
        s = sizes
        layer = nn.Conv2d(
            s["inputs"], s["outputs"], (s["kernel_height"], s["kernel_width"]), stride=s["stride"],
            padding=(s["padding_height"], s["padding_width"]))
        self.prepare(layer, (s["batch"], s["inputs"], s["height"], s["width"]), s["input_gradient"])


class Matmul(Workload):
    has_images = False

    def __init__(self, sizes, variant, precision):
        super().__init__(variant, precision)
        s = sizes
        a = torch.randn((s["terms"], s["rows"]) if s["first_transposed"] else (s["rows"], s["terms"]))
        b = torch.randn((s["columns"], s["terms"]) if s["second_transposed"] else (s["terms"], s["columns"]))
        self.factors = a.T if s["first_transposed"] else a, b.T if s["second_transposed"] else b
        self.multiply = self.compiled(torch.mm)

    def step(self):
        with self.autocast(), torch.no_grad():
            self.multiply(*self.factors)


class EncoderLayer(Differentiated):
    has_images = False

    def __init__(self, sizes, variant, precision):
        super().__init__(variant, precision)
        s = sizes
        layer = nn.TransformerEncoderLayer(s["width"], s["heads"], s["hidden"], dropout=0.0, batch_first=True)
        self.prepare(layer, (s["batch"], s["tokens"], s["width"]))


class Bottleneck(nn.Module):
    """A block of ResNet-50: 1x1, 3x3 (with the stride) and 1x1 convolutions around a shortcut."""

    def __init__(self, inputs, width, stride):
        super().__init__()
        outputs = 4 * width
        self.body = nn.Sequential(
            nn.Conv2d(inputs, width, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True),
            nn.Conv2d(width, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True),
            nn.Conv2d(width, outputs, 1, bias=False), nn.BatchNorm2d(outputs))
        self.shortcut = nn.Identity() if stride == 1 else nn.Sequential(
            nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        return torch.relu_(self.body(x) + self.shortcut(x))


class Bottlenecks(Differentiated):
    def __init__(self, sizes, variant, precision):
        super().__init__(variant, precision)
        s = sizes
        first = [Bottleneck(s["inputs"], s["width"], 2)]
        others = [Bottleneck(4 * s["width"], s["width"], 1) for _ in range(s["blocks"] - 1)]
        self.prepare(nn.Sequential(*first, *others), (s["batch"], s["inputs"], s["height"], s["image_width"]))


class FlowStep(Workload):
    """Forward, sequence loss, backward, clipping and AdamW of torchvision's RAFT."""

    def __init__(self, sizes, variant, precision):
        super().__init__(variant, precision)
        self.iterations = sizes["iterations"]
        self.model = self.trained(raft(sizes["variant"]))
        n, h, w = sizes["batch"], sizes["height"], sizes["width"]
        self.images = [self.laid_out(torch.rand(n, 3, h, w) * 2 - 1) for _ in range(2)]
        self.flow, self.valid = torch.randn(n, 2, h, w) * 3, torch.ones(n, h, w)
        self.optimizer = torch.optim.AdamW(self.model.parameters(), 1e-4, weight_decay=1e-4, fused=True)
        self.loss = self.compiled(self.sequence_loss)

    def sequence_loss(self):
        """Later iterations weigh more; pixels of unknown or very long flow do not count."""
        flows = self.model(*self.images, num_flow_updates=self.iterations)
        mask = ((self.valid >= 0.5) & (self.flow.square().sum(1).sqrt() < 400))[:, None]
        return sum(0.8 ** (len(flows) - 1 - i) * (mask * (flow - self.flow).abs()).mean() for i, flow in enumerate(flows))

    def step(self):
        self.optimizer.zero_grad(set_to_none=True)
        with self.autocast():
            loss = self.loss()
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()


class FlowInference(Workload):
    """Evaluation mode without gradients. torchvision's model upsamples the flow of every iteration; ours the last one only."""

    def __init__(self, sizes, variant, precision):
        super().__init__(variant, precision)
        self.iterations = sizes["iterations"]
        self.model = self.trained(raft(sizes["variant"])).eval()
        self.images = [self.laid_out(torch.rand(sizes["batch"], 3, sizes["height"], sizes["width"]) * 2 - 1) for _ in range(2)]
        self.flows = self.compiled(lambda: self.model(*self.images, num_flow_updates=self.iterations))

    def step(self):
        with torch.no_grad(), self.autocast():
            self.flows()


def raft(variant):
    # A torchvision that was built for another build of PyTorch describes two operators that it could not load; nothing here calls them.
    library = torch.library.Library("torchvision", "FRAGMENT")
    for name in ("nms", "qnms"):
        try:
            library.define(f"{name}(Tensor a) -> Tensor")
        except RuntimeError:
            pass  # it did load
    from torchvision.models import optical_flow

    return {"small": optical_flow.raft_small, "large": optical_flow.raft_large}[variant](weights=None)


class DetectionStep(Workload):
    """Forward, Hungarian matching, set loss, backward, clipping and AdamW of DETR-R50."""

    def __init__(self, sizes, variant, precision):
        super().__init__(variant, precision)
        import torch_detr

        self.detr = torch_detr
        self.model = self.trained(torch_detr.DETR())
        n, h, w, objects = sizes["batch"], sizes["height"], sizes["width"], sizes["objects"]
        self.images = self.laid_out(torch.randn(n, 3, h, w))
        self.labels = [torch.randint(0, 91, (objects,)) for _ in range(n)]
        self.boxes = [torch.rand(objects, 4) * 0.4 + torch.tensor([0.3, 0.3, 0.1, 0.1]) for _ in range(n)]
        backbone = [p for name, p in self.model.named_parameters() if name.startswith("body") and p.requires_grad]
        others = [p for name, p in self.model.named_parameters() if not name.startswith("body")]
        groups = [{"params": others}, {"params": backbone, "lr": 1e-5}]
        self.optimizer = torch.optim.AdamW(groups, 1e-4, weight_decay=1e-4, fused=True)
        self.forward = self.compiled(self.model)

    def step(self):
        self.optimizer.zero_grad(set_to_none=True)
        with self.autocast():
            logits, boxes = self.forward(self.images)
        self.detr.set_loss(logits.float(), boxes.float(), self.labels, self.boxes).backward()
        nn.utils.clip_grad_norm_([p for p in self.model.parameters() if p.requires_grad], 0.1)
        self.optimizer.step()


class DetectionInference(Workload):
    def __init__(self, sizes, variant, precision):
        super().__init__(variant, precision)
        import torch_detr

        self.model = self.trained(torch_detr.DETR(is_auxiliary=False)).eval()
        self.images = self.laid_out(torch.randn(sizes["batch"], 3, sizes["height"], sizes["width"]))
        self.forward = self.compiled(self.model)

    def step(self):
        with torch.no_grad(), self.autocast():
            self.forward(self.images)


class PoseStep(Workload):
    """Forward, heatmap loss, backward and Adam of HRNet-W32."""

    def __init__(self, sizes, variant, precision):
        super().__init__(variant, precision)
        import torch_hrnet

        self.model = self.trained(torch_hrnet.HRNet())
        n, h, w = sizes["batch"], sizes["height"], sizes["width"]
        self.images = self.laid_out(torch.randn(n, 3, h, w))
        self.target, self.weight = self.laid_out(torch.rand(n, 17, h // 4, w // 4)), torch.ones(n, 17, 1, 1)
        self.optimizer = torch.optim.Adam(self.model.parameters(), 1e-3, fused=True)
        self.forward = self.compiled(self.model)

    def step(self):
        self.optimizer.zero_grad(set_to_none=True)
        with self.autocast():
            heatmaps = self.forward(self.images)
        (0.5 * ((heatmaps.float() - self.target) * self.weight).square().mean()).backward()
        self.optimizer.step()


class PoseInference(Workload):
    def __init__(self, sizes, variant, precision):
        super().__init__(variant, precision)
        import torch_hrnet

        self.model = self.trained(torch_hrnet.HRNet()).eval()
        self.images = self.laid_out(torch.randn(sizes["batch"], 3, sizes["height"], sizes["width"]))
        self.forward = self.compiled(self.model)

    def step(self):
        with torch.no_grad(), self.autocast():
            self.forward(self.images)


class Inpainting(Workload):
    """The networks of MAT that a case needs, by the definition of the tests, a picture with a hole, and what a forward pass draws."""

    networks = ("generator", "discriminator")

    def __init__(self, sizes, variant, precision):
        super().__init__(variant, precision)
        sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../Tests/Fixtures"))
        import mat_reference

        self.mat = mat_reference
        n, r = sizes["batch"], sizes["resolution"]
        net = mat_reference.Network(resolution=r)
        if "generator" in self.networks:
            self.generator = self.trained(mat_reference.Generator(net))
        if "discriminator" in self.networks:
            self.discriminator = self.trained(mat_reference.Discriminator(net))
        self.image, self.mask = self.laid_out(torch.rand(n, 3, r, r) * 2 - 1), torch.ones(n, 1, r, r)
        self.mask[:, :, r // 8:r * 3 // 4, r // 8:r * 3 // 4] = 0
        self.draws = {"z": torch.randn(n, net.z_dim), "keep_first_stage": torch.randint(0, 2, (n, net.width, 16, 16)).float(),
                      "keep_second_stage": torch.randint(0, 2, (n, net.channels(16), 16, 16)).float()}
        self.complete = self.compiled(lambda: self.generator(self.image, self.mask, self.draws, psi=0.5)[:2])
        self.judge = self.compiled(lambda image, first: self.discriminator(image, self.mask, first))
        self.seed = self.laid_out(torch.randn(n, 3, r, r))

    def trained(self, module):
        for p in module.parameters():  # weights of modulated convolutions have five axes and stay as they are
            p.data = self.laid_out(p.data)
        return module.train()

    def adam(self, network, every):
        share = every / (every + 1)
        return torch.optim.Adam(network.parameters(), 1e-3 * share, betas=(0.0, 0.99**share), fused=True)

    def update(self, network, optimizer, loss):
        parameters = list(network.parameters())
        for p, slope in zip(parameters, torch.autograd.grad(loss, parameters, allow_unused=True)):
            p.grad = slope
        optimizer.step()
        for p in parameters:
            p.grad = None


class InpaintingGenerator(Inpainting):
    networks = ("generator",)

    def step(self):
        with self.autocast():
            image, first = self.complete()
        torch.autograd.grad(((image + first) * self.seed).sum(), list(self.generator.parameters()), allow_unused=True)


class InpaintingStep(Inpainting):
    def __init__(self, sizes, variant, precision):
        super().__init__(sizes, variant, precision)
        self.optimizers = self.adam(self.generator, 4), self.adam(self.discriminator, 16)
        self.average = [p.detach().clone() for p in self.generator.parameters()]

    def step(self):
        with self.autocast():
            loss = self.mat.loss_g(self.judge(*self.complete()))
        self.update(self.generator, self.optimizers[0], loss)
        with torch.no_grad(), self.autocast():
            image, first = self.complete()
        with self.autocast():
            loss = self.mat.loss_d(self.judge(image, first), self.judge(self.image, self.image))
        self.update(self.discriminator, self.optimizers[1], loss)
        with torch.no_grad():
            torch._foreach_lerp_(self.average, list(self.generator.parameters()), 0.002)


class InpaintingPenalty(Inpainting):
    networks = ("discriminator",)

    def __init__(self, sizes, variant, precision):
        super().__init__(sizes, variant, precision)
        if self.is_compiled:
            raise RuntimeError("it does not differentiate twice")
        self.optimizer = self.adam(self.discriminator, 16)

    def step(self):
        with self.autocast():
            slopes = self.mat.r1(self.discriminator, self.image, self.mask)
        self.update(self.discriminator, self.optimizer, (slopes[0] + slopes[1]) * (5 * 16))


class CrossAttention(Workload):
    has_images = False

    def __init__(self, sizes, variant, precision):
        super().__init__(variant, precision)
        s = sizes
        self.layer = nn.MultiheadAttention(s["width"], s["heads"], batch_first=True)
        self.queries = torch.randn(s["batch"], s["queries"], s["width"], requires_grad=True)
        self.memory = torch.randn(s["batch"], s["tokens"], s["width"], requires_grad=True)
        self.attend = self.compiled(lambda q, m: self.layer(q, m, m, need_weights=False)[0])
        self.leaves = [*self.layer.parameters(), self.queries, self.memory]
        self.seed = torch.randn(s["batch"], s["queries"], s["width"])

    def step(self):
        with self.autocast():
            y = self.attend(self.queries, self.memory)
        torch.autograd.grad(y, self.leaves, self.seed.to(y.dtype))


class Assignment(Workload):
    has_images = False

    def __init__(self, sizes, variant, precision):
        super().__init__(variant, precision)
        from scipy.optimize import linear_sum_assignment

        self.solve = linear_sum_assignment
        self.costs = torch.rand(sizes["rows"], sizes["columns"], dtype=torch.float64).mul(11).sub(3).numpy()

    def step(self):
        self.solve(self.costs)


KINDS = {"convolution": Convolution, "matmul": Matmul, "encoder_layer": EncoderLayer, "bottlenecks": Bottlenecks, "raft_step": FlowStep,
         "raft_inference": FlowInference, "detr_step": DetectionStep, "detr_inference": DetectionInference,
         "cross_attention": CrossAttention, "assignment": Assignment, "hrnet_step": PoseStep, "hrnet_inference": PoseInference,
         "mat_generator": InpaintingGenerator, "mat_step": InpaintingStep, "mat_penalty": InpaintingPenalty}


def seconds(workload, repetitions):
    """Of one of many repetitions."""
    start = time.perf_counter()
    for _ in range(repetitions):
        workload.step()
    return (time.perf_counter() - start) / repetitions


def warmed_up(request, variant):
    torch.manual_seed(0)
    workload = KINDS[request["kind"]](request["sizes"], variant, request["precision"])
    for _ in range(WARM_UPS):
        workload.step()
    return workload


def tried(request, variant):
    """The best time of a variant, and its workload."""
    workload, best, start, count = warmed_up(request, variant), float("inf"), time.perf_counter(), 0
    while count < 3 or time.perf_counter() - start < TRIAL:
        best, count = min(best, seconds(workload, 1)), count + 1
    return best, workload


def choose(request, compiles):
    """The fastest variant with its workload, and what could not be tried: both layouts, then the faster one compiled."""
    layouts = ["eager", "channels-last"] if KINDS[request["kind"]].has_images else ["eager"]
    trials, notes = {layout: tried(request, layout) for layout in layouts}, []
    layout = min(trials, key=lambda name: trials[name][0])
    if compiles:
        compiled = "compiled" if layout == "eager" else f"{layout}, compiled"
        try:
            trials[compiled] = tried(request, compiled)
        except Exception as problem:  # no compiler, or a graph that it cannot handle: whatever it is, the others count
            reason = f"{type(problem).__name__}: {problem}".splitlines()[0]
            notes.append(f"torch.compile failed, so PyTorch's other variants count ({reason[:200]})")
    else:
        notes.append("torch.compile was not tried")
    best = min(trials, key=lambda name: trials[name][0])
    workload = trials[best][1]
    trials.clear()
    gc.collect()
    return best, workload, notes


def peak_memory(workload):
    """The most memory of this process while it repeats the workload three times, MiB."""
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")  # forget the peak so far
    except OSError:
        pass  # then the peak covers the whole life of the process
    for _ in range(3):
        workload.step()
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) / 1024 for line in file if line.startswith("VmHWM:"))


def serve(compiles):
    workload = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if request["action"] == "prepare":
                torch.set_float32_matmul_precision(request["precision"])
                variant, notes = request["variant"], []
                if variant:
                    workload = warmed_up(request, variant)
                else:
                    variant, workload, notes = choose(request, compiles)
                answer(variant=variant, notes=notes)
            elif request["action"] == "run":
                workload.step()
                answer(seconds=seconds(workload, request["repetitions"]))
            elif request["action"] == "memory":
                answer(peak_mebibytes=peak_memory(workload))
            else:
                answer(error=f"unknown action {request['action']}")
        except Exception as problem:  # the conductor reports it and goes on with the next case
            answer(error=f"{type(problem).__name__}: {problem}".splitlines()[0][:300])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--no-compile", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    answer(version=torch.__version__)
    serve(not arguments.no_compile)
