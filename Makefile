# Needs Go, make and git. Every other tool is built from the pins in .bingo,
# once, into $(TOOLS_DIR); nothing is expected on PATH.
#
#	make                      both programs, built by promu
#	make test                 the tests; one that needs a missing tool skips and says so
#	REQUIRE_ALL=1 make test   builds all the tools first, and none may skip
#	make demo                 the whole loop on this machine, with a real Prometheus
#	make examples             every example; with -j -O side by side

include .bingo/Variables.mk

DOCKER   ?= docker
FUZZTIME ?= 60s
CASES    ?= 100000
BENCH    ?= .
PKGS     ?= ./...

# The race detector needs cgo, which Go switches off without a C compiler.
RACE := $(if $(filter 1,$(shell $(GO) env CGO_ENABLED)),-race)

# cAdvisor is a module of its own, and pinned in there.
CADVISOR_DIR := testdata/cadvisor
CADVISOR     := $(TOOLS_DIR)/cadvisor-$(shell awk '$$1 ~ /google.cadvisor$$/ { print $$2 }' $(CADVISOR_DIR)/go.mod)

# So is the comparison with other autoscalers, which brings their code.
COMPARE_DIR := testdata/compare
TRACES      ?=
SHORT       ?=
CHECK       ?= Alertscaler objective,Alertscaler shortage price

# So are etcd and the Kubernetes API server with its controllers.
KUBERNETES_DIR   := testdata/kubernetes
kubernetes-tool   = $(TOOLS_DIR)/$(1)-$(shell awk '$$1 == "$(2)" { print $$2 }' $(KUBERNETES_DIR)/go.mod)
ETCD             := $(call kubernetes-tool,etcd,go.etcd.io/etcd/server/v3)
KUBE_APISERVER   := $(call kubernetes-tool,kube-apiserver,k8s.io/kubernetes)
KUBE_CONTROLLERS := $(call kubernetes-tool,kube-controller-manager,k8s.io/kubernetes)
KUBERNETES_TOOLS := $(ETCD) $(KUBE_APISERVER) $(KUBE_CONTROLLERS)

# The demo and the examples take what is on PATH and build only what is not.
demo-tool         = $(or $(shell command -v $(1)),$(2))
DEMO_PROMETHEUS   := $(call demo-tool,prometheus,$(PROMETHEUS))
DEMO_ALERTMANAGER := $(call demo-tool,alertmanager,$(ALERTMANAGER))

EXAMPLES := example-web-swarm example-big-data example-cloud-ansible example-game-servers

.DEFAULT_GOAL := build

.PHONY: all
all: lint check-rules test build

.PHONY: help
help: ## Show the targets.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-21s %s\n", $$1, $$2 }' Makefile

.PHONY: build
build: $(PROMU) ## Build alertscaler and scalertool here.
	$(PROMU) build --prefix=.

.PHONY: test
test: $(if $(filter 1,$(REQUIRE_ALL)),tools vet-cadvisor) ## Run the tests; REQUIRE_ALL=1 allows none to skip.
	@$(if $(RACE),,echo ">> no C compiler found, testing without the race detector")
	ALERTSCALER_TOOLS=$(TOOLS_DIR) $(GO) test $(RACE) -timeout=20m $(TESTFLAGS) $(PKGS) $(if $(filter ./...,$(PKGS)),./testdata/reaction)

.PHONY: vet-cadvisor
vet-cadvisor:
	cd $(CADVISOR_DIR) && $(GO) vet ./...

# golangci-lint has all that go vet checks, see govet in .golangci.yml.
.PHONY: lint
lint: $(GOLANGCI_LINT) $(JSONNETFMT) ## Check format and style of Go and jsonnet.
	@echo ">> checking the format"
	@bad=$$(gofmt -s -l .); test -z "$$bad" || { echo "not formatted, run make format:" $$bad; exit 1; }
	@$(sonnets) | xargs -0 -r $(JSONNETFMT) --test
	$(GOLANGCI_LINT) run ./... ./testdata/reaction

