#!/usr/bin/env bash
# Takes voice back, by how much is wrong. Each level says what it did, and looks whether it worked.
#
#   VOICE_API_TOKEN=… scripts/rollback.sh <level> --reason "…" [options]
#
# stage     one stage of the rollout back: fewer get voice; nobody's call ends; latched until somebody resumes
# flag      voice off for everybody, on every node, at once: the kill switch. Text and everything else stay up
# token     a new token for /ws; whoever came in with the old one is sent away (1008) and cannot come back with it
# version   the previous release: kubectl rollout undo, or what --previous names; sessions move, none is lost
#
# --url http://127.0.0.1:8080   any node; PARLEY_URL
# --reason "…"                  goes into the audit; required, but for flag without --release
# --live go_on|finish_turn|close  flag: what becomes of live sessions; finish_turn when not given
# --overlap 0s                  token: so long the old one is still good; 0s sends its callers away now
# --namespace N --deployment D  version: as kubectl knows them; NAMESPACE and DEPLOYMENT
# --previous IMAGE              version: this image instead of the last revision
# --timeout 10m                 version: so long the platform may take
# --release                     flag: on again
# --dry-run                     says what would be done
#
# token prints the new token on standard output, once, and nothing else there. VOICE_API_TOKEN must be an operator's, for
# token an administrator's; for flag PARLEY_BREAK_GLASS_TOKEN does as well.
#
# Exit codes: 0 done and seen; 1 refused, or not seen to work; 2 called wrongly, or a tool is missing. Needs curl, jq;
# version needs kubectl.
set -euo pipefail
. "$(dirname "$0")/lib/common.sh"

level='' url=${PARLEY_URL:-http://127.0.0.1:8080} reason='' live=finish_turn overlap=0s
namespace=${NAMESPACE:-} deployment=${DEPLOYMENT:-} previous='' timeout=10m release='' dry=''
while [ $# -gt 0 ]; do
  case $1 in
    --help | -h) usage; exit 0 ;;
    stage | flag | token | version) [ -z "$level" ] || wrong "level: $level and $1 (expected: one)"; level=$1; shift ;;
    --url) url=$(value "$@"); shift 2 ;;
    --reason) reason=$(value "$@"); shift 2 ;;
    --live) live=$(value "$@"); shift 2 ;;
    --overlap) overlap=$(value "$@"); shift 2 ;;
    --namespace) namespace=$(value "$@"); shift 2 ;;
    --deployment) deployment=$(value "$@"); shift 2 ;;
    --previous) previous=$(value "$@"); shift 2 ;;
    --timeout) timeout=$(value "$@"); shift 2 ;;
    --release) release=yes; shift ;;
    --dry-run) dry=yes; shift ;;
    *) wrong "option: $1 (expected: stage, flag, token or version, and what --help lists)" ;;
  esac
done
[ -n "$level" ] || wrong "no level (expected: stage, flag, token or version)"
# Nobody is asked why in an emergency; the audit then says that no reason was given.
[ -n "$reason" ] || [ "$level${release:+ released}" = flag ] || wrong "--reason: missing (expected: why, for the audit)"
case $live in go_on | finish_turn | close) ;; *) wrong "--live: $live (expected: go_on, finish_turn or close)" ;; esac
url=$(base --url "$url") || exit
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

note() { echo "$*" >&2; }

admin() { # token, path, body
  local got
  got=$(status "$1" "$work/answer" -X POST -H 'Content-Type: application/json' -d "$3" "$url$2")
  case $got in
    200 | 202) ;;
    000) failed "$(silence "$url/health") (expected: any node; try another with --url)" ;;
    401 | 403) failed "$2: $got $(detail "$work/answer") (expected: the token of somebody who may)" ;;
    *) failed "$2: $got $(detail "$work/answer")" ;;
  esac
}

body() { jq -cn --arg reason "$reason" "$@"; }

stage() {
  need curl jq
  [ -n "${VOICE_API_TOKEN:-}" ] || wrong "VOICE_API_TOKEN: not set (expected: an operator's token)"
  admin "$VOICE_API_TOKEN" "/admin/rollout/rollback${dry:+?dry_run=true}" "$(body '{reason: $reason}')"
  note "$(jq -r '"\(.state) at \(.percentage) %, revision \(.revision)\(if .dry_run then " (dry run: nothing was done)" else "" end)"' "$work/answer")"
}

