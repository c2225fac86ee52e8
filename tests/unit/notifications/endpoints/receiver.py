"""A subscriber's endpoint on this machine, with responses that a test sets."""

import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


@dataclass
class Request:
    path: str
    headers: Mapping[str, str]
    body: bytes
    sender: tuple[str, int]
    """Address and port of the caller's end of the connection."""


@dataclass
class Receiver:
    """Its response to every request, and the requests that it got."""

    port: int = 0
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes = b"thanks"
    interim: tuple[int, ...] = ()
    """Statuses of interim responses that it sends before its answer."""
    hang_before: str = ""
    """``status`` or ``content``: where it stops until the test is over."""
    keeps_alive: bool = False
    """Whether one connection may carry several requests."""
    dribbles: str = ""
    """``header``, ``content`` or ``content without a length``: what comes bit by bit, for ever."""
    requests: list[Request] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)
    left: threading.Event = field(default_factory=threading.Event)
    """Set when the caller has hung up before everything was sent."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks/orders?key=secret-in-the-url"


@contextmanager
def receiving(certificate: Path | None = None, **answers: Any) -> Iterator[Receiver]:
    """A receiver that listens on 127.0.0.1, with TLS if it has a certificate."""
    receiver = Receiver(**answers)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(receiver))
    server.daemon_threads = True
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield receiver
    finally:
        receiver.over.set()
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1" if receiver.keeps_alive else "HTTP/1.0"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            lowered = {name.lower(): value for name, value in self.headers.items()}
            receiver.requests.append(Request(self.path, lowered, body, self.client_address))
            if receiver.dribbles:
                self._dribble()
                return
            if receiver.hang_before == "status":
                receiver.over.wait(20)
                return
            for status in receiver.interim:
                self.wfile.write(b"HTTP/1.1 %d Interim\r\nretry-after: 99\r\n\r\n" % status)
            self.send_response(receiver.status)
            for name, value in receiver.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(receiver.content)))
            self.end_headers()
            self.wfile.flush()
            if receiver.hang_before == "content":
                receiver.over.wait(20)
                return
            try:
                self.wfile.write(receiver.content)
            except OSError:
                receiver.left.set()

        def _dribble(self) -> None:
            try:
                self.wfile.write(_BEGUN[receiver.dribbles])
                while not receiver.over.wait(0.02):
                    self.wfile.write(b"a")
            except OSError:
                receiver.left.set()

        def log_message(self, *args: object) -> None:
            return

    return Handler


_BEGUN = {
    "header": b"HTTP/1.1 200 OK\r\nx-long: ",
    "content": b"HTTP/1.1 200 OK\r\ncontent-length: 60000\r\n\r\n",
    "content without a length": b"HTTP/1.1 200 OK\r\n\r\n",
}


def make_certificate(path: Path, *names: str, days: int = 1) -> Path:
    """A self-signed certificate for these names, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=2))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([_name(one) for one in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path


def _name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(text))
    except ValueError:
        return x509.DNSName(text)
