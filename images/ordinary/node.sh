# shellcheck shell=bash
# Node.js without npm.
# shellcheck disable=SC2034
packages=(nodejs)
config=(--config.cmd=node)

prune() { rm -rf packages/usr/lib/node_modules packages/usr/share/nodejs/{npm,corepack} packages/usr/include; }
