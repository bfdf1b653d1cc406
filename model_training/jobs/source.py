"""What a training job runs: AWS's image, and an archive of the source that training needs."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session

import review_text
from model_training.jobs.cloud import JobError

ENTRY = "train_job.py"
_PACKAGE = Path(__file__).parents[1]
_LOCK = _PACKAGE.parent / "requirements" / "job.txt"
_ROOMS = ("recipes", "corpus", "networks", "evaluation", "training")


def pack_source() -> tuple[str, bytes]:
    """Give name and content of the archive: equal content, equal bytes, equal name."""
    files = {f"model_training/{file.name}": file for file in _PACKAGE.glob("*.py")}
    for room in _ROOMS:
        found = [file for kind in ("*.py", "*.toml") for file in (_PACKAGE / room).glob(kind)]
        files |= {f"model_training/{room}/{file.name}": file for file in found}
    words = Path(review_text.__file__).parent
    files |= {f"review_text/{f.name}": f for f in words.iterdir() if f.suffix in (".py", ".txt")}
    files[ENTRY] = Path(__file__).with_name(ENTRY)
    contents = {name: file.read_bytes() for name, file in files.items()}
    contents["requirements.txt"] = requirements()
    raw = io.BytesIO()
    with (
        gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w") as archive,
    ):
        for name, content in sorted(contents.items()):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o644
            archive.addfile(entry, io.BytesIO(content))
    packed = raw.getvalue()
    return f"source-{hashlib.sha256(packed).hexdigest()[:16]}.tar.gz", packed


def requirements(lock: Path = _LOCK) -> bytes:
    """Give what the job installs: files with these hashes, beside the image's own PyTorch and
    numpy.

    Raises:
        JobError: the lock is not there.
    """
    try:
        return lock.read_bytes()
    except OSError as error:
        raise JobError(f"{lock}: {error}; start jobs from a copy of the project") from error


_TAG = "2.13-{device}-amzn2023-sagemaker"
_ACCOUNT = "763104351884"
_REGIONS = {
    *("ap-northeast-1", "ap-northeast-2", "ap-south-1", "ap-southeast-1", "ap-southeast-2"),
    *("ca-central-1", "eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3"),
    *("sa-east-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2"),
}
# Elsewhere it is in another account.
_ACCOUNTS = dict.fromkeys(_REGIONS, _ACCOUNT) | {
    "af-south-1": "626614931356",
    "ap-east-1": "871362719292",
    "ap-east-2": "975050140332",
    "ap-northeast-3": "364406365360",
    "ap-south-2": "772153158452",
    "ap-southeast-3": "907027046896",
    "ap-southeast-4": "457447274322",
    "ap-southeast-5": "550225433462",
    "ap-southeast-6": "633930458069",
    "ap-southeast-7": "590183813437",
    "ca-west-1": "204538143572",
    "cn-north-1": "727897471807",
    "cn-northwest-1": "727897471807",
    "eu-central-2": "380420809688",
    "eu-isoe-west-1": "371248457586",
    "eu-south-1": "692866216735",
    "eu-south-2": "503227376785",
    "eusc-de-east-1": "204133271717",
    "il-central-1": "780543022126",
    "me-central-1": "914824155844",
    "me-south-1": "217643126080",
    "me-west-1": "124382933778",
    "mx-central-1": "637423239942",
    "us-gov-east-1": "446045086412",
    "us-gov-west-1": "442386744353",
    "us-iso-east-1": "886529160074",
    "us-isob-east-1": "094389454867",
    "us-isof-east-1": "303241398832",
    "us-isof-south-1": "454834333376",
}


def training_image(region: str, has_gpu: bool) -> str:
    """Give the address of the image.

    Raises:
        JobError: AWS has none in that region.
    """
    if region not in _ACCOUNTS:
        raise JobError(f"AWS has no PyTorch image in {region!r}: pass one of your own with --image")
    tag = _TAG.format(device="cu133" if has_gpu else "cpu")
    return f"{_ACCOUNTS[region]}.dkr.ecr.{region}.{_suffix(region)}/pytorch:{tag}"


def _suffix(region: str) -> str:
    """The domain of the region's partition, such as amazonaws.com."""
    session = botocore.session.get_session()
    name = session.get_partition_for_region(region)
    return next(str(p["outputs"]["dnsSuffix"]) for p in _partitions() if p["id"] == name)


@cache
def _partitions() -> list[dict[str, Any]]:
    loader = botocore.session.get_session().get_component("data_loader")
    partitions: list[dict[str, Any]] = loader.load_data("partitions")["partitions"]
    return partitions