.PHONY: format
format: $(GOLANGCI_LINT) $(JSONNETFMT) ## Format Go and jsonnet.
	$(GOLANGCI_LINT) fmt
	$(sonnets) | xargs -0 -r $(JSONNETFMT) -i

sonnets = find mixin -name vendor -prune -o -name '*.*sonnet' -print0

.PHONY: rules
rules: $(JSONNET) ## Render the mixin into rules/.
	$(mixin) all

.PHONY: check-rules
check-rules: $(JSONNET) $(JSONNETFMT) $(JSONNET_LINT) $(PROMTOOL) ## Check that rules/ is what the mixin renders, and test the rules.
	$(mixin) check

mixin = $(MAKE) -C mixin JSONNET=$(JSONNET) JSONNETFMT=$(JSONNETFMT) JSONNET_LINT=$(JSONNET_LINT) PROMTOOL=$(PROMTOOL)

.PHONY: demo
demo: tools-demo ## Run the whole loop on this machine; KEEP=1 leaves it running.
	PROMETHEUS=$(DEMO_PROMETHEUS) ALERTMANAGER=$(DEMO_ALERTMANAGER) KEEP=$(KEEP) $(GO) run ./examples/demo

.PHONY: examples $(EXAMPLES)
examples: $(EXAMPLES) ## Run every example; -j -O runs them side by side.

example-web-swarm: $(CADVISOR) ## Run a web service on Docker Swarm.
example-big-data: ## Run workers that drain a backlog, from zero and back.
example-cloud-ansible: ## Run machines of a cloud, made by a playbook.
example-game-servers: ## Run game servers, idle ones in reserve and busy ones left alone.

# Side by side each of them would compile everything that they share.
.PHONY: compiled-demo
compiled-demo:
	@$(GO) build ./cmd/... ./examples/...

# They are built and not run by go, which would hide the status they exit with.
$(EXAMPLES): tools-demo compiled-demo
	@mkdir -p .build/examples
	$(GO) build -o .build/examples/$(@:example-%=%) ./examples/$(@:example-%=%)
	PROMETHEUS=$(DEMO_PROMETHEUS) ALERTMANAGER=$(DEMO_ALERTMANAGER) CADVISOR=$(CADVISOR) KEEP=$(KEEP) .build/examples/$(@:example-%=%)

.PHONY: bench
bench: ## Run the benchmarks, BENCH selects; all of them write docs/benchmarks/speed.md.
	@mkdir -p .build
	$(GO) test -run='^$$' -bench='$(BENCH)' -benchmem -timeout=30m $(PKGS)$(if $(filter .|./...,$(BENCH)|$(PKGS)), | tee .build/bench.txt)
	$(if $(filter .|./...,$(BENCH)|$(PKGS)),$(GO) run ./testdata/benchmarks < .build/bench.txt > .build/speed.md && mv .build/speed.md docs/benchmarks/speed.md)

# First the model of HPA is held to its own controller. Recorded traces and
# generated ones have a page each; SHORT=1 writes neither, and only fails where
# one of CHECK costs more than HPA does on the generated ones, both losing as
# much demand.
.PHONY: bench-quality
bench-quality: ## Compare decisions with other autoscalers: TRACES=folder, SHORT=1 for CI, CHECK=contenders.
	cd $(COMPARE_DIR) && GOWORK=off TRACES=$(if $(SHORT),,$(abspath $(TRACES))) $(GO) test -count=1 $(if $(SHORT),-short) ./...
	@mkdir -p .build
	cd $(COMPARE_DIR) && GOWORK=off $(GO) build -o $(CURDIR)/.build/compare .
	.build/compare $(if $(SHORT),-short $(if $(CHECK),-check="$(CHECK)") >/dev/null,-out=docs/benchmarks $(if $(TRACES),-traces="$(TRACES)"))

