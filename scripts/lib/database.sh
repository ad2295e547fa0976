# How the operators' scripts reach the database of DATABASE_URL: by libpq's variables, so that no password is on a command
# line.
# shellcheck shell=bash disable=SC2034,SC2154

decoded() { printf '%b' "${1//%/\\x}"; }

database() {
  local pattern='^postgres(ql)?://([^:/@]+)(:([^@]*))?@(\[[0-9a-fA-F:.]+\]|[^:/?@]+)(:([0-9]+))?/([^?]+)(\?(.*))?$'
  [ -n "${DATABASE_URL:-}" ] || wrong "DATABASE_URL: not set (expected: postgresql://user:password@host:port/database)"
  [[ $DATABASE_URL =~ $pattern ]] || wrong "DATABASE_URL: malformed (expected: postgresql://user:password@host:port/database)"
  PGUSER=$(decoded "${BASH_REMATCH[2]}") PGPASSWORD=$(decoded "${BASH_REMATCH[4]}")
  PGHOST=${BASH_REMATCH[5]//[\[\]]/} PGPORT=${BASH_REMATCH[7]:-5432} PGDATABASE=$(decoded "${BASH_REMATCH[8]}")
  local options=${BASH_REMATCH[10]}
  if [[ $options =~ (^|&)sslmode=([a-z-]+) ]]; then export PGSSLMODE=${BASH_REMATCH[2]}; fi
  if [[ $options =~ (^|&)sslrootcert=([^&]+) ]]; then PGSSLROOTCERT=$(decoded "${BASH_REMATCH[2]}") && export PGSSLROOTCERT; fi
  export PGUSER PGPASSWORD PGHOST PGPORT PGDATABASE PGCONNECT_TIMEOUT=${CONNECT_SECONDS:-5} PGAPPNAME="parley $name"
  place=postgresql://$PGHOST:$PGPORT/$PGDATABASE
}

query() { psql --no-psqlrc --no-password -v ON_ERROR_STOP=1 -qAt -c "$1"; }