flag() {
  need curl jq
  local token=${VOICE_API_TOKEN:-${PARLEY_BREAK_GLASS_TOKEN:-}} path=/admin/rollout/kill got
  [ -n "$token" ] || wrong "VOICE_API_TOKEN: not set (expected: an operator's token, or PARLEY_BREAK_GLASS_TOKEN)"
  [ -n "$release" ] && path=/admin/rollout/release
  if [ -n "$dry" ]; then note "would POST $path with live=$live"; return; fi
  if [ -n "$release" ]; then
    admin "$token" "$path" "$(body '{reason: $reason}')"
  else
    admin "$token" "$path" "$(body --arg live "$live" '{reason: $reason, live: $live}')"
  fi
  note "$(jq -r '"\(if .killed then "voice is off" else "voice is on again" end): \(.acked | length | tostring + if . == 1 then " node knows" else " nodes know" end), \(.missing | length) do not, after \(.elapsed_ms) ms"' "$work/answer")"
  if [ "$(jq '.missing | length' "$work/answer")" -gt 0 ]; then
    note "not yet: $(jq -r '.missing | join(", ")' "$work/answer"); they are told until they answer"
  fi
  # As a caller sees it, on the node that was asked: what is off refuses before it looks at a credential.
  if [ -z "$release" ] && [ -n "${PARLEY_TOKEN:-}" ]; then
    got=$(status "$PARLEY_TOKEN" "$work/seen" "$url/v1/realtime")
    [ "$got" = 503 ] || failed "a caller gets $got (expected: 503 now that voice is off)"
    note "a caller is refused with 503"
  fi
  got=$(status '' "$work/seen" "$url/health")
  [ "$got" = 200 ] || failed "/health: $got (expected: 200; the rest must stay up)"
  note "everything else is up"
}

token() {
  need curl jq
  [ -n "${VOICE_API_TOKEN:-}" ] || wrong "VOICE_API_TOKEN: not set (expected: an administrator's token)"
  [[ $overlap =~ ^[0-9]{1,6}[smh]?$ ]] || wrong "--overlap: $overlap (expected: a time such as 0s or 15m)"
  if [ -n "$dry" ]; then note "would POST /admin/tokens/ws/rotate with overlap=$overlap"; return; fi
  local got
  got=$(status "$VOICE_API_TOKEN" "$work/answer" "$url/admin/tokens/ws")
  [ "$got" != 404 ] || failed "/admin/tokens/ws: 404; this release has no /ws (expected: one that has)"
  admin "$VOICE_API_TOKEN" /admin/tokens/ws/rotate \
    "$(body --arg overlap "$(seconds --overlap "$overlap")s" '{reason: $reason, overlap: $overlap}')"
  note "rotated: revision $(jq -r '.revision' "$work/answer"); the old one is good for $overlap more"
  if [ -n "${VOICE_WS_TOKEN:-}" ] && [ "$(seconds --overlap "$overlap")" -eq 0 ]; then
    got=$(status "$VOICE_WS_TOKEN" "$work/seen" -H 'Connection: Upgrade' -H 'Upgrade: websocket' \
      -H 'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Key: c21va2Utc21va2Utc21rZQ==' "$url/ws")
    [ "$got" != 101 ] || failed "the old token still opens /ws"
    note "the old token is refused with $got"
  fi
  jq -r '.token // empty' "$work/answer"
}

version() {
  need kubectl
  [ -n "$namespace" ] && [ -n "$deployment" ] ||
    wrong "--namespace, --deployment: missing (expected: what to roll back, as kubectl knows it)"
  local with=(--namespace "$namespace") did
  if [ -n "$previous" ]; then
    did=(kubectl "${with[@]}" set image "deployment/$deployment" "*=$previous")
  else
    did=(kubectl "${with[@]}" rollout undo "deployment/$deployment")
  fi
  if [ -n "$dry" ]; then note "would run: ${did[*]}"; return; fi
  kubectl "${with[@]}" annotate "deployment/$deployment" --overwrite "kubernetes.io/change-cause=rollback: $reason" >&2 || true
  "${did[@]}" >&2 || failed "the platform did not take it"
  kubectl "${with[@]}" rollout status "deployment/$deployment" --timeout "$timeout" >&2 ||
    failed "not done within $timeout; kubectl -n $namespace get pods tells why"
  note "the previous release runs"
}

$level
