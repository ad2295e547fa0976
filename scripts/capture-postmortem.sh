#!/usr/bin/env bash
# Keeps what a node knows before it is replaced: metrics, health, rollout and its history, sessions without their users,
# logs, threads and memory. One archive, without secrets, without callers' names and without what anybody said.
#
#   VOICE_API_TOKEN=… scripts/capture-postmortem.sh [options]
#
# --url http://127.0.0.1:8080         the node; PARLEY_URL
# --management URL                    where the platform asks, http://127.0.0.1:7626; PARLEY_MANAGEMENT_URL; none: not asked
# --pid PID                           the node's process on this machine: threads, memory, limits
# --log FILE                          its log; the last --lines of it. May be repeated
# --lines 20000
# --out FILE                          postmortem-<node>-<time>.tar.gz here when not given
#
# What a node does not answer is noted in the archive (errors.txt) and captured no less. Every text goes through a filter
# for secrets, and the archive is searched for those of the environment before it is written: a hit means no archive.
#
# Exit codes: 0 written, and its name on standard output; 1 not written; 2 called wrongly, or a tool is missing. Needs
# curl, jq, tar; --pid needs the JDK's jcmd and the node's user.
set -euo pipefail
. "$(dirname "$0")/lib/common.sh"

url=${PARLEY_URL:-http://127.0.0.1:8080} management=${PARLEY_MANAGEMENT_URL:-} pid='' logs=() lines=20000 out=''
while [ $# -gt 0 ]; do
  case $1 in
    --help | -h) usage; exit 0 ;;
    --url) url=$(value "$@"); shift 2 ;;
    --management) management=$(value "$@"); shift 2 ;;
    --pid) pid=$(value "$@"); shift 2 ;;
    --log) logs+=("$(value "$@")"); shift 2 ;;
    --lines) lines=$(value "$@"); shift 2 ;;
    --out) out=$(value "$@"); shift 2 ;;
    *) wrong "option: $1 (expected: one of those of --help)" ;;
  esac
done
need curl jq tar
number --lines "$lines" 1 1000000
if [ -n "$pid" ]; then
  number --pid "$pid" 1 9999999
  kill -0 "$pid" 2>/dev/null || wrong "--pid: $pid (expected: a process that runs, and that you may see)"
