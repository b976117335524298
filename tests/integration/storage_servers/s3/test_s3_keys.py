"""What a server that checks keys and rights refuses."""

from __future__ import annotations

import json

import pytest
from support.servers.moto import Moto

from openpai.core.errors import StorageError
from openpai.storage.testing.helpers import read, write

pytestmark = pytest.mark.xdist_group("moto-own")


@pytest.fixture(scope="module")
def moto(tmp_path_factory):
    """Return a server that no other test uses: whether it checks keys holds for all."""
    with Moto(tmp_path_factory.mktemp("moto")) as server:
        yield server


@pytest.fixture
def user(moto, bucket):
    """Return the keys of a user who may only read, on a server that looks at keys."""
    iam = moto.client("iam")
    iam.create_user(UserName=bucket)
    key = iam.create_access_key(UserName=bucket)["AccessKey"]
    rights = {"Effect": "Allow", "Action": ["s3:Get*", "s3:List*"], "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [rights]})
    iam.put_user_policy(UserName=bucket, PolicyName="reads", PolicyDocument=document)
    moto.client().put_object(Bucket=bucket, Key="file", Body=b"old")
    moto.check_keys(True)
    yield {"access_key": key["AccessKeyId"], "secret_key": key["SecretAccessKey"]}
    moto.check_keys(False)


def test_change_by_reading_user_is_refused(attached, user) -> None:
    """Who may only read reads, and every change is refused with the file's name."""
    storage = attached(**user)
    assert read(storage, "/file") == b"old"
    for act in (
        lambda: write(storage, "/file"),
        lambda: storage.mkdir("/d"),
        lambda: storage.delete("/file"),
        lambda: storage.begin_upload("/file", 20 << 20),
    ):
        with pytest.raises(PermissionError, match="'main:/"):
            act()
    assert read(storage, "/file") == b"old"


@pytest.mark.parametrize("wrong", [{"access_key": "nobody"}, {"secret_key": "very-wrong"}])
def test_wrong_keys_are_named(attached, user, wrong) -> None:
    """Keys that the server does not know are the reason, and in no message."""
    storage = attached(**{**user, **wrong})
    with pytest.raises(StorageError, match="does not accept the keys") as caught:
        list(storage.list("/"))
    shown = f"{caught.value!s} {caught.value!r} {storage!r}"
    assert "very-wrong" not in shown
    assert user["secret_key"] not in shown
