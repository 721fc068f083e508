# Everything a developer needs; `make help` lists it. Works as root on a bare Debian with the Swift toolchain.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

TESTBED := Tests/Testbed
CACHE := $(or $(BUCKET_SYNC_CACHE),$(HOME)/.cache/bucket-sync)
TESTBED_DIR := $(or $(BUCKET_SYNC_TESTBED_DIR),$(CACHE)/testbed)
SOURCES := Sources plugins Tests Package.swift
export STRICT := 1

# As it is shipped: Swift's libraries are linked in; nobody links against the executable, so it exports nothing, which
# keeps 3 MB less in memory; and lld packs relocations, which keeps 1 MB less.
RELEASE := -c release --product homelab-helper --static-swift-stdlib -Xswiftc -use-ld=lld \
	-Xlinker --no-export-dynamic -Xlinker -z -Xlinker pack-relative-relocs

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

.PHONY: build
build: libraries ## Build everything (debug)
	swift build

.PHONY: release
release: libraries ## Build the executable as it is shipped: optimised, Swift's libraries linked in
	swift build $(RELEASE)

.PHONY: image
image: libraries ## Assemble the container image as an archive for ctr, podman or docker, with none of them at hand
	image/build

.PHONY: test
test: ## Install what is missing, then run every test, on a real Kubernetes brought up for it
	$(TESTBED)/install
	$(MAKE) lint
	$(MAKE) test-docs
	swift build --build-tests
	Tests/with-summary swift test --skip-build --skip ClusterTests --skip EndToEndTests
	$(MAKE) test-contract test-standalone test-example test-hooks test-hooks-asan
	$(MAKE) simulate hunt-mutants test-model
	Tests/with-testbed $(MAKE) test-cluster test-chart
	$(MAKE) test-chaos CHAOS_SECONDS=90

.PHONY: test-unit
test-unit: libraries ## Run the tests that need no cluster
	Tests/with-summary swift test --skip ClusterTests --skip EndToEndTests

# One after the other, because one of them makes the server forget what others may be about to go on from.
.PHONY: test-contract
test-contract: libraries ## Run the contract tests, which are those of a real API server, against the one of standalone
	$(TESTBED)/install
	swift build --build-tests
	Tests/with-standalone-api Tests/with-summary swift test --skip-build --no-parallel --filter ClusterTests

.PHONY: test-standalone
test-standalone: libraries ## Run the operator without a cluster: killed 200 times, in trouble, with 1,000 policies; KILLS=… SEED=…
	swift build --product homelab-helper
	Tests/Standalone/run
	RCLONE=$(CACHE)/python/bin/rclone examples/demo/standalone

.PHONY: test-model
test-model: libraries ## Compare the simulator's model of Kubernetes with a real kube-apiserver: replay what happens in 90 worlds
	swift build -c release --product simulator
	Tests/with-apiserver .build/release/simulator compare

.PHONY: test-cluster
test-cluster: ## Run the cluster tests against the cluster in KUBECONFIG
	@test -n "$${KUBECONFIG:-}" || { echo 'set KUBECONFIG to the cluster to test against, or use `make test`' >&2; exit 2; }
	swift build --build-tests
	swift build --package-path examples/custom-plugin --product my-operator
	if [ -n "$${TESTBED_DIR:-}" ]; then image/build; fi
	BUCKET_SYNC_CLUSTER=1 Tests/with-summary swift test --skip-build --filter 'ClusterTests|EndToEndTests'

# On a testbed of its own, since its servers are killed. What is told to make by variables, as CHAOS_SEED, tests see too.
.PHONY: test-chaos
test-chaos: export BUCKET_SYNC_TESTBED_DIR := $(TESTBED_DIR)-chaos
test-chaos: export CHAOS_SECONDS := $(or $(CHAOS_SECONDS),600)
test-chaos: libraries ## Kill kube-apiserver, etcd and leaders under load, break connections, compact: CHAOS_SECONDS=600 CHAOS_SEED=…
	$(TESTBED)/install
	swift build --build-tests
	Tests/with-testbed env BUCKET_SYNC_CLUSTER=1 BUCKET_SYNC_DISTURB=1 \
		Tests/with-summary swift test --skip-build --no-parallel --filter ChaosTests

