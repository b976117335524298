"""opai, the command line of OpenPAI."""
