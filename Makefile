# On a fresh Debian machine with a Swift 6 toolchain, `make demo` and `make test` do everything.

.PHONY: deps build test demo clean

PACKAGES = libopenblas-dev libpng-dev libjpeg-dev zlib1g-dev pkg-config
ifeq ($(shell uname -m),x86_64)
PACKAGES += libxsmm-dev
endif
SUDO = $(shell [ "$$(id -u)" = 0 ] || echo sudo)
APUS = .build/release/apus
DEMO = work_dirs/demo-run

# Installs what is missing; asks the system nothing if all is there.
deps:
	@dpkg -s $(PACKAGES) > /dev/null 2>&1 || ($(SUDO) apt-get update && $(SUDO) apt-get install -y --no-install-recommends $(PACKAGES))

build: deps
	swift build -c release --product apus

# All tests in release: they compute. The tensor tests run a second time on the paths that this processor would not choose.
test: deps
	swift build -c release --build-tests --explicit-target-dependency-import-check error
	swift test -c release --skip-build
	APUS_CONVOLUTION=openblas APUS_ISA=avx2 swift test -c release --skip-build --filter TensorsTests
	APUS_ISA=portable swift test -c release --skip-build --filter TensorsTests

# Generates pairs, trains RAFT-small on them, evaluates, and leaves pictures in $(DEMO).
demo: build
	$(APUS) synth flow --out demo_data/flow --count 500 --seed 1 --height 192 --width 256 --max-motion 12
	$(APUS) train configs/raft/demo.yaml --work-dir $(DEMO) --resume auto
	$(APUS) evaluate configs/raft/demo.yaml --weights $(DEMO) --save-visuals $(DEMO)/predictions
	@echo "Pictures: $(DEMO)/predictions, curves: $(DEMO)/curves.png"

clean:
	rm -rf .build demo_data $(DEMO)
