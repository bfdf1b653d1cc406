"""AWS's image that trains, by region.

PyTorch 2.13.0 as here, CUDA 13.3, Python 3.12; patched until 2027-07-20. From the changelog and the
support policy at https://aws.github.io/deep-learning-containers/; the accounts are those of the
SageMaker SDK's image_uri_config/pytorch-amzn2023.json.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import botocore.session

from model_training.jobs.cloud import JobError

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
    """The address of the image.

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
