# Every target of the house; "make help" lists them.
export GOEXPERIMENT := runtimesecret

FUZZTIME    ?= 20s
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2

# Packages with slow tests on real networks and real phones; those of them that mostly wait for tor,
# and so can run side by side; and all packages but the house rules.
e2e     = $(shell grep -rl --exclude-dir=testdata --include='*_test.go' '^//go:build.*e2e' . | xargs -r dirname | sort -u)
patient = ./onion ./audit/whole
rooms   = $(shell go list ./... | grep -v '^nightjar/audit$$')

.DEFAULT_GOAL := help
.PHONY: help deps build demo test check unit race e2e rules fuzz bench audit teeth model golden cross clean

help: ## list the targets
	@sed -nE 's/^([a-z0-9-]+[a-z %-]*):.*## (.*)/\1\t\2/p' Makefile | expand -t 16

deps: ## install the Debian packages and Go modules that are missing
	@scripts/deps.sh

build: ## build bin/nightjar, the same bytes on every machine, and its auditor beside it
	@scripts/build.sh bin/nightjar
	@CGO_ENABLED=0 go build -trimpath -buildvcs=false -o bin/nightjar-audit ./audit/scenes

demo: deps build ## two people meet, write and call on private networks, and tell of it
	go run ./audit/demo

test: deps build ## everything: house rules, unit tests, real networks and phones
	go vet ./...
	go vet -tags e2e,bench,teeth ./...
	go test -race -timeout 10m $(rooms)
	go test -count 1 ./audit
	@$(MAKE) --no-print-directory e2e

audit: deps build ## prove on this machine that nothing leaks; a report in audit.html
	bin/nightjar audit --json audit.json --html audit.html

teeth: deps ## prove that the audit catches 24 leaky variants of the program
	go test -tags teeth -count 1 -timeout 30m -run Leak -v ./audit/mutants
	go test -tags teeth -count 1 -timeout 10m -run Outside ./audit/scenes

check: ## gofmt, vet and staticcheck
	@wrong=$$(gofmt -l $$(git ls-files '*.go')); test -z "$$wrong" || { echo "$$wrong"; exit 1; }
	go vet ./...
	go vet -tags e2e,bench,teeth ./...
	go run $(STATICCHECK) -tags e2e,bench,teeth ./...

unit: ## the quick tests and the house rules
	go test ./...

race: ## the quick tests under the race detector
	go test -race -timeout 10m $(rooms)

e2e: ## the tests on real networks and with real phones
	go test -tags e2e -p 1 -count 1 -timeout 20m $(filter-out $(patient),$(e2e))
	go test -tags e2e -p 2 -count 1 -timeout 20m $(patient)

rules: ## the house rules alone
	go test -count 1 ./audit

fuzz: ## fuzz each parser in turn, FUZZTIME each (20s)
	@scripts/fuzz.sh $(FUZZTIME)

bench: bench-keystore bench-onion bench-tunnel bench-meeting ## measure every room

bench-keystore bench-onion bench-tunnel: bench-%: ## figures of one room
	go test -tags bench -count 1 -p 1 -timeout 30m -run Figures -v ./$*/...

bench-meeting: ## figures of finding each other
	go test -tags bench -count 1 -run Figures -v ./node/meet

model: ## have ProVerif prove the handshake (OPAM package proverif)
	go run ./audit/model

golden: ## write anew what the house rules compare with; read the diff
	go test ./audit -count 1 -run Golden -update

cross: ## build for other systems
	@scripts/cross.sh

clean: ## remove what was built
	rm -rf bin demo-report.json audit.json audit.html
