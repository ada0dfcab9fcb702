# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# Runs the molecule scenarios, or those that are named, on two nodes of the lab that are launched for them and terminated at the end.
set -euo pipefail
export PATH="$PWD/.venv/bin:$PATH" ANSIBLE_FORCE_COLOR=0
python -m lab up --nodes 2 --fleet molecule
inventory=inventory/lab-molecule
end() {
  ansible-playbook -i "$inventory" playbooks/teardown.yml >.lab/logs/molecule-teardown.log 2>&1 || { cat .lab/logs/molecule-teardown.log; return 1; }
}
trap end EXIT
# What a killed run left there is not what a scenario finds.
end
ansible-playbook -i "$inventory" playbooks/provision.yml
# The roles get machines that one already has: names, addresses and values, and no cloud to ask.
mkdir -p .lab/molecule
ansible-inventory -i "$inventory" --list --yaml --output .lab/molecule/hosts.yml
if [ $# -eq 0 ]; then
  # First shared_mount, for it moves the share, from which runs what the others leave; last serving, for what it leaves
  # runs on and writes where the others compare.
  set -- shared_mount
  for scenario in extensions/molecule/*/molecule.yml; do
    [[ $scenario == */@(shared_mount|serving)/* ]] || set -- "$@" "$scenario"
  done
  set -- "$@" serving
fi
for scenario in "$@"; do
  name=$(basename "${scenario%/molecule.yml}")
  started=$SECONDS
  echo "molecule: $name"
  # Molecule looks for a scenario "default" beside it, and calls it critical that there is none. With a pattern that has no place for a name
  # it finds this one again. The dot: else it takes the pattern for its own, and puts names at its end.
  export MOLECULE_GLOB="extensions/./molecule/$name/molecule.yml"
  molecule test --scenario-name "$name" --destroy never
  # A prediction on what is there finds nothing to do.
  [ ! -e "extensions/molecule/$name/absent.yml" ] || molecule idempotence --scenario-name "$name" -- --check
  echo "molecule: $name passed in $((SECONDS - started)) s"
done
