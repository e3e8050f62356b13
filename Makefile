# On a fresh Debian machine with a Swift 6 toolchain, `make demo` and `make test` do everything.

.PHONY: deps build test demo generated bench clean

PACKAGES = libopenblas-dev libpng-dev libjpeg-dev zlib1g-dev libcairo2-dev fonts-dejavu-core pkg-config
SUDO = $(shell [ "$$(id -u)" = 0 ] || echo sudo)
APUS = .build/release/apus
DEMO = work_dirs/demo-run
# Few objects, large motions, steady light: what a network can learn in minutes.
DEMO_SCENES = fewest_objects=1 most_objects=4 illumination=0.01 noise=1 shadow=0.2 static_share=0 gentle_share=0 driving_share=0 \
  median_background_motion=6 median_object_motion=4 motion_spread=0.6 maximum_motion=16 deforming_share=0 tilt_share=0 fog_share=0 \
  moving_shadow_share=0 highlight_share=0 motion_blur_share=0 defocus_share=0 jpeg_share=0
GENERATED = work_dirs/generated-run
# Real pairs to judge by, if they are there.
SAMPLES = ../shared/data

# Installs what is missing; asks the system nothing if all is there.
deps:
	@dpkg -s $(PACKAGES) > /dev/null 2>&1 || ($(SUDO) apt-get update && $(SUDO) apt-get install -y --no-install-recommends $(PACKAGES))

build: deps
	swift build -c release --product apus

# All tests in release: they compute. The tensor tests run a second time on the paths that this processor would not choose,
# and those of products on emulated tile registers. Where there are real ones, the first run takes them.
test: deps
	swift build -c release --build-tests --explicit-target-dependency-import-check error
	swift test -c release --skip-build
	APUS_ISA=avx2 swift test -c release --skip-build --filter TensorsTests
	APUS_ISA=portable swift test -c release --skip-build --filter TensorsTests
	APUS_ISA=amx-emulated swift test -c release --skip-build --filter 'TensorsTests.(AccuracyTests|ConvolutionTests|InvalidValueTests)'

# Generates pairs, trains RAFT-small on them, evaluates, and leaves pictures in $(DEMO).
demo: build
	$(APUS) synth flow --out demo_data/flow --count 500 --seed 1 --height 192 --width 256 $(DEMO_SCENES:%=--set %)
	$(APUS) train configs/raft/demo.yaml --work-dir $(DEMO) --resume auto
	$(APUS) evaluate configs/raft/demo.yaml --weights $(DEMO) --save-visuals $(DEMO)/predictions
	@echo "Pictures: $(DEMO)/predictions, curves: $(DEMO)/curves.png"

# Half an hour of training on generated pairs alone, then the errors on real ones.
generated: build
	$(APUS) synth flow --out generated_data/flow --count 3000 --seed 1 --validation 0.02
	$(APUS) train configs/raft/generated.yaml --work-dir $(GENERATED) --resume auto
	[ ! -d $(SAMPLES) ] || python3 Experiments/generated-flow/real_pairs.py $(SAMPLES) $(GENERATED) --checkpoints

# Ours against PyTorch on this machine; Experiments/benchmarks/README.md says how to install PyTorch. Without it, ours alone.
bench: build
	$(APUS) bench

clean:
	rm -rf .build demo_data generated_data $(DEMO) $(GENERATED)