.PHONY: test-chart
test-chart: libraries ## Test the Helm chart with Helm's own engine, on the testbed
	$(TESTBED)/install
	Tests/with-testbed sh -c 'image/build && Tests/Chart/run'

.PHONY: test-example
test-example: libraries ## Build the example of an operator with plugins of one's own, and see them in their places
	swift build --package-path examples/custom-plugin --product my-operator
	plugins=$$(examples/custom-plugin/.build/debug/my-operator bucket-sync plugins --busy-hours 8-18); echo "$$plugins"; \
	grep -qx 'lock *LeaseLock *module my_operator' <<<"$$plugins"

.PHONY: test-hooks
test-hooks: libraries ## Run the test cases of the example scripts
	swift build --product homelab-helper
	.build/debug/homelab-helper bucket-sync hooks test examples/hooks

LEAKS := suppressions=Tests/HooksLab/leaks.supp:print_suppressions=0

# The sanitizer makes everything slower, and so the time limit is four times the usual one.
.PHONY: test-hooks-asan
test-hooks-asan: libraries ## Run the table of scripts that try to escape under AddressSanitizer
	swift build --product hooks-lab --sanitize=address --scratch-path .build/asan
	LSAN_OPTIONS=$(LEAKS) .build/asan/debug/hooks-lab table 1000

.PHONY: fuzz-hooks
fuzz-hooks: libraries ## Fuzz the script engine under AddressSanitizer: FUZZ_SECONDS=600 SEED=…
	swift build --product hooks-lab --sanitize=address --scratch-path .build/asan
	LSAN_OPTIONS=$(LEAKS) .build/asan/debug/hooks-lab fuzz $(or $(FUZZ_SECONDS),600) $(SEED)

.PHONY: bench-hooks
bench-hooks: libraries ## Print what a call of a script costs, and whether memory grows
	swift build -c release --product hooks-lab
	.build/release/hooks-lab bench 100000

# The seed decides everything: the same one, scenario and faults give the same timeline in every process.
.PHONY: simulate
simulate: libraries ## Prove it in simulated clusters: WHOLE=1 FROM=… WORLDS=…; SEED=… SCENARIO=… FAULTS=… shows one
	swift build -c release --product simulator
ifneq ($(SEED)$(SCENARIO),)
	.build/release/simulator replay $(addprefix --seed ,$(SEED)) $(addprefix --scenario ,$(SCENARIO)) \
		$(addprefix --faults ,$(FAULTS))
else
	.build/release/simulator prove $(if $(WHOLE),--whole) $(addprefix --from ,$(FROM)) $(addprefix --worlds ,$(WORLDS))
endif

# One build holds all mutants, each behind a switch.
.PHONY: hunt-mutants
hunt-mutants: libraries ## Put flaws into a copy of the operator, one after the other, and see each caught by the simulator
	Tests/Simulator/hunt

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
demo: ## See the main job done on this machine: two S3 endpoints kept in sync, with nothing else at hand
	$(TESTBED)/install rclone
	swift build --product homelab-helper
	RCLONE=$(CACHE)/python/bin/rclone examples/demo/standalone

.PHONY: demo-cluster
demo-cluster: ## See the same on a real Kubernetes, brought up for it
	$(TESTBED)/install
	swift build --product homelab-helper
	Tests/with-testbed examples/demo/cluster

.PHONY: bench-latency
bench-latency: ## Print the time the controller adds to a run
	$(TESTBED)/install
	swift build $(RELEASE)
	Tests/with-testbed Tests/Benchmarks/latency

.PHONY: bench-footprint
bench-footprint: image ## Print sizes, the time from start to ready, and memory, idle and with 1,000 policies
	$(TESTBED)/install
	Tests/with-testbed Tests/Benchmarks/footprint

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
