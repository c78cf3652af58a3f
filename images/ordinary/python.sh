# shellcheck shell=bash
# Python 3 with its standard library.
# shellcheck disable=SC2034
packages=(python3-minimal libpython3-stdlib)
config=(--config.cmd=python3)