fi
for log in ${logs[@]+"${logs[@]}"}; do [ -r "$log" ] || wrong "--log: $log (expected: a file that can be read)"; done
url=$(base --url "$url") || exit
node=${url#*://}
out=${out:-postmortem-${node//[^A-Za-z0-9.-]/-}-$(date -u +%Y%m%dT%H%M%SZ).tar.gz}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
dir=$work/postmortem
mkdir "$dir"

# A caller who was refused is a person, and so is everybody on a list: numbers in their place. Operators stay: the audit is
# about them. What names a session or a user in an address goes, too.
nameless='
  def listed: if type == "array" then "\(length) names" else (tostring | if IN("", "[]", "null") then "0 names" else "\(split(",") | length) names" end) end;
  (reduce (.[] | select(.outcome == "denied" and .actor.type == "user" and .actor.role == "") | .actor.id) as $id
    ({}; if has($id) then . else .[$id] = "caller-\(length + 1)" end)) as $callers
  | .[]
  | if .outcome == "denied" and .actor.role == "" then .actor.id |= ($callers[.] // .) else . end
  | if .outcome == "denied" then .action |= sub("^(?<kept>[A-Z]+ /[^/]+/[^/]+)/.+$"; "\(.kept)/…") else . end
  | if .diff then .diff |= map(if .path | test("^/(allow|deny)") then .from |= listed | .to |= listed else . end) else . end'

missed() { echo "$*" >>"$dir/errors.txt"; }

# file, token, url, filter
take() {
  local got
  got=$(status "$2" "$work/answer" "$3")
  if [ "$got" = 200 ] || [ "$got" = 503 ]; then
    if ! "${4:-cat}" <"$work/answer" 2>/dev/null | scrub >"$dir/$1"; then missed "$1: could not be read"; fi
  else
    missed "$1: $(said "$got") from $3"
  fi
}

# Who somebody is does not go along; the session and its figures do.
anonymous() {
  jq 'walk(if type == "object" then with_entries(select(.key | IN("user", "user_id", "caller", "text", "transcript", "instructions") | not)) else . end)'
}

# How many are on the lists, and not who.
unlisted() {
  jq 'walk(if type == "object" then with_entries(if (.key == "allow" or .key == "deny") and (.value | type) == "array" then .value |= "\(length) names" else . end) else . end)'
}

{
  echo "captured $(date -u +%Y-%m-%dT%H:%M:%SZ) from $url by $(hostname)"
  uname -srm
  uptime || true
  command -v free >/dev/null && free -m
  df -h . || true
} >"$dir/machine.txt" 2>&1

take health.json '' "$url/health"
take health-voice.json '' "$url/health/voice"
take api-health.json '' "$url/api/voice/health"
for base in "$url" ${management:+"${management%/}"}; do
  [ "$base" = none ] && continue
  [ -s "$dir/metrics.prom" ] || take metrics.prom '' "$base/metrics"
  [ -s "$dir/metrics.json" ] || take metrics.json '' "$base/api/metrics"
done
[ -n "$management" ] && [ "$management" != none ] && take ready.txt '' "${management%/}/ready"

if [ -n "${VOICE_API_TOKEN:-}" ]; then
  take rollout.json "$VOICE_API_TOKEN" "$url/admin/rollout" unlisted
  take audit-verified.json "$VOICE_API_TOKEN" "$url/admin/rollout/history/verify"
  take sessions.json "$VOICE_API_TOKEN" "$url/admin/sessions" anonymous
  # The whole history, page by page.
  after=0
  for _ in $(seq 500); do
    [ "$(status "$VOICE_API_TOKEN" "$work/page" "$url/admin/rollout/history?after=$after&limit=200")" = 200 ] || break
    [ "$(jq '.lines | length' "$work/page")" -gt 0 ] || break
    jq -c '.lines[]' "$work/page" >>"$work/history"
    next=$(jq '[.lines[].seq] | max' "$work/page")
    [ "$next" != null ] && [ "$next" -gt "$after" ] || break
    after=$next
  done
  if [ -s "$work/history" ]; then
    jq -sc "$nameless" "$work/history" | scrub >"$dir/rollout-history.jsonl" || missed "rollout-history.jsonl: could not be read"
  else
    missed "rollout-history.jsonl: not answered"
  fi
else
  missed "rollout, history, sessions: VOICE_API_TOKEN is not set"
fi

if [ -n "$pid" ]; then
  jcmd=$("$home/scripts/find-jdk")/bin/jcmd
  for what in Thread.print GC.heap_info VM.uptime VM.version; do
    timeout 30 "$jcmd" "$pid" "$what" 2>&1 | scrub >"$dir/${what,,}.txt" || missed "$what: process $pid did not answer jcmd"
  done
  timeout 60 "$jcmd" "$pid" GC.class_histogram 2>/dev/null | head -60 >"$dir/gc.class_histogram.txt" || missed "GC.class_histogram"
  for what in status limits; do cat "/proc/$pid/$what" >"$dir/process-$what.txt" 2>/dev/null || missed "process $what"; done
  find "/proc/$pid/fd" -maxdepth 1 2>/dev/null | wc -l >"$dir/process-files-open.txt" || true
fi

for log in ${logs[@]+"${logs[@]}"}; do
  tail -n "$lines" "$log" | scrub >"$dir/$(basename "$log" | tr -c 'A-Za-z0-9.\n-' '_').log"
done

# Filters are written by people: what the environment holds must be nowhere.
for variable in $(compgen -e); do
  case $variable in *TOKEN | *SECRET | *SECRET_PREVIOUS | *API_KEY | *API_KEYS | *PASSWORD) ;; *) continue ;; esac
  [ ${#variable} -gt 0 ] && [ "$(printf %s "${!variable}" | wc -c)" -ge 6 ] || continue
  if grep -rqF -- "${!variable}" "$dir"; then
    failed "the value of $variable is in $(grep -rlF -- "${!variable}" "$dir" | sed 's|.*/||' | tr '\n' ' '): no archive was written"
  fi
done

(cd "$dir" && find . -type f | sort | xargs sha256sum) >"$work/manifest" && mv "$work/manifest" "$dir/MANIFEST.sha256"
umask 077
tar -czf "$out.part" -C "$work" postmortem && mv "$out.part" "$out"
[ -f "$dir/errors.txt" ] && sed "s/^/$name: not captured: /" "$dir/errors.txt" >&2
echo "$out"
