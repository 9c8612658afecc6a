# The usual errands; each is one command that can be typed without make, too.
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.1
VERSION     := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
# for the target fuzz: make fuzz PKG=./survey/expr NAME=FuzzParse TIME=1m
PKG  ?= ./survey/expr
NAME ?= .
TIME ?= 30s

.DEFAULT_GOAL := help
.PHONY: help run demo build test race fuzz bench fmt lint ci mongo-start mongo-stop clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  %-12s %s\n", $$1, $$2 }'

run: ## run the server on ./data
	go run ./app serve

demo: ## run the server with the demo in ./data
	go run ./app serve --demo

build: ## build dist/khaosat, without C
	CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=$(VERSION)" -o dist/khaosat ./app

test: ## run the tests that this machine can run
	go test ./...

race: ## run the tests under the race detector, on MongoDB's protocol too (root)
	KHAOSAT_TEST_MONGODB_URI="$$(scripts/mongo-server start)" go test -race ./...

fuzz: ## fuzz one target: PKG=./survey/expr NAME=FuzzParse TIME=1m
	go test -run '^$$' -fuzz '$(NAME)' -fuzztime $(TIME) $(PKG)

bench: ## run the benchmarks
	go test -run '^$$' -bench . -benchmem ./...

fmt: ## format the code
	gofmt -w app survey scoring export fixtures

lint: ## gofmt, vet, staticcheck
	@test -z "$$(gofmt -l . | tee /dev/stderr)"
	go vet ./...
	go run $(STATICCHECK) ./...

ci: ## everything that has to hold (root, Debian)
	bash .ci/run

mongo-start: ## start the MongoDB-protocol server for tests (root)
	@scripts/mongo-server start

mongo-stop: ## stop it
	@scripts/mongo-server stop

clean: ## remove what was built
	rm -rf dist coverage.*
