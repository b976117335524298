"""Two trials of NNI in its OpenPAI mode; prints how each ended.

Called with a cluster's address, user and token, a folder, and a port for NNI's manager.
``FOLDER/code`` holds the trial; ``FOLDER/mnt`` stands for the storage that NNI's host and the
containers share.
"""

import json
import os
import sys

from nni.experiment import Experiment, launcher

# The attempts to reach its manager, one a second: on a loaded machine it starts slowly.
launcher._check_rest_server.__defaults__ = (120, None)

uri, user, token, folder, port = sys.argv[1:]
os.chdir(folder)
config = Experiment("openpai").config
config.experiment_working_directory = f"{folder}/experiments"
config.search_space = {"x": {"_type": "uniform", "_value": [0, 1]}}
config.trial_command = "python3 trial.py"
config.trial_code_directory = f"{folder}/code"
config.trial_concurrency = 1
config.max_trial_number = 2
config.trial_gpu_number = 0
config.tuner.name = "Random"
config.nni_manager_ip = "127.0.0.1"
service = config.training_service
service.host, service.username, service.token = uri, user, token
service.docker_image = "msranni/nni:latest"
service.trial_cpu_number = 1
service.trial_memory_size = "512MB"
service.virtual_cluster = "default"
service.storage_config_name = "team"
service.local_storage_mount_point = f"{folder}/mnt"
service.container_storage_mount_point = f"{folder}/mnt"
for attempt in range(10):
    # A tuner that needs more than ten seconds to start, on a loaded machine, is too late for NNI.
    experiment = Experiment(config)
    experiment.run(int(port) + 2 * attempt, wait_completion=True)
    trials = experiment.list_trial_jobs()
    begun = trials or experiment.get_status() != "ERROR"
    experiment.stop()
    if begun:
        break
print(json.dumps([[trial.status, trial.finalMetricData[0].data] for trial in trials]))
