#!/usr/bin/env bash
# After a deployment: is what runs there what was meant, and does it work?
#
#   VOICE_API_TOKEN=… PARLEY_TOKEN=… scripts/validate-deployment.sh [options]
#
# --url http://127.0.0.1:8080         where callers connect; PARLEY_URL
# --management URL                    where the platform asks, http://127.0.0.1:7626; PARLEY_MANAGEMENT_URL; none: not asked
# --version 1.4.0                     the release that /health must tell
# --origin https://app.example.com    a site whose pages must be let in
# --off                               voice must be off: callers are refused with 503 and the rest is up
# --no-turn                           no spoken turn, which a real provider charges for
#
# VOICE_API_TOKEN looks at the rollout, PARLEY_TOKEN (a caller's) opens a session, VOICE_WS_TOKEN speaks over /ws; what
# needs one that is not set is skipped and said so. CA_FILE: certificates to trust, where a company signs its own.
#
# Exit codes: 0 no check failed; 1 one did; 2 called wrongly, or a tool is missing. Needs curl, jq, and a JDK for the turn.
set -euo pipefail
. "$(dirname "$0")/lib/common.sh"

url=${PARLEY_URL:-http://127.0.0.1:8080} management=${PARLEY_MANAGEMENT_URL:-}
version='' origin='' off='' turn=--turn
while [ $# -gt 0 ]; do
  case $1 in
    --help | -h) usage; exit 0 ;;
    --url) url=$(value "$@"); shift 2 ;;
    --management) management=$(value "$@"); shift 2 ;;
    --version) version=$(value "$@"); shift 2 ;;
    --origin) origin=$(value "$@"); shift 2 ;;
    --off) off=yes; shift ;;
    --no-turn) turn=--no-turn; shift ;;
    *) wrong "option: $1 (expected: one of those of --help)" ;;
  esac
done
need curl jq
url=$(base --url "$url") || exit
[ -z "$management" ] || [ "$management" = none ] || management=$(base --management "$management") || exit
[ "$management" != none ] || management=''
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bad=0

ok() { say "ok    $*"; }
skip() { say "skip  $*"; }
bad() { say "FAIL  $*"; bad=$((bad + 1)); }

# name, expected statuses, token, curl's arguments; the answer is in $work/answer
expect() {
  local what=$1 statuses=$2 token=$3 got
  shift 3
  got=$(status "$token" "$work/answer" "$@")
  if [[ " $statuses " == *" $got "* ]]; then ok "$what: $got"; return 0; fi
  bad "$what: $(said "$got") (expected: ${statuses// / or }) $(detail "$work/answer")"
  return 1
}

say "== $url"
silent=$(silence "$url/health")
if [ -n "$silent" ]; then
  bad "$silent"
  failed "nothing else was checked (expected: --url of a node or of what is in front of it)"
fi
if expect "/health" 200 '' "$url/health"; then
  told=$(jq -r '.version // "none"' "$work/answer")
  if [ -z "$version" ]; then ok "version: $told"
  elif [ "$told" = "$version" ]; then ok "version: $told, as expected"
  else bad "version: $told (expected: $version)"; fi
fi
for path in /health/voice /v1/voice/health /api/voice/health; do
  got=$(status '' "$work/answer" "$url$path")
  case $got in
    200) ok "$path: 200 $(head -c 200 "$work/answer" | tr -d '\n')" ;;
    503) if [ -n "$off" ]; then ok "$path: 503, voice is off"; else bad "$path: 503 $(head -c 300 "$work/answer")"; fi ;;
    404) skip "$path: not in this release" ;;
    *) bad "$path: $(said "$got") (expected: 200)" ;;
  esac
done
if [ -z "$management" ]; then
  skip "/alive, /ready: no --management"
else
  silent=$(silence "$management/alive")
  if [ -n "$silent" ]; then
    bad "$silent"
    management=''
  else
    expect "alive" 200 '' "$management/alive" || true
    expect "ready" 200 '' "$management/ready" || true
  fi
fi

say "== metrics"
for path in /metrics /api/metrics '/api/metrics?format=prom'; do
  at=$url
  got=$(status '' "$work/metrics" "$at$path")
  if [ "$got" = 404 ] && [ -n "$management" ]; then
    at=$management
    got=$(status '' "$work/metrics" "$at$path")
  fi
  case $got in
    200) ok "$path: 200, $(grep -c . "$work/metrics") lines" ;;
    401 | 403) ok "$path: $got, not for everybody" ;;
    404) skip "$path: not in this release" ;;
    *) bad "$path: $(said "$got") (expected: 200)" ;;
  esac
done

