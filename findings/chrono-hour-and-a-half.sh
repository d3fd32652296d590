#!/usr/bin/env bash
# chrono-node reads "in an hour and a half" as one hour, and says nothing of the half: its text ends before it.
# "in an hour and 30 minutes" it reads as 90 minutes.
set -euo pipefail
version=2.10.3
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' >package.json
npm install --silent --no-audit --no-fund --ignore-scripts "chrono-node@$version"
cat >probe.mjs <<'JS'
import { parse } from "chrono-node"
const now = new Date(2026, 2, 4, 10, 0)
for (const text of ["in an hour and a half", "in 1 hour and a half", "in one and a half hours", "in an hour and 30 minutes"]) {
  const [found] = parse(text, now)
  console.log(`${text}: ${found === undefined ? "nothing" : `"${found.text}", ${(found.start.date() - now) / 60_000} minutes`}`)
}
JS
seen=$(node probe.mjs)
echo "chrono-node $version"
echo "$seen"
expected='in an hour and a half: "in an hour", 60 minutes
in 1 hour and a half: "in 1 hour", 60 minutes
in one and a half hours: nothing
in an hour and 30 minutes: "in an hour and 30 minutes", 90 minutes'
if [ "$seen" != "$expected" ]; then
  echo "It has changed."
  exit 1
fi
