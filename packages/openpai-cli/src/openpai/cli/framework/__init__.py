"""The application behind the commands: options, groups, errors, completion."""
