#!/usr/bin/env bash
# The main job, end to end: a local cluster, a training job in three tasks, its log, its outputs.
# Everything happens in a temporary folder, which is removed at the end.
set -euo pipefail
cd "$(dirname "$0")"

folder=$(mktemp -d)
export OPENPAI_HOME="$folder/home"
clean_up() {
  if [ -e "$OPENPAI_HOME/local" ]; then opai local down --stop-jobs >"$folder/down.log" 2>&1 || cat "$folder/down.log"; fi
  rm -rf "$folder"
}
trap clean_up EXIT

show() {
  printf '\n\033[1m$ %s\033[0m\n' "$*"
  "$@"
}

show opai local up
show opai job submit --config job.yaml --src train.py --follow
show opai job wait digits
show opai job list
show opai job status digits
show opai output download digits "$folder/outputs"
show opai job sub --image python:3.11 --name hello --follow -- python -c 'print("hello from a job")'
show opai local down

printf '\nThe model recognizes %s of the digits that it has never seen.\n' \
  "$(python -c 'import json, sys; print("{:.1%}".format(json.load(open(sys.argv[1]))["accuracy"]))' "$(find "$folder/outputs" -name metrics.json)")"
echo "All that this left behind are the environments in .venv and .hatch."
