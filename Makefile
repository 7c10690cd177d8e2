# Tidemark. `make test` installs what the tests need and runs all of them.

GO      ?= go
LINT    := $(GO) tool -modfile=tools/go.mod golangci-lint
PKGS    := ./...

.PHONY: all build test check lint vet unit prepare bench bench-diff bench-traffic bench-fleet demo conformance packages check-packages windows test-install test-wine old-and-new clean sim sim-ci sim-mutants fuzz fuzz-ci soak soak-ci

all: build

build:
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags='-s -w' -o bin/ ./cmd/tidemark ./cmd/tidemark-cloud

test: prepare check unit sim-ci fuzz-ci check-packages soak-ci
	@if [ -s bin/unsteady ]; then echo 'unsteady, to be understood and mended (CONTRIBUTING.md):' >&2; cat bin/unsteady >&2; fi

# Known vulnerabilities in what the programs reach; needs vuln.go.dev and, once, the module proxy. docs/security.md.
.PHONY: vuln
GOVULNCHECK ?= golang.org/x/vuln/cmd/govulncheck@latest
vuln:
	$(GO) run $(GOVULNCHECK) $(PKGS)

# Postgres server programs, a C compiler for the race detector, promtool, Chromium. Debian and its relatives only; elsewhere
# install them first: prepare says what is missing.
prepare:
	./internal/pgtest/prepare.sh
	./deploy/prometheus/prepare.sh
	./cloud/fleet/prepare.sh

check: vet lint windows

vet:
	$(GO) vet $(PKGS)
	GOOS=windows $(GO) vet ./cmd/tidemark ./agent/... ./installer/...

lint:
	$(LINT) run

# The tests for Windows compile; `make test-wine` runs some of them.
windows:
	for p in ./installer ./agent/config ./agent/control ./agent/state ./agent/secrets ./cmd/tidemark; do \
		GOOS=windows CGO_ENABLED=0 $(GO) test -c -o /dev/null $$p || exit 1; done

# -p 2: packages with a database server each, on two cores. What fails is run once more alone, and said at the end if
# it then passes; a data race, a panic, a leak, or many failures at once are not. RERUN=0 for the first failure to count.
RERUN ?= 1
unit:
	@mkdir -p bin && rm -f bin/unsteady
	$(GO) tool -modfile=tools/go.mod gotestsum --format standard-quiet --rerun-fails=$(RERUN) --rerun-fails-max-failures=4 --rerun-fails-run-root-test \
		--rerun-fails-abort-on-data-race --rerun-fails-report=bin/unsteady --packages='$(PKGS)' -- -race -p 2 -timeout 20m
	@if grep -s '\.: ' bin/unsteady; then echo 'a package failed outside of its tests' >&2; exit 1; fi

# Histories in virtual time until one fails or FOR has passed (make sim FOR=1h); SEED=7 replays one and shrinks it if
# it fails. docs/reliability.md.
SIM = bin/sim.test -test.v -test.timeout 0 -test.run '^TestHistories$$'
sim: bin/sim.test
	$(SIM) $(if $(SEED),-sim.seed $(SEED) -sim.n 1 -sim.shrink 200,-sim.n 0 $(if $(FOR),-sim.for $(FOR)) -sim.seed $$(date +%s)000000)

# Plans that once failed, then two processes, a core each: the histories of seeds 1 to 2,000, or those begun in five minutes.
sim-ci: bin/sim.test
	cd internal/sim && ../../bin/sim.test -test.run '^TestRegressions$$'
	$(SIM) -sim.seed 1 -sim.stride 2 -sim.n 1000 -sim.for 5m & p=$$!; $(SIM) -sim.seed 2 -sim.stride 2 -sim.n 1000 -sim.for 5m; s=$$?; wait $$p && exit $$s

