# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# Runs one molecule scenario on virtual machines that are started for it and removed at the end: molecule_vm.sh NAME
set -euo pipefail
export PATH="$PWD/.venv/bin:$PATH" ANSIBLE_FORCE_COLOR=0
name=$1
end() { python -m lab.vm down "$name"; }
trap end EXIT
python -m lab.vm up "$name"
# As in molecule.sh: no complaint that there is no scenario "default".
export MOLECULE_GLOB="extensions/./molecule/vm/$name/molecule.yml"
# What molecule notes goes with the machines: else it takes the next ones for prepared.
case $name in
  nfs) folder=.lab/vm ;;
  *) folder=.lab/vm-$name ;;
esac
export MOLECULE_EPHEMERAL_DIRECTORY="$PWD/$folder/molecule"
molecule test --scenario-name "vm/$name" --destroy never
# A prediction on what is there finds nothing to do.
[ ! -e "extensions/molecule/vm/$name/absent.yml" ] || molecule idempotence --scenario-name "vm/$name" -- --check
