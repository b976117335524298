"""A fresh login for every request, because among the requests are logouts."""

import os

import requests
import schemathesis


@schemathesis.auth(refresh_interval=None)
class Login:
    """A user token, as the file's basicLogin gives it."""

    def get(self, case, context):
        """Log in."""
        answer = requests.post(
            os.environ["STRANGERS_LOGIN"],
            json={
                "username": os.environ["STRANGERS_USER"],
                "password": os.environ["STRANGERS_PASSWORD"],
            },
            timeout=120,
        )
        return answer.json()["token"]

    def set(self, case, data, context):
        """Send it as the file says."""
        case.headers = case.headers or {}
        case.headers["Authorization"] = f"Bearer {data}"
