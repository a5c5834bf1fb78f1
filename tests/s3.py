"""A real S3 server on the loopback, and buckets in it; `pytest_plugins = ["tests.s3"]`."""

from __future__ import annotations

import itertools
import logging
import os
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
import s3fs
from moto.server import ThreadedMotoServer

from moseg.core.remote.mirror import Mirror

_NUMBERS = itertools.count()


class Bucket:
    """A bucket as another program sees it."""

    def __init__(self, endpoint: str, name: str) -> None:
        self.name = name
        self.url = f"s3://{name}"
        self.client = boto3.client("s3", endpoint_url=endpoint)
        self.client.create_bucket(Bucket=name)

    def put(self, key: str, content: str | bytes) -> str:
        """Write an object and return its URL."""
        body = content.encode() if isinstance(content, str) else content
        self.client.put_object(Bucket=self.name, Key=key, Body=body)
        return f"{self.url}/{key}"

    def get(self, key: str) -> bytes:
        """Return the content of an object."""
        return self.client.get_object(Bucket=self.name, Key=key)["Body"].read()

    def delete(self, key: str) -> None:
        """Delete an object."""
        self.client.delete_object(Bucket=self.name, Key=key)

    def tree(self, prefix: str = "") -> dict[str, bytes]:
        """Return the content of all objects below a prefix, by what follows it."""
        pages = self.client.get_paginator("list_objects_v2").paginate(
            Bucket=self.name, Prefix=prefix
        )
        keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
        return {key.removeprefix(prefix): self.get(key) for key in keys}


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """Start a server; the environment leads this process and its children there."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        patch.setenv("AWS_ENDPOINT_URL", endpoint)
        patch.setenv("AWS_ACCESS_KEY_ID", "somebody")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.setenv("AWS_CONFIG_FILE", os.devnull)
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
        patch.setenv("NO_PROXY", "127.0.0.1")
        patch.setenv("no_proxy", "127.0.0.1")
        s3fs.S3FileSystem.clear_instance_cache()
        yield endpoint
    s3fs.S3FileSystem.clear_instance_cache()
    server.stop()


@pytest.fixture
def bucket(s3_endpoint: str) -> Bucket:
    """A bucket of this test alone."""
    return Bucket(s3_endpoint, f"bucket-{next(_NUMBERS)}")


@pytest.fixture
def fresh_client() -> Iterator[None]:
    """The test may change the environment that s3fs reads; nobody else sees that."""
    s3fs.S3FileSystem.clear_instance_cache()
    yield
    s3fs.S3FileSystem.clear_instance_cache()


@pytest.fixture
def mirror(tmp_path: Path) -> Mirror:
    """A machine with its scratch disk."""
    return Mirror(tmp_path / "scratch")


@pytest.fixture
def other(tmp_path: Path) -> Mirror:
    """Another machine, whose scratch disk is empty."""
    return Mirror(tmp_path / "other")


@pytest.fixture
def video(bucket: Bucket) -> Bucket:
    """A bucket with an input for toy stages."""
    bucket.put("in/a.mp4", "3")
    return bucket
