# SPDX-License-Identifier: GPL-3.0-or-later
# yamllint, ansible-lint (profile production), antsibull-changelog and ansible-test sanity, all without exceptions.
set -euo pipefail
root=$PWD
# Playbooks are loaded with an inventory that asks nobody.
export PATH="$root/.venv/bin:$PATH" ANSIBLE_FORCE_COLOR=0 ANSIBLE_INVENTORY=$root/inventory/static.example.yml
echo "lint: yamllint"
yamllint --strict .
echo "lint: ansible-lint"
ansible-lint --offline --profile production --strict
echo "lint: documentation"
antsibull-docs lint-collection-docs --plugin-docs --validate-collection-refs self .
echo "lint: changelog"
antsibull-changelog lint

# ansible-test wants a real tree below ansible_collections, and knows a collection by its git files.
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
collection=$tree/ansible_collections/gh200/inference
mkdir -p "$collection"
git ls-files --cached --others --exclude-standard -z -- . ':!lab' ':!.ci' | while IFS= read -r -d '' file; do
  [ ! -e "$file" ] || printf '%s\0' "$file"
done | tar --create --null --files-from=- | tar --extract --directory="$collection"
git -C "$collection" init --quiet
git -C "$collection" add --all

# Its environments begin with a pip that it would fetch from the network.
bootstrap=$HOME/.ansible/test/cache/get_pip_24_2.py
if [ ! -e "$bootstrap" ]; then
  mkdir -p "$(dirname "$bootstrap")"
  cp "$root/scripts/get_pip.py" "$bootstrap"
fi
echo "lint: ansible-test sanity (about three minutes)"
cd "$collection"
ansible-test sanity --venv --python 3.11 --color no