# Every fuzz target, FUZZTIME each (make fuzz FUZZTIME=10m). What fails leaves its input in the package's testdata/fuzz.
FUZZTIME ?= 1m
fuzz:
	$(GO) run ./internal/fuzz -time $(FUZZTIME) $(if $(ONLY),-only '$(ONLY)')

# The same inputs every time, 10,000 a target; what is not done after 30 seconds ends early.
fuzz-ci:
	$(GO) run ./internal/fuzz -n 10000 -for 30s

# How many histories it takes to find each of the bugs in internal/sim/mutants.
sim-mutants:
	$(GO) run ./internal/sim/mutate

# The shipped programs and Postgres, killed and cut off for DURATION; as root with a full disk and a link that is cut, too.
DURATION ?= 15m
soak: prepare
	$(GO) run ./internal/soak -for $(DURATION) $(if $(SEED),-seed $(SEED))

# Each of the three killed once, and connections reset: half a minute.
soak-ci: prepare
	$(GO) run ./internal/soak -short -seed 1

.PHONY: bin/sim.test
bin/sim.test:
	$(GO) test -c -o $@ ./internal/sim

# Three minutes; BENCH=-quick for a tenth of it, docs/performance.md for the rest.
bench: prepare
	$(GO) run ./internal/bench $(BENCH)

# What comparisons cost at 10^5, 10^6 and 10^7 rows: 25 minutes, and 3 GiB of memory. BENCH=-quick for 10^5 alone.
bench-diff: prepare
	$(GO) run ./internal/bench diff $(BENCH)

# tidemark-traffic beside `zcat | jq`, and 100,000 requests recorded and replayed: seven minutes.
bench-traffic: prepare
	./internal/bench/traffic/prepare.sh
	$(GO) run ./internal/bench/traffic $(BENCH)

# A simulated day of 2,000 agents and their cloud; BENCH=-quick for 100 of them, a minute.
bench-fleet: prepare
	$(GO) run ./internal/bench/fleet $(BENCH)

# Holds a server against the contract: make conformance URL=https://cloud.example CUSTOMER=acme KEY=tmk_...
# The key can also come from the environment (KEY or TIDEMARK_KEY); it is on no command line of the test.
conformance: export TIDEMARK_KEY := $(or $(KEY),$(TIDEMARK_KEY))
conformance:
	@test -n '$(URL)' -a -n '$(CUSTOMER)' -a -n "$$TIDEMARK_KEY" || { echo 'usage: make conformance URL=https://cloud.example CUSTOMER=acme KEY=tmk_...' >&2; exit 2; }
	$(GO) test ./cloud/conformance -count=1 -v -run '^TestBaseURL$$' -base-url '$(URL)' -customer '$(CUSTOMER)'

demo:
	$(GO) run ./cmd/demo

# deb, rpm, MSI, archives, checksums and lists of what is linked, in dist; VERSION=1.2.3 names them.
packages:
	./tools/packages/prepare.sh
	cd tools/packages && $(GO) run . -root ../.. -version "$(VERSION)"

# They are built twice and compared.
check-packages:
	./tools/packages/prepare.sh
	cd tools/packages && $(GO) vet . && $(GO) test .

# A site's life on a Debian that boots in a container: deb and archive, as root, in a minute or two.
test-install: old-and-new
	./internal/installtest/prepare.sh debian
	$(GO) run ./internal/installtest debian bin/install/1.0.0 bin/install/1.1.0

# What of the Windows build can be run on Wine: docs/windows.md tells what cannot.
test-wine: old-and-new
	./internal/installtest/prepare.sh wine
	$(GO) run ./internal/installtest wine bin/install/1.0.0 bin/install/1.1.0

old-and-new:
	./tools/packages/prepare.sh
	cd tools/packages && for v in 1.0.0 1.1.0; do \
		$(GO) run . -root ../.. -out ../../bin/install/$$v -version $$v -arch amd64 || exit 1; done

clean:
	rm -rf bin dist
