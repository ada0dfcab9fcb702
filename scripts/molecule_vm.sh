# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# Runs one molecule scenario on virtual machines that are started for it and removed at the end: molecule_vm.sh NAME
set -euo pipefail
export PATH="$PWD/.venv/bin:$PATH" ANSIBLE_FORCE_COLOR=0
end() { python -m lab.vm down; }
trap end EXIT
python -m lab.vm up
# As in molecule.sh: no complaint that there is no scenario "default".
export MOLECULE_GLOB="extensions/./molecule/vm/$1/molecule.yml"
# What molecule notes goes with the machines: else it takes the next ones for prepared.
export MOLECULE_EPHEMERAL_DIRECTORY="$PWD/.lab/vm/molecule"
molecule test --scenario-name "vm/$1" --destroy never
