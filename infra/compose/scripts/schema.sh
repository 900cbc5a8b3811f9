#!/bin/sh
# The two databases of the server, made where missing and brought to this version.
set -eu
for database in temporal temporal_visibility; do
  case $database in temporal) folder=temporal ;; *) folder=visibility ;; esac
  tool="temporal-sql-tool --plugin postgres12 --ep postgresql --port 5432 --user temporal --db $database"
  $tool create
  $tool setup-schema --version 0.0
  $tool update-schema --schema-dir "/etc/temporal/schema/postgresql/v12/$folder/versioned"
done
