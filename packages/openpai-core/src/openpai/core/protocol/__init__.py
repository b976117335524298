"""PAI's job protocol: what a job may say, what the server makes of it, and what each task runs."""
