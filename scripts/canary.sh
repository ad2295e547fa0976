#!/usr/bin/env bash
# Promotes the rollout stage by stage, judges each, and takes it back by itself when it does harm. Says why, each time.
#
#   VOICE_API_TOKEN=… PROMETHEUS_URL=http://prometheus:9090 scripts/canary.sh [options]
#
# --url http://127.0.0.1:8080  any node; PARLEY_URL
# --to 100          stops when this share of users has voice
# --bake 15m        a stage is watched for so long before the next
# --max-hold 1h     a stage without enough evidence is waited for so much longer; then nothing is decided
# --every 30s       looks so often
# --window 5m       Prometheus looks back so far
# --checks FILE     what Prometheus is asked: name | bound | query; scripts/lib/canary-checks when not given
# --reason "…"      goes into the audit
# --dry-run         says what the next stage would do, and to how many; asks Prometheus once
#
# Two judges. The nodes' own guardrails, which count sessions: each must pass, but those that only observe must merely not
# fail. And Prometheus, where PROMETHEUS_URL is set: each check must have a value, at or below its bound. Either says
# no: rollback of a stage, latched, with the reason in the audit. Neither has enough: nothing is promoted. What somebody
# else changes meanwhile is theirs: this stops. The token is an operator's.
#
# Exit codes: 0 promoted as far as --to; 1 taken back, or refused; 2 called wrongly, or a tool is missing; 3 nothing was
# decided: look at it. Needs curl, jq.
set -euo pipefail
. "$(dirname "$0")/lib/common.sh"

url=${PARLEY_URL:-http://127.0.0.1:8080} to=100 bake=900 max_hold=3600 every=30 window=5m dry=''
checks=$home/scripts/lib/canary-checks reason='canary'
while [ $# -gt 0 ]; do
  case $1 in
    --help | -h) usage; exit 0 ;;
    --url) url=$(value "$@"); shift 2 ;;
    --to) to=$(value "$@"); shift 2 ;;
    --bake) bake=$(seconds --bake "$(value "$@")"); shift 2 ;;
    --max-hold) max_hold=$(seconds --max-hold "$(value "$@")"); shift 2 ;;
    --every) every=$(seconds --every "$(value "$@")"); shift 2 ;;
    --window) window=$(value "$@"); shift 2 ;;
    --checks) checks=$(value "$@"); shift 2 ;;
    --reason) reason=$(value "$@"); shift 2 ;;
    --dry-run) dry=yes; shift ;;
    *) wrong "option: $1 (expected: one of those of --help)" ;;
  esac
done
need curl jq
number --to "$to" 1 100
number --every "$every" 1 3600
[[ $window =~ ^[1-9][0-9]{0,4}[smhd]$ ]] || wrong "--window: $window (expected: a time such as 5m)"
[ -r "$checks" ] || wrong "--checks: $checks (expected: a file that can be read)"
[ -n "${VOICE_API_TOKEN:-}" ] || wrong "VOICE_API_TOKEN: not set (expected: an operator's token)"
url=$(base --url "$url") || exit
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

log() { echo "$(date -u +%H:%M:%SZ)  $*"; }
undecided() { log "undecided: $*"; exit 3; }

of() { jq -r "$1" "$work/state"; }

# The rollout as the node that is asked knows it. Three failures in a row, and nothing is decided.
look() {
  local got try
  for try in 1 2 3; do
    got=$(status "$VOICE_API_TOKEN" "$work/state" "$url/admin/rollout")
    [ "$got" = 200 ] && return
    case $got in 401 | 403) failed "/admin/rollout: $got (expected: an operator's token)" ;; esac
    [ $try -lt 3 ] && sleep 2
  done
  [ "$got" != 000 ] || undecided "$(silence "$url/health")"
  undecided "$url answers $got to /admin/rollout"
}

act() { # promote or rollback, reason
  local got
  got=$(status "$VOICE_API_TOKEN" "$work/acted" -X POST -H 'Content-Type: application/json' \
    -d "$(jq -cn --arg reason "$2" --argjson revision "$(of .revision)" '{reason: $reason, expected_revision: $revision}')" \
    "$url/admin/rollout/$1${3:-}")
  [ "$got" = 200 ]
}

# Takes it back and ends. A rollback that is not taken is tried again with what the node knows then.
back() {
  local try
  log "FAIL: $1"
  for try in 1 2 3; do
    if act rollback "canary: $1"; then
      log "rolled back: $(jq -r '"\(.state) at \(.percentage) %, revision \(.revision)"' "$work/acted")"
      exit 1
    fi
    look
    if [ "$(of .state)" = rolled_back ]; then
      log "rolled back meanwhile by $(of .changed.by): $(of .changed.reason)"
      exit 1
    fi
    [ $try -lt 3 ] && sleep 1
  done
  log "NOT rolled back: $(detail "$work/acted"); do it by hand: scripts/rollback.sh flag --reason …"
  exit 1
}

