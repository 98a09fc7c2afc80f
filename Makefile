# Every target is thin: the work is done by the main.ts of platform, loadtests/bench and tooling/cluster, and by the npm
# scripts of package.json.

# How many pods of the API `make scale` runs
REPLICAS ?= 3
# quick, full or smoke: see `npm run baseline -- --help`
PROFILE ?= quick

# What `make compare` compares this checkout, or HEAD, with; and for how many minutes at most
BASE ?= main
MINUTES ?= 15

# Node 24 comes from the npm package "node", whatever Node is installed.
RUN := PATH="$(CURDIR)/node_modules/.bin:$$PATH"
PLATFORM := $(RUN) node platform/main.ts
BENCH := $(RUN) node loadtests/bench/main.ts
COMPARISONS := $(RUN) node comparisons/main.ts
CLUSTER := $(RUN) node tooling/cluster/main.ts
INSTALLED := node_modules/.installed

# GNU make ends with 2 whatever a recipe ended with, except in question mode: there a line that begins with "+" still
# runs, and its exit code 1 becomes make's. So that `make baseline` keeps its promise (0 met, 1 missed, 2 invalid), and
# `make compare` and `make status` too, they run in that mode and all of their lines begin with "+". The make 3.81 of
# macOS has only 2: there `npm run baseline` is exact.
ifeq ($(filter-out baseline compare status,$(or $(MAKECMDGOALS),help)),)
MAKEFLAGS += --question
endif
unexport MAKEFLAGS MFLAGS MAKELEVEL

.DEFAULT_GOAL := help
.PHONY: help install tools baseline compare capacity up down status test chaos check fix seed migrate openapi document clean kind-up kind-down deploy scale grow-volume restore-primary e2e

help: ## list every target
	@echo 'Usage: make TARGET, for example `make baseline PROFILE=full`'; echo
	@awk -F ':.*## ' '/^[a-z][a-z0-9-]*:.*## / { printf "  %-15s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	@echo; echo 'First time here? `make baseline` measures everything; `make up` starts the platform to try it out.'

install: $(INSTALLED) ## install what other targets need and is missing: npm packages, Redis, k6, Helm, gitleaks, actionlint
	+@$(RUN) node platform/install-tools.ts

$(INSTALLED): package-lock.json tooling/install-packages.sh
	+@sh tooling/install-packages.sh && touch $(INSTALLED)

tools: $(INSTALLED)
	+@$(RUN) node platform/install-tools.ts redis k6

baseline: $(INSTALLED) tools ## measure and document everything [PROFILE=quick|full|smoke]: ends with 0 met, 1 missed, 2 invalid
	+@$(BENCH) baseline --profile $(PROFILE)

compare: $(INSTALLED) ## is it slower than BASE? [BASE=main HEAD=ref MINUTES=15]: ends with 0 no, 1 yes, 2 undecided
	+@$(COMPARISONS) compare --base $(BASE) $(if $(HEAD),--head $(HEAD) )--minutes $(MINUTES)

capacity: $(INSTALLED) tools ## measure what 1, 2 and 3 API instances carry, and write docs/capacity.md: half an hour
	@$(BENCH) capacity

up: $(INSTALLED) tools ## start the whole platform on this machine and print its addresses [MONITOR=1: with Prometheus]
	@$(PLATFORM) up $(if $(filter-out 0,$(MONITOR)),--monitor)

down: $(INSTALLED) ## stop what `make up` started
	@$(PLATFORM) down

status: $(INSTALLED) ## show what is running
	+@$(PLATFORM) status

seed: $(INSTALLED) ## fill the database of `make up` with 30 days of demo calls; safe to run twice
	@$(PLATFORM) seed

migrate: $(INSTALLED) ## bring that database to the newest schema
	@$(PLATFORM) migrate

kind-up: $(INSTALLED) ## make a Kubernetes cluster on this machine with kind, deploy into it and print the addresses
	@$(CLUSTER) kind-up

kind-down: $(INSTALLED) ## remove that cluster
	@$(CLUSTER) kind-down

deploy: $(INSTALLED) ## deploy the platform into the cluster of KUBECONFIG: see `npm run cluster -- deploy --help`
	@$(CLUSTER) deploy

scale: $(INSTALLED) ## set the number of API pods there: make scale REPLICAS=5
	@$(CLUSTER) scale --replicas $(REPLICAS)

grow-volume: $(INSTALLED) ## give volumes there more room: make grow-volume VOLUME=postgres SIZE=40Gi
	@$(CLUSTER) grow-volume --volume '$(VOLUME)' --size '$(SIZE)'

restore-primary: $(INSTALLED) ## copy the replica there to a primary that lost its volume
	@$(CLUSTER) restore-primary

e2e: $(INSTALLED) ## test deployment, scaling, failures and upgrades there, in a namespace of its own
	@$(RUN) npm run --silent e2e

test: $(INSTALLED) tools ## run all tests, on a real Postgres pair and Redis
	@$(RUN) npm test

chaos: $(INSTALLED) tools ## inject faults under load, count lost events, write docs/reliability.md [SOAK=1]
	@$(RUN) npm run --silent chaos --$(if $(filter-out 0,$(SOAK)), --soak-minutes 20)

check: $(INSTALLED) ## check format, lint, types, import rules, generated files, versions, workflows and leaked secrets
	@$(RUN) npm run --silent check

fix: $(INSTALLED) ## correct format and lint where a tool can
	@$(RUN) npm run --silent fix

openapi: $(INSTALLED) ## write api/openapi.json from the routes
	@$(RUN) npm run --silent openapi

document: $(INSTALLED) ## write docs/performance-baselines.md and docs/performance.md again from what is committed
	@$(RUN) npm run --silent document

clean: ## remove what was installed, built and measured; stops the platform first
	@if [ -e $(INSTALLED) ]; then $(PLATFORM) down || true; fi
	rm -rf node_modules loadtests/results comparisons/results
