# Shared by the operators' scripts, which source it. Exit codes: 0 done, 1 a check failed, 2 the call or the machine is
# wrong, 3 nothing was decided.
# shellcheck shell=bash disable=SC2034

name=$(basename "$0")
home=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

# What curl and others may take.
CONNECT_SECONDS=${CONNECT_SECONDS:-5}
ANSWER_SECONDS=${ANSWER_SECONDS:-15}

wrong() { echo "$name: $*" >&2; exit 2; }
failed() { echo "$name: $*" >&2; exit 1; }
say() { echo "$*"; }

# The comment at the top of the script.
usage() { sed -n '2,/^[^#]/{/^#/!d;s/^# \{0,1\}//;p;}' "$0"; }

need() {
  local tool
  for tool in "$@"; do
    command -v "$tool" >/dev/null 2>&1 || wrong "$tool: not installed (expected: install it, such as: apt-get install $tool)"
  done
}

number() { # option, value, least, most
  [[ $2 =~ ^[0-9]{1,7}$ ]] && [ "$2" -ge "$3" ] && [ "$2" -le "$4" ] || wrong "$1: $2 (expected: $3..$4)"
}

# An option's value, or a complaint.
value() { [ $# -ge 2 ] && [ -n "$2" ] || wrong "$1: no value"; echo "$2"; }

# The address of a node, without a slash at its end, or a complaint.
base() { # option, value
  local url=${2%/}
  [[ $url =~ ^https?://[^/[:space:]]+$ ]] || wrong "$1: $2 (expected: http://host:port or https://host)"
  echo "$url"
}

# 1 check, 2 checks.
count() { # number, what
  if [ "$1" -eq 1 ]; then echo "$1 $2"; else echo "$1 ${2}s"; fi
}

# 90, 90s, 15m or 2h, in seconds.
seconds() { # option, value
  [[ $2 =~ ^([0-9]{1,6})([smh]?)$ ]] || wrong "$1: $2 (expected: a time such as 90s, 15m or 2h)"
  case ${BASH_REMATCH[2]} in
    h) echo $((10#${BASH_REMATCH[1]} * 3600)) ;;
    m) echo $((10#${BASH_REMATCH[1]} * 60)) ;;
    *) echo $((10#${BASH_REMATCH[1]})) ;;
  esac
}

# curl with bounds; a token travels in a file descriptor, where no list of processes shows it.
fetch() { # token or '', curl's own arguments
  local token=$1
  shift
  curl --silent --show-error --connect-timeout "$CONNECT_SECONDS" --max-time "$ANSWER_SECONDS" \
    ${CA_FILE:+--cacert "$CA_FILE"} \
    --config <([ -z "$token" ] || printf 'header = "Authorization: Bearer %s"\n' "$token") "$@"
}

# The status of an answer, whose body goes to a file; 000, and an empty file, when there was none.
status() { # token, file, curl's own arguments
  local token=$1 file=$2 got
  shift 2
  : >"$file"
  got=$(fetch "$token" -o "$file" -w '%{http_code}' "$@" 2>/dev/null) || got=000
  echo "$got"
}

# The same, for people.
said() { if [ "$1" = 000 ]; then echo "no answer"; else echo "$1"; fi; }

# Why nobody answers at an address, in words; nothing when somebody does.
silence() { # url
  local why code=0
  why=$(fetch '' -o /dev/null "$1" 2>&1) || code=$?
  case $code in
    0 | 22) ;;
    5 | 6) echo "nobody answers at $1: there is no such host" ;;
    7) echo "nobody answers at $1: the connection is refused" ;;
    28) echo "nobody answers at $1 within $ANSWER_SECONDS s" ;;
    35 | 51 | 58 | 59 | 60 | 77) echo "nobody that can be trusted answers at $1 (CA_FILE: certificates to trust): ${why#curl: }" ;;
    *) echo "nobody answers at $1: ${why#curl: }" ;;
  esac
}

# What a problem says: its detail, or the beginning of whatever it is.
detail() { jq -r '.detail // .title // .error.message // .' "$1" 2>/dev/null | head -c 300 || head -c 300 "$1"; }

# Secrets of this deployment and whatever looks like one, out of what passes through.
scrub() {
  local expressions=() variable value
  for variable in $(compgen -e); do
    case $variable in
      *TOKEN | *SECRET | *SECRET_PREVIOUS | *API_KEY | *API_KEYS | *PASSWORD | SENTRY_DSN) value=${!variable} ;;
      DATABASE_URL) value=$(sed -n 's|^[a-z]*://[^:/@]*:\([^@]*\)@.*|\1|p' <<<"${!variable}") ;;
      *) continue ;;
    esac
    [ ${#value} -ge 6 ] || continue
    # shellcheck disable=SC2001 # every special character, which a parameter expansion cannot say
    expressions+=(-e "s/$(sed 's/[][\.*^$/]/\\&/g' <<<"$value")/[secret]/g")
  done
  sed -E \
    -e 's/\beyJ[A-Za-z0-9_-]{8,}(\.[A-Za-z0-9_-]*){0,2}/[secret]/g' \
    -e 's/\b(sk-|ek_|dev-)[A-Za-z0-9_-]{12,}/\1[secret]/g' \
    -e 's/([Bb]earer|[Bb]asic) +[A-Za-z0-9._~+\/=-]{6,}/\1 [secret]/g' \
    -e 's/\b(([a-z]+[_-])?(token|ticket|key|secret|password)=)[^] &"'\''}]+/\1[secret]/g' \
    -e 's|(\b[a-z][a-z0-9+]*://)[^ /@:"'\'']*:[^ /@"'\'']+@|\1[secret]@|g' |
    if [ ${#expressions[@]} -gt 0 ]; then sed "${expressions[@]}"; else cat; fi
}