# Most of its quarter of an hour is waiting, so three setups are measured at once.
.PHONY: bench-reaction
bench-reaction: $(PROMETHEUS) $(ALERTMANAGER) $(KUBERNETES_TOOLS) ## Measure the time from a load to its replicas, and HPA's, as docs/benchmarks/reaction.md.
	@mkdir -p .build
	ALERTSCALER_TOOLS=$(TOOLS_DIR) REQUIRE_ALL=1 $(GO) test -count=1 -parallel=3 -timeout=60m ./testdata/reaction -args -samples=$(CURDIR)/.build/reaction.json
	$(GO) run ./testdata/reaction -out=docs/benchmarks < .build/reaction.json

# The targets are found by reading: go test -list would link the tests of every
# package for that.
fuzz-files = {{range .TestGoFiles}}{{$$.ImportPath}} {{$$.Dir}}/{{.}}{{"\n"}}{{end}}{{range .XTestGoFiles}}{{$$.ImportPath}} {{$$.Dir}}/{{.}}{{"\n"}}{{end}}

# Go may fail a target with nothing but "context deadline exceeded" when its
# time is up (golang/go#75804). Only then it gets a second try: an input that
# fails is written down and named.
.PHONY: fuzz
fuzz: ## Run every fuzz target for FUZZTIME each.
	@files=$$($(GO) list -f '$(fuzz-files)' $(PKGS)) || exit 1; \
	targets=$$(echo "$$files" | while read -r pkg file; do \
		sed -n "s,^func \(Fuzz[A-Za-z0-9_]*\)(.*,$$pkg \1,p" "$$file"; \
	done); \
	test -n "$$targets" || { echo "no fuzz target in $(PKGS)"; exit 1; }; \
	echo "$$targets" | while read -r pkg target; do \
		for try in 1 2; do \
			echo ">> $$target in $$pkg for $(FUZZTIME)"; \
			out=$$($(GO) test -run='^$$' -fuzz="^$$target\$$" -fuzztime=$(FUZZTIME) -fuzzminimizetime=20x $$pkg 2>&1); status=$$?; \
			printf '%s\n' "$$out"; \
			[ $$status -ne 0 ] || break; \
			case $$try:$$out in \
			*"Failing input"*|2:*) exit 1 ;; \
			*"    context deadline exceeded"*) echo ">> no input failed, once more" ;; \
			*) exit 1 ;; \
			esac; \
		done; \
	done

.PHONY: properties
properties: ## Draw CASES cases for every property of the decision.
	$(GO) test ./scaler/policy -timeout=30m -rapid.checks=$(CASES)

.PHONY: tools
tools: $(foreach tool,$(TOOLS),$($(call tool-variable,$(tool)))) $(CADVISOR) $(KUBERNETES_TOOLS) ## Build every pinned tool.

.PHONY: tools-demo
tools-demo: $(DEMO_PROMETHEUS) $(DEMO_ALERTMANAGER) ## Build the tools of the demo that are not on PATH.

$(CADVISOR):
	@echo ">> building $(@F) (once, about a minute)"
	@mkdir -p $(@D)
	@cd $(CADVISOR_DIR) && GOWORK=off CGO_ENABLED=0 $(GO) build -trimpath -ldflags="-s -w" -o $@.new . && mv $@.new $@

# Never two of these at once, whatever -j says: each takes all the memory and
# processors it can get.
$(KUBE_APISERVER): | $(ETCD)
$(KUBE_CONTROLLERS): | $(KUBE_APISERVER)
$(KUBERNETES_TOOLS):
	@echo ">> building $(@F) (once, up to 4 minutes)"
	@mkdir -p $(@D)
	@cd $(KUBERNETES_DIR) && GOWORK=off CGO_ENABLED=0 $(GO) build -trimpath -ldflags="-s -w" -o $@.new ./$(firstword $(subst -v, ,$(@F))) && mv $@.new $@

.PHONY: docker
docker: $(PROMU) ## Build the container image alertscaler:latest.
	$(PROMU) build --prefix=.build/linux-$(shell $(GO) env GOARCH)
	mkdir -p .build/data && cp /etc/ssl/certs/ca-certificates.crt .build/
	$(DOCKER) build --build-arg=ARCH=$(shell $(GO) env GOARCH) -t alertscaler:latest .

.PHONY: clean
clean: ## Remove what was built here; the tools stay.
	rm -rf .build alertscaler scalertool
