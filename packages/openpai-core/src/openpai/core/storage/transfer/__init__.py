"""Copy trees between storages: plan, execute, resume, verify."""
