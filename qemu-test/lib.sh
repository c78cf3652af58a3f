# shellcheck shell=bash
# Everything that up, down, the demo and the scenarios share; see the opening comment of each part.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"
. "$(dirname "${BASH_SOURCE[0]}")/lib/net.sh"
. "$(dirname "${BASH_SOURCE[0]}")/lib/host.sh"
. "$(dirname "${BASH_SOURCE[0]}")/lib/services.sh"
. "$(dirname "${BASH_SOURCE[0]}")/lib/env.sh"
