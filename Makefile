# SPDX-License-Identifier: Apache-2.0
# Each target sets up what it needs first (tools/setup.py; under a second when nothing changed). `make` alone lists them.
SETUP := python3 tools/setup.py
# Ape looks for vyper on PATH, npm for node.
PY := PATH="$(CURDIR)/.venv/bin:$$PATH" .venv/bin/python
TESTS ?= tests
UPGRADE ?=
# Whole files at a time: their fixtures are made once. A worker needs a gigabyte.
PARALLEL ?= -n logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder
ARGS ?=
export STORE DB KEEP

.DEFAULT_GOAL := help
.PHONY: help demo setup test style check bench bench-gas bench-proof bench-proof-full bench-pictures calibration calibration-pictures simulate-economy soak kubo lock clean

help: ## list the targets
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 24

demo: ## the whole network on this machine: order, render, prove, settle (KEEP=1, STORE=kubo, DB=postgres)
	@$(SETUP) demo
	@$(PY) -m demo

setup: ## everything that the tests and the checks need, in .venv and .tools
	@$(SETUP) test

test: setup ## the whole suite; what has no PostgreSQL or Kubo to run on is skipped, and said so (TESTS=path)
	@python3 tools/kubo/build.py --if-go
	@$(PY) -m pytest $(PARALLEL) $(TESTS)

style: setup ## style, types, imports between packages
	@.venv/bin/ruff check --quiet .
	@.venv/bin/ruff format --check --quiet .
	@.venv/bin/mypy
	@.venv/bin/lint-imports --no-logo
	@PATH="$(CURDIR)/.venv/bin:$$PATH" npm --prefix web run --silent check

check: style ## the same, and the tests that need no services
	@$(PY) -m pytest -q -m unit $(PARALLEL) $(TESTS)

bench: setup ## every figure that the documents quote
	@$(PY) -m benchmarks

bench-gas: setup ## gas of every call of the contracts
	@$(PY) -m benchmarks.gas

bench-proof: setup ## how often the proof of rendering errs: honest and forged frames of nine scenes (ARGS="--end-to-end studio")
	@$(PY) -m benchmarks.proof $(ARGS)

bench-proof-full: setup ## the same for three thousand frames, hours; goes on where it was stopped (ARGS="--minutes 60 --shard 0/2")
	@$(PY) -m benchmarks.proof --full $(ARGS)

calibration: setup ## what every threshold of the proofs comes from, counted anew; tolerances, error rates and least numbers are chosen: out/bench-proof/calibration.json, out/bench-pictures/pictures.json (ARGS="--shard 0/2")
	@$(PY) -m benchmarks.proof --calibrate $(ARGS)
	@$(PY) -m benchmarks.pictures --calibrate $(ARGS)

calibration-pictures: setup ## those on finished pictures and ANGV's marks alone
	@$(PY) -m benchmarks.pictures --calibrate $(ARGS)

bench-pictures: setup ## how often ANGV's marks and keys err, on other frames; goes on where it was stopped (ARGS="--page")
	@$(PY) -m benchmarks.pictures $(ARGS)

simulate-economy: setup ## four years of the economy, what makes cheating pay: out/economy (ARGS="--epochs 100 --only growth")
	@$(PY) -m simulator $(ARGS)

soak: setup ## the slow tests, with many seeds
	@$(PY) -m pytest -m slow $(TESTS)

kubo: ## build the pinned Kubo (IPFS) into .tools/bin/ipfs, about five minutes, once
	@python3 tools/kubo/build.py

lock: setup ## pin every package anew in requirements/ and tools/npm (UPGRADE=--upgrade for the newest)
	@$(PY) tools/lock.py $(UPGRADE)

clean: ## remove what was built; a second make demo starts from nothing
	@rm -rf .venv .tools .build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info web/node_modules web/dist
