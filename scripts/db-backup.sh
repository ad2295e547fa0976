#!/usr/bin/env bash
# A backup of everything: journal, snapshots, and the tables that are told from them. Nodes may go on writing.
#
#   DATABASE_URL=postgresql://… scripts/db-backup.sh [--out FILE]
#   DATABASE_URL=postgresql://… scripts/db-backup.sh --restore FILE
#
# --out FILE      parley-<database>-<time>.dump here when not given; in pg_dump's custom form, readable by you alone
# --restore FILE  into an empty database, nodes stopped
#
# A backup is read again before it is called one: that every table is in it. It holds what people said.
#
# Exit codes: 0 done, and its name on standard output; 1 not done; 2 called wrongly, a tool is missing, or pg_dump is older
# than the server. Needs psql, pg_dump, pg_restore, of the server's version or newer.
set -euo pipefail
. "$(dirname "$0")/lib/common.sh"
. "$(dirname "$0")/lib/database.sh"

out='' restore=''
while [ $# -gt 0 ]; do
  case $1 in
    --help | -h) usage; exit 0 ;;
    --out) out=$(value "$@"); shift 2 ;;
    --restore) restore=$(value "$@"); shift 2 ;;
    *) wrong "option: $1 (expected: --out FILE, --restore FILE)" ;;
  esac
done
need psql pg_dump pg_restore
database
server=$(query 'SHOW server_version_num') || failed "$place does not answer"
client=$(pg_dump --version | sed -n 's/^[^0-9]*\([0-9]*\).*/\1/p')
[ "$client" -ge $((server / 10000)) ] ||
  wrong "pg_dump $client: older than the server, $((server / 10000)) (expected: pg_dump $((server / 10000)) or newer)"

if [ -n "$restore" ]; then
  [ -r "$restore" ] || wrong "--restore: $restore (expected: a file that can be read)"
  [ "$(query "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")" = 0 ] ||
    failed "$place is not empty (expected: a new database: createdb, then --restore)"
  pg_restore --no-owner --exit-on-error --single-transaction --dbname "$PGDATABASE" "$restore" || failed "not restored; nothing was changed"
  echo "$name: restored, journal up to $(query 'SELECT coalesce(max(ordering), 0) FROM event_journal')" >&2
  exit 0
fi

out=${out:-parley-$PGDATABASE-$(date -u +%Y%m%dT%H%M%SZ).dump}
[ ! -e "$out" ] || wrong "--out: $out (expected: a file that is not there yet)"
umask 077
trap 'rm -f "$out.part"' EXIT
pg_dump --format=custom --no-owner --file "$out.part" || failed "no backup was made"
listed=$(pg_restore --list "$out.part") || failed "the backup cannot be read again"
for table in $(query "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"); do
  grep -q "TABLE DATA public $table " <<<"$listed" || failed "the backup lacks $table"
done
mv "$out.part" "$out"
echo "$name: $(grep -c 'TABLE DATA' <<<"$listed") tables, $(du -h "$out" | cut -f1)" >&2
echo "$out"