say "== the door"
headers=$(fetch '' -D - -o /dev/null "$url/health" 2>/dev/null | tr -d '\r' | tr '[:upper:]' '[:lower:]' || true)
for header in x-content-type-options cross-origin-resource-policy; do
  if grep -q "^$header:" <<<"$headers"; then ok "$header"; else bad "$header: not there"; fi
done
if [[ $url == https://* ]]; then
  if grep -q '^strict-transport-security:' <<<"$headers"; then ok "strict-transport-security"
  else bad "strict-transport-security: not there"; fi
  if command -v openssl >/dev/null; then
    host=${url#https://}
    [[ $host == *:* ]] || host=$host:443
    if end=$(openssl s_client -connect "$host" -servername "${host%:*}" </dev/null 2>/dev/null | openssl x509 -noout -enddate 2>/dev/null); then
      end=${end#notAfter=}
      left=$((($(date -d "$end" +%s) - $(date +%s)) / 86400))
      if [ "$left" -gt 30 ]; then ok "certificate: $left days left"; else bad "certificate: ends on $end (expected: more than 30 days)"; fi
    else
      bad "certificate: cannot be read from $host"
    fi
  fi
else
  skip "TLS: $url is plain"
fi
if [ -n "$origin" ]; then
  allowed=$(fetch '' -D - -o /dev/null -X OPTIONS -H "Origin: $origin" -H 'Access-Control-Request-Method: POST' \
    "$url/v1/sessions" 2>/dev/null | tr -d '\r' | sed -n 's/^[Aa]ccess-[Cc]ontrol-[Aa]llow-[Oo]rigin: //p' || true)
  if [ "$allowed" = "$origin" ]; then ok "origin $origin"; else bad "origin $origin: ${allowed:-not let in} (expected: $origin)"; fi
fi
expect "a foreign site is refused" 403 '' -X POST -H 'Origin: https://not-yours.invalid' "$url/v1/sessions" || true
expect "no credential, no session" 401 '' -X POST "$url/v1/sessions" || true
expect "no credential, no admin" 401 '' "$url/admin/rollout" || true
expect "a made-up credential is refused" 401 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.' "$url/admin/rollout" || true

say "== the rollout"
if [ -n "${VOICE_API_TOKEN:-}" ]; then
  if expect "/admin/rollout" 200 "$VOICE_API_TOKEN" "$url/admin/rollout"; then
    say "      $(jq -r '"\(.state) at \(.percentage) %, revision \(.revision)" + (if .killed then ", KILLED: \(.killed.reason)" else "" end)' "$work/answer")"
    if [ -z "$off" ] && [ "$(jq -r '.killed != null' "$work/answer")" = true ]; then bad "voice is switched off by the kill switch"; fi
    failing=$(jq -r '[.guardrails[]? | select(.verdict == "fail" or .verdict == "FAIL") | .id] | join(", ")' "$work/answer")
    if [ -z "$failing" ]; then ok "guardrails: none fails"; else bad "guardrails: $failing fail"; fi
  fi
else
  skip "VOICE_API_TOKEN is not set"
fi

say "== a session"
if [ -z "${PARLEY_TOKEN:-}" ]; then
  skip "PARLEY_TOKEN is not set"
elif [ -n "$off" ]; then
  expect "a caller is refused" 503 "$PARLEY_TOKEN" "$url/v1/realtime" || true
elif expect "a session is opened" 201 "$PARLEY_TOKEN" -X POST -H 'Content-Type: application/json' -d '{}' "$url/v1/sessions"; then
  id=$(jq -r '.id // .session_id // empty' "$work/answer")
  if [ -n "$id" ]; then
    expect "it is there" 200 "$PARLEY_TOKEN" "$url/v1/sessions/$id" || true
    expect "it ends" "200 202 204" "$PARLEY_TOKEN" -X DELETE "$url/v1/sessions/$id" || true
  else
    bad "the answer names no session"
  fi
fi

if [ -z "$off" ] && [ -n "${PARLEY_TOKEN:-}${VOICE_WS_TOKEN:-}" ]; then
  base=ws${url#http}
  face=/v1/ws/voice
  if [ -n "${VOICE_WS_TOKEN:-}" ] && [ "$(status '' "$work/answer" "$url/ws")" != 404 ]; then face=/ws; fi
  if [ $face = /ws ] || [ -n "${PARLEY_TOKEN:-}" ]; then
    if [ $face = /ws ]; then token=$VOICE_WS_TOKEN; else token=''; fi
    arguments=()
    [ $turn = --no-turn ] && arguments=(--no-turn)
    if VOICE_URL=$base$face VOICE_WS_TOKEN=$token "$home/scripts/e2e-voice.sh" "${arguments[@]}"; then
      ok "a call over $face"
    else
      bad "a call over $face"
    fi
  fi
fi

if [ $bad -gt 0 ]; then failed "$(count $bad check) failed"; fi
say "everything that was checked is well"
