# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# Runs one molecule scenario on virtual machines that are started for it and removed at the end: molecule_vm.sh NAME
set -euo pipefail
export PATH="$PWD/.venv/bin:$PATH" ANSIBLE_FORCE_COLOR=0
end() { python -m lab.vm down "$name"; }
name=$1
trap end EXIT
python -m lab.vm up "$name"
molecule test --scenario-name "vm/$name" --destroy never
# A prediction on what is there finds nothing to do.
[ ! -e "extensions/molecule/vm/$name/absent.yml" ] || molecule idempotence --scenario-name "vm/$name" -- --check
