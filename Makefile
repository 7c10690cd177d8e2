# Tidemark. `make test` installs what the tests need and runs all of them.

GO      ?= go
LINT    := $(GO) tool -modfile=tools/go.mod golangci-lint
PKGS    := ./...

.PHONY: all build test check lint vet unit prepare bench demo conformance clean

all: build

build:
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags='-s -w' -o bin/ ./cmd/tidemark ./cmd/tidemark-cloud

test: prepare check unit

# Postgres server programs and a C compiler for the race detector. Debian and its relatives only; elsewhere
# install them first: prepare says what is missing.
prepare:
	./internal/pgtest/prepare.sh

check: vet lint

vet:
	$(GO) vet $(PKGS)
	GOOS=windows $(GO) vet ./cmd/tidemark ./agent/... ./installer/...

lint:
	$(LINT) run

# -p 2: packages with a database server each, on two cores.
unit:
	$(GO) test -race -p 2 -timeout 20m $(PKGS)

# Three minutes; BENCH=-quick for a tenth of it, docs/performance.md for the rest.
bench: prepare
	$(GO) run ./internal/bench $(BENCH)

# Holds a server against the contract: make conformance URL=https://cloud.example CUSTOMER=acme KEY=tmk_...
# The key can also come from the environment (KEY or TIDEMARK_KEY); it is on no command line of the test.
conformance: export TIDEMARK_KEY := $(or $(KEY),$(TIDEMARK_KEY))
conformance:
	@test -n '$(URL)' -a -n '$(CUSTOMER)' -a -n "$$TIDEMARK_KEY" || { echo 'usage: make conformance URL=https://cloud.example CUSTOMER=acme KEY=tmk_...' >&2; exit 2; }
	$(GO) test ./cloud/conformance -count=1 -v -run '^TestBaseURL$$' -base-url '$(URL)' -customer '$(CUSTOMER)'

demo:
	$(GO) run ./cmd/demo

clean:
	rm -rf bin