# What the nodes' guardrails say: sets verdict to pass, wait or fail, and why.
ask_nodes() {
  verdict=pass why=''
  local failing waiting
  failing=$(of '[.guardrails[]? | select(.verdict | ascii_downcase == "fail") | "\(.id): \(.why // "failed") (observed \(.observed), bound \(.bound), \(.samples) sessions)"] | join("; ")')
  waiting=$(of '[.guardrails[]? | select(.observe_only | not) | select(.verdict | ascii_downcase != "pass") | "\(.id) \(.verdict | ascii_downcase), \(.samples) of \(.needed) sessions"] | join("; ")')
  if [ -n "$failing" ]; then verdict=fail why="guardrail $failing"
  elif [ -n "$waiting" ]; then verdict=wait why="guardrail $waiting"; fi
}

# The same of Prometheus.
ask_prometheus() {
  verdict=pass why=''
  [ -n "${PROMETHEUS_URL:-}" ] || return 0
  local label bound query value got
  while IFS='|' read -r label bound query; do
    label=$(xargs <<<"$label") bound=$(xargs <<<"$bound")
    [ -n "$label" ] && [[ $label != \#* ]] || continue
    query=${query//\$window/$window}
    got=$(status '' "$work/answer" --get --data-urlencode "query=$query" "${PROMETHEUS_URL%/}/api/v1/query")
    if [ "$got" != 200 ] || [ "$(jq -r .status "$work/answer")" != success ]; then
      [ $verdict = fail ] || verdict="wait"
      why="${why:+$why; }Prometheus: $(said "$got") to $label"
      continue
    fi
    value=$(jq -r '[.data.result[]?.value[1] | select(. != "NaN") | tonumber] | max // empty' "$work/answer")
    if [ -z "$value" ]; then
      [ $verdict = fail ] || verdict="wait"
      why="${why:+$why; }no data for $label"
    elif jq -en --argjson value "$value" --argjson bound "$bound" '$value > $bound' >/dev/null; then
      [ $verdict = fail ] || why=''
      verdict=fail
      why="${why:+$why; }$label is $(printf '%.4g' "$value"), more than $bound"
    fi
  done <"$checks"
}

# Both, the worse of them.
judge() {
  local nodes nodes_why
  ask_nodes
  nodes=$verdict nodes_why=$why
  [ "$nodes" = fail ] && return
  ask_prometheus
  [ "$verdict" = fail ] && return
  if [ "$nodes" = wait ]; then verdict=wait why="$nodes_why${why:+; $why}"; fi
}

if [ -n "$dry" ]; then
  look
  log "$(of '"\(.state) at \(.percentage) %, revision \(.revision)"')"
  if act promote "$reason" '?dry_run=true'; then
    log "the next stage: $(jq -r '"\(.percentage) %, \(.users.entering_percent) % of users enter"' "$work/acted")"
  else
    log "no next stage: $(detail "$work/acted")"
  fi
  judge
  log "judges: $verdict${why:+, $why}"
  exit 0
fi

while :; do
  look
  [ "$(of .killed)" = null ] || failed "voice is switched off: $(of .killed.reason) (expected: scripts/rollback.sh flag --release first)"
  [ "$(of .state)" != rolled_back ] || failed "it was taken back: $(of .changed.reason) (expected: resume with a reason first)"
  percentage=$(of .percentage)
  if [ "$percentage" -ge "$to" ] && [ "$(of .enabled)" = true ]; then
    log "done: $percentage % of users"
    exit 0
  fi
  act promote "$reason" || failed "not promoted: $(detail "$work/acted")"
  look
  percentage=$(of .percentage) mine=$(of .revision)
  log "stage: $percentage %, revision $mine; watched for $bake s"

  began=$SECONDS
  while :; do
    sleep "$every"
    look
    [ "$(of .killed)" = null ] || { log "switched off meanwhile by $(of .killed.by): $(of .killed.reason)"; exit 1; }
    if [ "$(of .state)" = rolled_back ]; then
      log "rolled back by $(of .changed.by): $(of .changed.reason)"
      exit 1
    fi
    if [ "$(of .revision)" != "$mine" ]; then
      # The plan's own step, once it is baked and proven, is what was wanted; everything else is somebody's decision.
      if [ "$(of .changed.type)" = schedule ] && [ "$(of .percentage)" -ge "$percentage" ]; then
        percentage=$(of .percentage) mine=$(of .revision) began=$SECONDS
        log "stage: $percentage %, by the plan, revision $mine"
        continue
      fi
      undecided "$(of .changed.by) changed it: $(of '"\(.state) at \(.percentage) %, \(.changed.reason)"')"
    fi
    judge
    [ "$verdict" = fail ] && back "$why"
    if [ "$(of .state)" = suspended ]; then verdict=wait why="suspended: $(of .changed.reason)"; fi
    passed=$((SECONDS - began))
    if [ $passed -lt "$bake" ]; then
      log "$passed of $bake s: $verdict${why:+, $why}"
    elif [ "$verdict" = pass ]; then
      log "stage $percentage %: pass"
      break
    elif [ $passed -ge $((bake + max_hold)) ]; then
      undecided "not enough evidence at $percentage % after $passed s: $why"
    else
      log "holds at $percentage %: $why"
    fi
  done
done
