# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# Runs the molecule scenarios on two nodes of the lab that are launched for them and terminated at the end.
set -euo pipefail
export PATH="$PWD/.venv/bin:$PATH" ANSIBLE_FORCE_COLOR=0
python -m lab up --nodes 2 --fleet molecule
inventory=inventory/lab-molecule
end() {
  ansible-playbook -i "$inventory" playbooks/teardown.yml >.lab/logs/molecule-teardown.log 2>&1 || { cat .lab/logs/molecule-teardown.log; return 1; }
}
trap end EXIT
ansible-playbook -i "$inventory" playbooks/provision.yml
for scenario in extensions/molecule/*/molecule.yml; do
  name=$(basename "$(dirname "$scenario")")
  echo "molecule: $name"
  molecule test --scenario-name "$name" --destroy never
done
