"""From a notebook to an OpenPAI job and back."""
