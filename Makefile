# Longcord. `make lab` shows the whole story, `make test` checks everything.

export GOTOOLCHAIN := local
export CGO_ENABLED ?= 0
# The same for all targets: what one has compiled serves the others.
export GOFLAGS := $(strip $(GOFLAGS) -trimpath)

go_needed := 1.26
packages  := ./...
tool      := go tool -modfile=tools/go.mod
version   := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)

.PHONY: lab build test check unit interop interop-trixie fuzz bench bench-doctor go

lab: build
	bin/longcord lab $(ARGS)

build: go
	go build -ldflags '-X main.released=$(version)' -o bin/longcord ./cmd/longcord

# Everything: what CI runs. Programs that are not ours are installed first (as root) or named.
test: go
	scripts/peers
	$(MAKE) check
	$(MAKE) unit
	$(MAKE) interop

# The quick half: formatting, vet, linters, and that the module files are as they should be.
check: go
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); test -z "$$unformatted" || { echo "not formatted: $$unformatted"; exit 1; }
	go vet -tags interop $(packages)
	$(tool) staticcheck -tags interop $(packages)
	$(tool) errcheck -ignoretests -exclude tools/errcheck.txt $(packages)
	go mod tidy -diff

# Unit tests with the race detector, in shuffled order; fuzz targets run their seeds. A program with the detector sleeps
# for a second before it ends, and the tests run some hundred programs: not here. What check has vetted is not vetted again.
# With the detector, Go's own packages allocate where they do not otherwise: what counts that runs without.
unit: go
	CGO_ENABLED=1 GORACE=atexit_sleep_ms=10 go test -race -vet=off -shuffle=on $(packages)
	go test -vet=off -run Allocat $(sort $(dir $(addprefix ./,$(shell git ls-files '*allocations_test.go'))))

# Tests against programs that we did not write. See interop/README.md. They wait more than they work, so several run at a
# time, but nothing beside the lab: it carries voice twelve times over, and breaks everything, which takes some minutes.
interop_test    = LONGCORD=$(CURDIR)/bin/longcord go test -tags interop -vet=off -count=1 -p 2 -parallel 4 -timeout 30m
interop_folders = $(sort $(dir $(addprefix ./,$(shell git ls-files 'interop/*_test.go' '*_interop_test.go'))))
interop: build
	$(interop_test) $(filter-out ./interop/lab/,$(interop_folders))
	$(interop_test) ./interop/lab

# The phone's own login against ocserv 1.3, out of a Debian 13 in a folder. As root; fetches some 250 MB.
interop-trixie: build
	command -v debootstrap >/dev/null || apt-get install -q -y debootstrap
	root=$$(mktemp -d) && trap 'rm -rf $$root' EXIT && debootstrap --variant=minbase --include=ocserv trixie $$root >/dev/null && \
		LONGCORD=$(CURDIR)/bin/longcord LONGCORD_OCSERV_ROOT=$$root go test -tags 'interop trixie' -count=1 -run Ocserv ./phone ./interop/doctor

# Each fuzz target for TIME.
fuzz: go
	scripts/fuzz $(or $(TIME),30s)

# What our gateway costs beside ocserv (as root), and what sealing and opening a record costs:
# docs/performance.md. ONLY=voice,rate for a part, ROUNDS=1, GATEWAYS=longcord, JSON=file.
bench: build
	go test -run '^$$' -bench . -benchmem ./stage/tunnel/dtls ./gateway
	go build -o bin/bench ./interop/bench
	bin/bench $(if $(ONLY),-only $(ONLY)) $(if $(NAME),-name $(NAME)) $(if $(ROUNDS),-rounds $(ROUNDS)) $(if $(GATEWAYS),-gateways $(GATEWAYS)) $(if $(JSON),-json $(JSON))

# How often the doctor is right, on cases written apart from its rules: doctor/testdata/cases/README.md.
# ONLY=asa-config for a part.
bench-doctor: go
	go run ./doctor/benchcases $(if $(ONLY),-only $(ONLY)) $(if $(NAME),-name $(NAME))

go:
	@command -v go >/dev/null || { echo "Go $(go_needed) or later is needed: https://go.dev/dl/"; exit 1; }
	@go version | awk '{split(substr($$3, 3), v, "."); split("$(go_needed)", n, "."); exit !(v[1] > n[1] || v[1] == n[1] && v[2]+0 >= n[2]+0)}' \
		|| { echo "Go $(go_needed) or later is needed, this is $$(go version | cut -d' ' -f3): https://go.dev/dl/"; exit 1; }
