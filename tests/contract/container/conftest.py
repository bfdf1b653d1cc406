"""The image that all others are built by."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from tests.contract.container.engine import BASE_IMAGE, docker, download_wheels, has
from tests.needs import need


@pytest.fixture(scope="session")
def build_image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An image with pip that finds the wheels in itself."""
    need(has("info"), "there is no Docker engine")
    need(has("image", "inspect", BASE_IMAGE), f"the image {BASE_IMAGE} is not here")
    context = tmp_path_factory.mktemp("build-image")
    need(download_wheels(context / "wheels"), "pip cannot download the image's wheels")
    pip = next((context / "wheels").glob("pip-*.whl")).name
    (context / "Dockerfile").write_text(
        f"FROM {BASE_IMAGE}\nCOPY wheels /wheels\n"
        f"ENV PYTHONPATH=/wheels/{pip} PIP_NO_INDEX=1 PIP_FIND_LINKS=/wheels\n"
    )
    name = f"reeltone-test-build-{uuid.uuid4().hex[:8]}"
    docker("build", "--quiet", "--tag", name, str(context))
    yield name
    docker("image", "rm", name)
