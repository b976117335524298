"""Start a local cluster, let NNI tune on it, and print how the trials and NNI's own job ended.

python nni_on_local_cluster.py PYTHON_THAT_HAS_NNI FOLDER
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from openpai.core import Cluster
from openpai.core.local import LocalCluster

python, folder = sys.argv[1:]
# The trial's own `python3` must have NNI: on a real cluster the image has it.
os.environ["PATH"] = f"{Path(python).parent}{os.pathsep}{os.environ['PATH']}"
with LocalCluster(user="alice", storages={"team": f"{folder}/mnt"}) as cluster:
    script = str(Path(__file__).with_name("nni_experiment.py"))
    words = [cluster.uri, cluster.user, cluster.token, folder, "18180"]
    done = subprocess.run([python, script, *words], stdout=subprocess.PIPE, text=True, check=True)
    with Cluster(cluster.uri, user=cluster.user, token=cluster.token) as pai:
        states = [pai.job(job.name).wait(timeout=60).state for job in pai.jobs()]
print(json.dumps({"trials": json.loads(done.stdout.splitlines()[-1]), "jobs": states}))
