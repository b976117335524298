"""Sources of a job: select, pack and upload them."""
