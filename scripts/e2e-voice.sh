#!/usr/bin/env bash
# One call from outside: WebSocket handshake, voice-welcome, ping and pong, ack, and a spoken turn whose answer is heard.
#
#   PORT=8080 VOICE_WS_TOKEN=… scripts/e2e-voice.sh [--no-turn] [--timeout 20s]
#
# PORT, HOST      the node's; HOST is 127.0.0.1 when not set
# PARLEY_URL      the node as the other scripts name it, where PORT is not set; http://127.0.0.1:8080 when neither is
# VOICE_URL       the whole address instead, such as wss://voice.example.com/ws
# VOICE_WS_TOKEN  the token of /ws. Without it, or where there is no /ws: /v1/ws/voice with PARLEY_TOKEN, which knows no ack
# PARLEY_TOKEN    a caller's token; made with scripts/parley token when neither is set
# CA_FILE         certificates to trust instead of the JDK's, where a company signs its own
#
# Exit codes: 0 everything was as it should be; 1 something was not, and the last line says what; 2 called wrongly, or a
# tool is missing. Needs a JDK, 21 or newer.
set -euo pipefail
. "$(dirname "$0")/lib/common.sh"

turn=yes timeout=20
while [ $# -gt 0 ]; do
  case $1 in
    --help | -h) usage; exit 0 ;;
    --no-turn) turn=no; shift ;;
    --timeout) timeout=$(seconds --timeout "$(value "$@")"); shift 2 ;;
    *) wrong "option: $1 (expected: --no-turn, --timeout, --help)" ;;
  esac
done
number --timeout "$timeout" 1 600

if [ -n "${PORT:-}" ] || [ -z "${PARLEY_URL:-}" ]; then
  host=${HOST:-127.0.0.1} port=${PORT:-8080}
  number PORT "$port" 1 65535
  [[ $host =~ ^[A-Za-z0-9.:_-]+$ ]] || host=127.0.0.1 # shells set HOST, too
  base=ws://$host:$port
else
  base=$(base PARLEY_URL "$PARLEY_URL") || exit
  base=ws${base#http}
fi
[ -z "${CA_FILE:-}" ] || [ -r "$CA_FILE" ] || wrong "CA_FILE: $CA_FILE (expected: a file that can be read)"
java=$("$home/scripts/find-jdk")/bin/java || exit 2

call() { # url, token, acks
  SMOKE_TOKEN=$2 "$java" -XX:TieredStopAtLevel=1 -XX:+UseSerialGC "$home/scripts/lib/VoiceSmoke.java" \
    "$1" "$timeout" "$3" "$turn"
}

caller() {
  if [ -z "${PARLEY_TOKEN:-}" ]; then
    PARLEY_TOKEN=$("$home/scripts/parley" token --user smoke) || exit 2
  fi
  echo "$PARLEY_TOKEN"
}

code=4
if [ -n "${VOICE_WS_TOKEN:-}" ]; then
  url=${VOICE_URL:-$base/ws}
  say "== $url"
  code=0
  call "$url" "$VOICE_WS_TOKEN" yes || code=$?
  if [ $code -eq 4 ] && [ -z "${VOICE_URL:-}" ]; then
    say "skip  no /ws here"
  fi
fi
if [ $code -eq 4 ]; then
  url=${VOICE_URL:-$base/v1/ws/voice}
  say "== $url"
  token=$(caller)
  code=0
  call "$url" "$token" no || code=$?
fi
[ $code -eq 4 ] && code=1
exit $code
