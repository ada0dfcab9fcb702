# SPDX-License-Identifier: GPL-3.0-or-later
# `make help` lists what there is.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

NODES ?= 4
MINUTES ?= 120
VENV := .venv
BIN := $(VENV)/bin
# More words for site.yml, such as EXTRA="-e gh200_growth=at_once".
EXTRA ?=
PLAYBOOK := $(BIN)/ansible-playbook -i inventory/lab
PACKAGES := ca-certificates curl debootstrap g++ gcc git iproute2 libc6-dev make nftables openssh-client python3-venv systemd-container
# For the targets with virtual machines alone; another architecture is 300 MB.
VM_PACKAGES := cpio e2fsprogs qemu-system-x86 qemu-utils
FOREIGN_PACKAGES := qemu-system-arm qemu-user-static
# Node.js brings npm along, or Debian has it apart.
PAGE_PACKAGES := chromium $(if $(shell command -v node),,nodejs) $(if $(shell command -v npm),,npm)
PROGRAMS := curl g++ gcc git ssh-keygen

.PHONY: build matrix quickstart downloads help venv programs setup lab lab-down clean test unit integration drills lint door molecule reference reference-large faults kills healing soak e2e cuda bench bench-inventory setup-vm molecule-nfs molecule-aarch64 index-lane pins absent page load-test operations

help: ## this list
	@echo "Any user, any Linux with Python 3.11 to 3.13: venv unit integration drills lint pins page bench-inventory. All others are for root on Debian 12."
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 17

venv: $(VENV)/.complete ## the Python environment, for tests without a lab

$(VENV)/.complete: constraints.txt requirements.txt lab/requirements.txt tests/requirements.txt
	@bash scripts/venv.sh $(VENV)

programs:
	@bash scripts/programs.sh $(PROGRAMS)

setup: ## Debian packages for the lab, and the Python environment
	@bash scripts/packages.sh $(PACKAGES)
	@$(MAKE) --no-print-directory venv

setup-vm: setup
	@bash scripts/packages.sh $(VM_PACKAGES) $(FOREIGN_PACKAGES)

lab: setup ## a bare machine to tokens: NODES=1, 2, 4, 8 or 16 (default 4)
	@$(BIN)/python -m lab up --nodes "$(NODES)"
	@$(PLAYBOOK) site.yml $(EXTRA)
	@$(BIN)/python -m lab summary

lab-down: setup ## remove everything of the lab; downloads are kept
	@$(BIN)/python -m lab.vm down
	@$(BIN)/python -m lab down

clean: lab-down ## remove downloads and the environment too
	rm -rf .lab $(VENV)

test: setup ## all of the tests below, the lab end to end last
	@bash scripts/all.sh

unit: programs venv ## pure logic, in seconds
	@$(BIN)/python -m pytest tests/unit

integration: programs venv ## every Lambda plugin against the simulated API
	@$(BIN)/python -m pytest tests/integration

drills: programs venv ## kill -9 at every step of a launch and of its end
	@$(BIN)/python -m pytest tests/drills -s

lint: programs venv ## ruff, mypy, shellcheck, yamllint, ansible-lint, ansible-test sanity, sizes
	@bash scripts/lint.sh

pins: venv ## every pin of vllm_build has an aarch64 wheel by its checksum, asked of the package index
	@$(BIN)/python -m pytest tests/pins

door: setup ## `make venv unit` as an ordinary user, in a Debian 12 that has nothing else
	@$(BIN)/python -m scripts.clean_root

downloads: setup ## sixteen nodes as folders get a model from a hub and from each other; kills, damage, a hub that is down
	@$(BIN)/python -m pytest tests/downloads -s

molecule: setup ## roles on nodes of the lab
	@bash scripts/molecule.sh

molecule-nfs: setup ## nfs_cache on real NFS: a pair of virtual machines, without KVM; bytes are counted on the wire
	@bash scripts/packages.sh $(VM_PACKAGES)
	@bash scripts/molecule_vm.sh nfs

molecule-aarch64: setup-vm ## roles and the engine's pins on an emulated aarch64 machine, beside the lab: no bridge, no address of its own
	@nice -n 10 bash scripts/molecule_vm.sh aarch64

reference: setup ## tokens and log-probabilities against transformers' at 1, 2 and 4 nodes
	@$(BIN)/python -m pytest tests/reference -s

reference-large: setup ## the same at 8 and 16 nodes
	@SHAPES="8:4x2 16:4x4" $(BIN)/python -m pytest tests/reference -s

faults: setup ## plants faults on a running lab with pipeline stages: what tells them?
	@$(BIN)/python -m pytest tests/faults -s

kills: setup ## the control node dies at a dozen points of one site.yml, then a build in its middle; each next run goes on, nothing comes twice
	@$(BIN)/python -m pytest tests/kills -s

healing: setup ## an engine, ranks, Ray, nodes, network, disks and memory fail under a lab that serves: it comes back, or names the culprit
	@$(BIN)/python -m tests.healing

soak: setup ## load on the lab that runs, for MINUTES (default 120): no error, no growth of memory
	@$(BIN)/python -m tests.soak --minutes "$(MINUTES)"

e2e: setup ## the lab from nothing to tokens, twice, and down again
	@$(BIN)/python -m pytest tests/e2e -s

operations: setup ## two nodes that serve: flags, another key, stop and start, another model and engine and back, each gap measured
	@$(MAKE) --no-print-directory lab NODES=2
	@status=0; $(BIN)/python -m pytest tests/operations -s || status=$$?; $(MAKE) --no-print-directory lab-down; exit $$status

absent: setup ## a fleet that serves is as it was found after playbooks/absent.yml, and serves again
	@$(BIN)/python -m pytest tests/absent -s

cuda: setup ## the build for CUDA 12.4 without a GPU, in 17 minutes; 2 GB of downloads, once
	@$(BIN)/python -m pytest tests/cuda -s

index-lane: setup ## vLLM from the package index, over Ray on two nodes, against transformers; 300 MB of downloads
	@$(BIN)/python -m pytest tests/index -s

page: page/node_modules/.complete ## load_test.html and the report's page from page/, with Node.js 18 or newer
	@cd page && npm run --silent build

page/node_modules/.complete: page/package.json page/package-lock.json
	@command -v npm >/dev/null || { echo "page: npm is not here: install Node.js 18 or newer with npm, on Debian with \`apt-get install nodejs npm\`." >&2; exit 1; }
	@cd page && npm ci --silent --ignore-scripts && touch node_modules/.complete

load-test: setup ## the page in Chromium, guidellm and the report against an endpoint that writes down the truth; an environment of 640 MB, once
	@bash scripts/packages.sh $(PAGE_PACKAGES)
	@$(MAKE) --no-print-directory page/node_modules/.complete
	@$(BIN)/python -m pytest tests/load_test

bench: setup ## docs/speed.md's table, with NODES=4 or 16: a lab from nothing, converged runs, bytes, 64 light nodes
	@$(BIN)/python -m tests.bench --nodes "$(NODES)"

bench-inventory: venv ## an inventory of 1,000 instances against a static file
	@$(BIN)/python tests/bench/inventory.py

build: venv ## the collection's tarball, judged by Galaxy's importer and installed into an empty environment
	@bash scripts/build.sh

quickstart: programs venv ## README's "On Lambda", word for word, in an empty root against the simulated API; needs port 22
	@$(BIN)/python -m pytest tests/quickstart

matrix: setup ## unit, integration and sanity on every ansible-core in scripts/matrix.txt, with Python 3.11 and 3.13
	@$(BIN)/python -m scripts.matrix
