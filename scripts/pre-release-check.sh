#!/usr/bin/env bash
# Before a release: everything that can be known without deploying it.
#
#   scripts/pre-release-check.sh [options]
#
# --quick           without the build, its tests and the supply chain; seconds
# --version 1.4.0   the release: its section must be in CHANGELOG.md, instead of changes under [Unreleased]
# --allow-dirty     uncommitted changes do not matter
# --env production  the configuration that is checked; with the environment as it is now
#
# Exit codes: 0 no check failed; 1 one did, and each is named; 2 called wrongly, or a tool is missing. Needs git, and for
# the whole of it what the build needs.
set -euo pipefail
. "$(dirname "$0")/lib/common.sh"

quick='' version='' dirty='' environment=''
while [ $# -gt 0 ]; do
  case $1 in
    --help | -h) usage; exit 0 ;;
    --quick) quick=yes; shift ;;
    --version) version=$(value "$@"); shift 2 ;;
    --allow-dirty) dirty=yes; shift ;;
    --env) environment=$(value "$@"); shift 2 ;;
    *) wrong "option: $1 (expected: one of those of --help)" ;;
  esac
done
need git
cd "$home"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bad=0

# What a check prints is shown when it fails.
check() { # name, command
  local what=$1 began=$SECONDS
  shift
  if "$@" >"$work/said" 2>&1; then
    say "ok    $what ($((SECONDS - began)) s)"
  else
    say "FAIL  $what"
    tail -n 40 "$work/said" | sed 's/^/      /'
    bad=$((bad + 1))
  fi
}

clean() { [ -z "$(git status --porcelain)" ] || { git status --short; return 1; }; }

changelog() {
  local section=${version:-Unreleased}
  awk -v section="## [$section]" 'index($0, section) == 1 {on = 1; next} /^## / {on = 0} on && /^- / {found = 1} END {exit !found}' \
    CHANGELOG.md || { echo "CHANGELOG.md: nothing under [$section] (expected: what an operator notices)"; return 1; }
}

# Each change of the tables says how it is taken back; numbers are used once.
migrations() {
  local directory=modules/session/src/main/resources/parley/session file script
  for file in "$directory"/migrations/V*.sql; do
    script=$(basename "$file")
    case $script in V1__*) continue ;; esac
    [ -r "$directory/undo/U${script#V}" ] || { echo "undo/U${script#V}: not there (expected: how to take $script back)"; return 1; }
  done
  [ -z "$(find "$directory/migrations" -name 'V*.sql' | sed 's|.*/V\([0-9]*\)__.*|\1|' | sort | uniq -d)" ] ||
    { echo "two changes of one number in $directory/migrations"; return 1; }
}

# Links between documents lead somewhere.
links() {
  local file target broken=0
  while IFS=$'\t' read -r file target; do
    target=${target%%#*}
    [ -z "$target" ] && continue
    [ -e "$(dirname "$file")/$target" ] || { echo "$file: $target is not there"; broken=1; }
  done < <(git ls-files '*.md' | xargs grep -oE '\]\([^)[:space:]]+\)' -H 2>/dev/null | grep -vE '\]\((https?:|mailto:|#)' |
    sed -E 's/^([^:]+):\]\(([^)]+)\)$/\1\t\2/')
  return $broken
}

scripts() {
  need shellcheck
  local files
  mapfile -t files < <(git ls-files scripts .ci | while read -r file; do
    [[ $file == *.sh ]] || head -c 40 "$file" | grep -q 'bash' && echo "$file"
  done)
  shellcheck -x "${files[@]}"
}

dependencies() {
  ! grep -nE '<version>[^<]*(LATEST|RELEASE|-SNAPSHOT)</version>' pom.xml modules/*/pom.xml | grep -v '0\.1\.0-SNAPSHOT'
}

configuration() {
  PARLEY_ENV=$environment scripts/parley check-config
}

[ -n "$dirty" ] || check "nothing uncommitted" clean
check "changelog" changelog
check "changes of the tables can be taken back" migrations
check "documents lead somewhere" links
check "no secrets in the sources" scripts/scan-secrets
check "dependencies are pinned" dependencies
if command -v shellcheck >/dev/null; then check "scripts" scripts; else say "skip  scripts: shellcheck is not installed"; fi
if [ -z "$quick" ]; then
  check "no secrets in the history" scripts/scan-secrets --history
  check "build and tests" .ci/run
  check "supply chain" scripts/supply-chain
  [ -z "$environment" ] || check "configuration of $environment" configuration
fi

if [ $bad -gt 0 ]; then failed "$(count $bad check) failed"; fi
say "ready to be released${quick:+, as far as --quick looks}"
