"""moto's AWS at an address, for programs in other processes, which it can have killed on the way.

A transform job is done as soon as it is asked for, by ``transform``.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
from botocore.awsrequest import AWSPreparedRequest, HTTPHeaders
from moto import mock_aws
from moto.core.models import botocore_stubber

REGION = "us-east-1"
BUCKET = "our-bucket"


@dataclass(frozen=True)
class Request:
    """The moment of a request at which the program that sent it is killed."""

    number: int
    """From 1 on."""
    carried_out: bool


@dataclass
class AwsServer:
    """What was asked, and who is to be killed when."""

    s3: Any
    """A client for tests."""
    transform: Callable[[dict[str, Any]], None]
    url: str = ""
    carried_out: list[str] = field(default_factory=list)
    """Operations, such as "PUT /our-bucket/key" or "SageMaker.CreateTransformJob"."""
    asked: int = 0
    killed_at: Request | None = None
    kill: Callable[[], None] = lambda: None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def environment(self) -> dict[str, str]:
        """With which a program finds this AWS and no other."""
        keys = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
        return keys | {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        }

    def watch(self, moment: Request | None) -> None:
        """Begin to count anew, for a program that ``kill`` kills at that moment."""
        self.asked, self.killed_at = 0, moment
        self.carried_out.clear()

    def answer(self, method: str, path: str, headers: HTTPHeaders, body: bytes) -> Any:
        """Status, headers and body; None where nobody is there any more to read them."""
        self.asked += 1
        moment = self.killed_at if self.killed_at and self.killed_at.number == self.asked else None
        if moment and not moment.carried_out:
            self.kill()
            return None
        target = headers.get("X-Amz-Target", "")
        host = "api.sagemaker" if target else "s3"
        request = AWSPreparedRequest(
            method, f"https://{host}.{REGION}.amazonaws.com{path}", headers, body, False
        )
        answer = botocore_stubber.process_request(request)
        self.carried_out.append(target or f"{method} {path}")
        if target == "SageMaker.CreateTransformJob":
            self.transform(json.loads(body))
        if moment:
            self.kill()
            return None
        return answer


@contextlib.contextmanager
def aws_server(transform: Callable[[Any, dict[str, Any]], None]) -> Iterator[AwsServer]:
    """AWS, while the block runs. ``transform`` takes a client for S3 and a job's request."""
    with mock_aws():
        s3 = boto3.client("s3", REGION)
        s3.create_bucket(Bucket=BUCKET)
        aws = AwsServer(s3, lambda request: transform(s3, request))
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(aws))
        server.daemon_threads = True
        aws.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield aws
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def _handler(aws: AwsServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            headers = HTTPHeaders()
            for name, value in self.headers.items():
                headers[name] = value
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            with aws.lock:
                answer = aws.answer(self.command, self.path, headers, body)
            if answer is None:
                self.close_connection = True
                return
            status, given, content = answer
            content = content.encode() if isinstance(content, str) else content
            with contextlib.suppress(ConnectionError):
                self.send_response(status)
                for name, value in given.items():
                    if name.lower() not in ("content-length", "connection", "transfer-encoding"):
                        self.send_header(name, str(value))
                known = {name.lower(): value for name, value in given.items()}
                length = known.get("content-length") if self.command == "HEAD" else len(content)
                self.send_header("Content-Length", str(length or 0))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content)

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_any

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

    return Handler
