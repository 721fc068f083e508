# Everything a developer needs; `make help` lists it. Works as root on a bare Debian with the Swift toolchain.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

TESTBED := Tests/Testbed
CACHE := $(or $(BUCKET_SYNC_CACHE),$(HOME)/.cache/bucket-sync)
TESTBED_DIR := $(or $(BUCKET_SYNC_TESTBED_DIR),$(CACHE)/testbed)
SOURCES := Sources plugins Tests Package.swift
export STRICT := 1

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

.PHONY: build
build: libraries ## Build everything (debug)
	swift build

.PHONY: release
release: libraries ## Build the executable as it is shipped: optimised, Swift's libraries linked in
	swift build -c release --static-swift-stdlib --product homelab-helper

.PHONY: test
test: ## Install what is missing, then run every test, on a real Kubernetes brought up for it
	$(TESTBED)/install
	$(MAKE) lint
	$(MAKE) test-docs
	swift build --build-tests
	Tests/with-summary swift test --skip-build --skip ClusterTests --skip EndToEndTests
	$(MAKE) test-example
	Tests/with-testbed $(MAKE) test-cluster

.PHONY: test-unit
test-unit: libraries ## Run the tests that need no cluster
	Tests/with-summary swift test --skip ClusterTests --skip EndToEndTests

.PHONY: test-cluster
test-cluster: ## Run the cluster tests against the cluster in KUBECONFIG
	@test -n "$${KUBECONFIG:-}" || { echo 'set KUBECONFIG to the cluster to test against, or use `make test`' >&2; exit 2; }
	swift build --build-tests
	BUCKET_SYNC_CLUSTER=1 Tests/with-summary swift test --skip-build --filter 'ClusterTests|EndToEndTests'

.PHONY: test-example
test-example: libraries ## Build the example of an operator with plugins of one's own, and see them in their places
	swift build --package-path examples/custom-plugin --product my-operator
	examples/custom-plugin/.build/debug/my-operator bucket-sync plugins --busy-hours 8-18 | tee /dev/stderr | grep -qx 'lock *LeaseLock'

.PHONY: test-docs
test-docs: libraries ## Check that docs/ has every flag, value, metric, alert and field, and that its examples work
	swift build --product homelab-helper
	Tests/with-testbed Tests/Docs/run

.PHONY: cluster
cluster: ## Bring up the testbed: a real Kubernetes and three S3 endpoints on this machine
	$(TESTBED)/install
	$(TESTBED)/up
	@echo "export KUBECONFIG=$$(sed -n 's/^KUBECONFIG=//p' $(TESTBED_DIR)/env)"

.PHONY: cluster-down
cluster-down: ## Take the testbed down
	$(TESTBED)/down

.PHONY: demo
demo: ## See the main job done: a policy makes objects arrive in a bucket, on a real Kubernetes
	$(TESTBED)/install
	swift build --product homelab-helper
	Tests/with-testbed examples/demo/run

.PHONY: bench-latency
bench-latency: ## Print the time the controller adds to a run
	$(TESTBED)/install
	swift build -c release --product homelab-helper
	Tests/with-testbed Tests/Benchmarks/latency

.PHONY: lint
lint: ## Check formatting and style, strictly, and the links of the documentation
	swift format lint --strict --parallel --recursive $(SOURCES)
	Tests/Docs/links

.PHONY: format
format: ## Format the sources
	swift format --in-place --parallel --recursive $(SOURCES)

.PHONY: libraries
libraries:
	@$(TESTBED)/install libraries

.PHONY: clean
clean: ## Remove what was built here (caches outside the checkout stay)
	rm -rf .build
