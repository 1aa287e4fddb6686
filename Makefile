# `make help` prints what can be made.

GO      ?= go
BINARY  := bin/tenterhook

# The linter is built from the Go module proxy, at this version, and cached by
# Go: the first run takes some minutes, the next ones do not.
GOLANGCI_LINT := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

FUZZTIME   ?= 20s
DEMOFLAGS  ?=
BENCHFLAGS ?=

.DEFAULT_GOAL := help
.PHONY: help build demo test race bench lint fix fuzz crash check clean

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## build the static binary, bin/tenterhook
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags='-s -w' -o $(BINARY) ./cmd/tenterhook

demo: build ## show the whole loop: GitHub's payloads received, verified, routed, delivered, retried
	$(BINARY) demo $(DEMOFLAGS)

test: build ## run every test
	$(GO) vet ./...
	$(GO) test -shuffle=on ./...

race: ## run every test under the race detector, which needs a C compiler
	CGO_ENABLED=1 $(GO) test -race -shuffle=on ./...

bench: build ## measure this machine: events accepted and delivered, latency, CPU, memory, disk
	$(BINARY) bench $(BENCHFLAGS)

lint: ## run the linters; .golangci.yml says which, and why not the others
	$(GO) run $(GOLANGCI_LINT) run ./...

fix: ## format the code and mend what the linters can mend by themselves
	$(GO) run $(GOLANGCI_LINT) run --fix ./...

fuzz: ## fuzz every parser that a stranger can reach, FUZZTIME (20s) each
	@set -e; \
	for file in $$(grep -rlE --include='*_test.go' '^func Fuzz' .); do \
		for target in $$(sed -nE 's/^func (Fuzz[A-Za-z0-9_]*)\(.*/\1/p' "$$file"); do \
			echo "$$(dirname "$$file") $$target"; \
			$(GO) test -run='^$$' -fuzz="^$$target\$$" -fuzztime=$(FUZZTIME) "$$(dirname "$$file")"; \
		done; \
	done

crash: build ## kill the server under load and count what was lost; the short form of scripts/crash
	@set -e; for script in scripts/crash/*.sh; do \
		[ -x "$$script" ] || continue; \
		echo "$$script --short"; "$$script" --short; \
	done

check: lint test ## what must pass before a change is sent; CI runs more, see .ci/run

clean: ## remove what was built
	rm -rf bin
