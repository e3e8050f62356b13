# `make demo` and `make test` do everything on a fresh Debian machine with a Swift 6 toolchain.
.PHONY: deps build test demo bench clean
