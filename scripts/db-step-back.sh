#!/usr/bin/env bash
# Takes back the last change of the tables, so that a release from before it finds them as it made them.
#
#   DATABASE_URL=postgresql://… scripts/db-step-back.sh [--to N] [--yes]
#
# --to N   back to form N, one change after the other; one change when not given
# --yes    does it; without, it says what it would do
#
# Seldom needed: the release before the last works on the present tables, which is what a rolling update lives from. It is
# for two releases back, and for a change that is itself the trouble. What the change has stored goes with it; the journal
# stays. Nodes of the newer release must be stopped: at their start they would make the change again. A backup is yours to
# make: scripts/db-backup.sh.
#
# Exit codes: 0 done, or said; 1 not done; 2 called wrongly, or a tool is missing. Needs psql.
set -euo pipefail
. "$(dirname "$0")/lib/common.sh"
. "$(dirname "$0")/lib/database.sh"

to='' yes='' undo=${PARLEY_UNDO_DIR:-$home/modules/session/src/main/resources/parley/session/undo}
while [ $# -gt 0 ]; do
  case $1 in
    --help | -h) usage; exit 0 ;;
    --to) to=$(value "$@"); shift 2 ;;
    --yes) yes=yes; shift ;;
    *) wrong "option: $1 (expected: --to N, --yes)" ;;
  esac
done
need psql
[ -z "$to" ] || number --to "$to" 1 9999
database
# Held while the tables change, as the nodes do: none of them changes them meanwhile.
lock='SELECT pg_try_advisory_lock(123563833845112)'

last() { query "SELECT version || ' ' || script FROM session_migrations WHERE success AND version IS NOT NULL AND version <> '0' ORDER BY installed_rank DESC LIMIT 1"; }

now=$(last) || failed "$place: no session_migrations (expected: a database that Parley has made)"
[ -n "$now" ] || failed "$place: no change to take back"
[ -n "$to" ] || to=$(query "SELECT coalesce(max(version::int), 0) FROM session_migrations WHERE success AND version ~ '^[0-9]+$' AND version::int < ${now%% *}")
[ "$to" -ge 1 ] || failed "form ${now%% *} is the first (expected: another database, or drop this one)"
[ "$to" -lt "${now%% *}" ] || failed "the tables are of form ${now%% *} (expected: --to below it)"

while now=$(last) && [ "${now%% *}" -gt "$to" ]; do
  version=${now%% *} script=${now#* }
  file=$undo/U${script#V}
  [ -r "$file" ] || failed "$file: not there (expected: how to take form $version back)"
  if [ -z "$yes" ]; then
    echo "$name: would take $script back on $place (say --yes):"
    sed 's/^/    /' "$file"
    [ "$to" -eq "$(query "SELECT coalesce(max(version::int), 0) FROM session_migrations WHERE success AND version ~ '^[0-9]+$' AND version::int < $version")" ] || echo "$name: and then the ones before it, down to $to"
    exit 0
  fi
  busy=$(query "SELECT string_agg(DISTINCT application_name || ' from ' || coalesce(client_addr::text, 'here'), ', ') FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name IN ('PostgreSQL JDBC Driver', 'parley leaving')")
  [ -z "$busy" ] || echo "$name: connected still: $busy" >&2
  # In one transaction, so that the tables and what is known of them stay together.
  psql --no-psqlrc --no-password -v ON_ERROR_STOP=1 -q <<SQL || failed "form $version was not taken back; nothing was changed"
\set QUIET 1
$lock AS mine \\gset
\if :mine
\else
\warn another process is changing the tables
SELECT 1 / 0;
\endif
BEGIN;
\i '$file'
DELETE FROM session_migrations WHERE version = '$version';
COMMIT;
SQL
  echo "$name: $script taken back" >&2
done
echo "$name: the tables are of form $(last | cut -d' ' -f1)" >&2
