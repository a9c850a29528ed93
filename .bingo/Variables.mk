# The pinned tools, one NAME.mod each, in the layout of bingo (see README.md).
#
# For every NAME.mod here there is a variable with the path of the built tool,
# $(PROMTOOL) for promtool.mod and so on, and a rule that builds it there once.
# The path carries the version and lies outside the tree: clones share the
# tools, and a changed pin is a new file.
#
#	lint: $(GOLANGCI_LINT)
#		$(GOLANGCI_LINT) run

GO        ?= go
BINGO_DIR := $(patsubst %/,%,$(dir $(lastword $(MAKEFILE_LIST))))
TOOLS_DIR ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/alertscaler/tools
override TOOLS_DIR := $(abspath $(TOOLS_DIR))
TOOLS     := $(sort $(basename $(notdir $(wildcard $(BINGO_DIR)/*.mod))))

# How long those who wait have to, on two cores with nothing cached.
TAKES.alertmanager  := about a minute
TAKES.amtool        := about a minute
TAKES.golangci-lint := about 4 minutes
TAKES.prometheus    := about 4 minutes
TAKES.promtool      := about 4 minutes, less after prometheus

tool-variable = $(shell echo $(1) | tr a-z- A-Z_)
tool-version  = $(shell awk '$$1 == "require" { print $$3 }' $(BINGO_DIR)/$(1).mod)

# $(call tool,NAME,VARIABLE,VERSION): one tool's variable and rule. Only another
# version makes a built tool outdated, so the rule has no prerequisite.
define tool
$(2) := $(TOOLS_DIR)/$(1)-$(3)

$(TOOLS_DIR)/$(1)-$(3):
	@echo ">> building $(1) $(3) (once, $(or $(TAKES.$(1)),less than a minute))"
	@mkdir -p $$(@D)
	@cd $(BINGO_DIR) && grep '^require ' $(1).mod | { \
		read -r _ module version _ package flags; \
		GOWORK=off GOFLAGS=-mod=mod CGO_ENABLED=0 $(GO) build -modfile=$(1).mod -trimpath $$$$flags \
			-ldflags="-s -w -X github.com/prometheus/common/version.Version=$$$${version#v}" \
			-o $$@.new "$$$$module$$$${package:+/$$$$package}" && mv $$@.new $$@; }
endef

$(foreach name,$(TOOLS),$(eval $(call tool,$(name),$(call tool-variable,$(name)),$(call tool-version,$(name)))))
