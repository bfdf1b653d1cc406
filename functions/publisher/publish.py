"""What the resource does: it puts site and model where they are served from, or clears up.

Each step can be repeated, and every function starts from the beginning: so a run that was cut off
at any point is finished by the next one.
"""

from __future__ import annotations

import hashlib
import secrets
from pathlib import Path
from typing import Any

from buckets import Bucket
from faults import BucketGoneError, log
from package import SiteFile, find_model, hash_site, read_site
from request import Publication
from stack import Stack

_ORIGIN_SECRET = "origin-secret"  # nosec B105  # pragma: allowlist secret


def publish(publication: Publication, stack: Stack, package: Path, client: Any) -> dict[str, str]:
    """Publish what the package carries in the stack's buckets; gives the resource's attributes.

    The website comes last: where its bucket is at fault, nothing that visitors see has changed.

    Raises:
        PublisherError: the package lacks something, or S3 refused or failed.
    """
    site = read_site(package)
    model = find_model(package, publication.model_name)
    models = Bucket(client, stack.model_bucket)
    is_new = models.put_once(model.key, model.path)
    # Made once and kept: with another one, what CloudFront sends and what the function knows would
    # be two things until both are deployed.
    secret = models.keep(_ORIGIN_SECRET, secrets.token_urlsafe(32))
    log("INFO", "model published", key=model.key, is_new=is_new)
    gone = publish_site(site, Bucket(client, stack.site_bucket))
    version = hash_site(site)
    serving = hashlib.sha256(f"{model.key}\0{publication.serving.settings}".encode())
    log("INFO", "site published", files=len(site), gone=gone, version=version)
    return {
        "ModelDataUrl": f"s3://{stack.model_bucket}/{model.key}",
        "SiteVersion": version,
        "ServingVersion": serving.hexdigest()[:16],
        "OriginSecret": secret,
        "OriginVersion": hashlib.sha256(secret.encode()).hexdigest()[:8],
    }


def publish_site(site: list[SiteFile], bucket: Bucket) -> int:
    """Make the bucket hold these files and no others; says how many others there were.

    ``site``: in the order of writing. What is gone goes last, so that a page that is being read
    finds what it names, in its old or its new form.
    """
    for file in site:
        bucket.put(file.key, file.content, file.content_type, file.cache_control)
    gone = sorted(set(bucket.list_keys()) - {file.key for file in site})
    bucket.delete(gone)
    return len(gone)


def clear_up(stack: Stack, client: Any) -> None:
    """Empty the stack's buckets, as CloudFormation deletes no bucket that holds something.

    Raises:
        PublisherError: S3 refused or failed.
    """
    for name in (stack.model_bucket, stack.site_bucket):
        try:
            count = Bucket(client, name).empty()
        except BucketGoneError:
            log("WARNING", "no such bucket, so nothing to empty", bucket=name)
        else:
            log("INFO", "bucket emptied", bucket=name, versions=count)
