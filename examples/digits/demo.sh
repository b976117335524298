#!/usr/bin/env bash
# The main job, end to end: a local cluster, a training job in three tasks, its log, its outputs.
# Everything happens in a temporary folder, which is removed at the end.
set -euo pipefail
cd "$(dirname "$0")"

folder=$(mktemp -d)
export OPENPAI_HOME="$folder/home"
up=no
clean_up() {
  if [ "$up" = yes ]; then opai local down --stop-jobs; fi
  rm -rf "$folder"
}
trap clean_up EXIT

show() {
  printf '\n$ %s\n' "${*@Q}" | sed "s/'\([A-Za-z0-9_./:=+-]*\)'/\1/g"
  "$@"
}

show opai local up --cpus 4
up=yes
show opai job submit --config job.yaml --src train.py --follow
show opai job wait digits
show opai job list
show opai job status digits
show opai output download digits --to "$folder/outputs"
show opai job sub --image python:3.11 --name hello --follow -- python -c 'print("hello from a job")'
show opai local down
up=no

echo
python - "$folder"/outputs/master/0/metrics.json <<'PYTHON'
import json, sys

accuracy = json.load(open(sys.argv[1]))["accuracy"]
print(f"The model recognizes {accuracy:.1%} of the digits that it has never seen.")
PYTHON
echo "All that this left behind are the environments in .venv and .hatch."
