"""Which URLs and addresses are called: an endpoint is no way into what only we can reach."""

import pytest

from milepost.notifications.endpoints.addresses import (
    Refused,
    check_addresses,
    kind_of_refused,
    read_url,
)

ANY = "0.0.0.0"  # noqa: S104 - nothing is bound to it


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("127.0.0.1", "loopback"),
        ("127.255.255.254", "loopback"),
        ("::1", "loopback"),
        ("::ffff:127.0.0.1", "loopback"),
        ("::ffff:7f00:1", "loopback"),
        ("10.0.0.1", "private"),
        ("172.16.0.1", "private"),
        ("172.31.255.255", "private"),
        ("192.168.1.1", "private"),
        ("::ffff:10.0.0.1", "private"),
        ("fc00::1", "private"),
        ("fd12:3456:789a::1", "private"),
        ("fec0::1", "private"),
        ("169.254.169.254", "metadata"),
        ("::ffff:169.254.169.254", "metadata"),
        ("fd00:ec2::254", "metadata"),
        ("169.254.170.2", "link-local"),
        ("169.254.100.1", "link-local"),
        ("fe80::1", "link-local"),
        ("fe80::1%eth0", "link-local"),
        ("100.64.0.1", "shared"),
        ("100.100.100.200", "shared"),
        ("224.0.0.1", "multicast"),
        ("239.255.255.255", "multicast"),
        ("ff02::1", "multicast"),
        (ANY, "reserved"),
        ("255.255.255.255", "reserved"),
        ("240.0.0.1", "reserved"),
        ("192.0.0.8", "reserved"),
        ("192.0.2.1", "reserved"),
        ("198.18.0.1", "reserved"),
        ("198.51.100.1", "reserved"),
        ("203.0.113.1", "reserved"),
        ("::", "reserved"),
        ("::127.0.0.1", "reserved"),
        ("64:ff9b::7f00:1", "reserved"),
        ("64:ff9b:1::a00:1", "reserved"),
        ("2001::1", "reserved"),
        ("2001:db8::1", "reserved"),
        ("2002:7f00:1::", "reserved"),
        ("3fff::1", "reserved"),
        ("100::1", "reserved"),
        ("not an address", "unreadable"),
    ],
)
def test_an_address_that_is_not_of_the_public_internet_is_refused(address: str, kind: str) -> None:
    assert kind_of_refused(address) == kind
    with pytest.raises(Refused, match=f"^refused: {kind} address$"):
        check_addresses([address], allow_private=False)


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "172.15.255.255", "172.32.0.1", "100.63.0.1", "100.128.0.1", "169.253.1.1",
     "223.255.255.255", "::ffff:8.8.8.8", "2a00:1450:4001:82b::200e", "2606:4700::6810:84e5"],
)  # fmt: skip
def test_an_address_of_the_public_internet_is_called(address: str) -> None:
    assert check_addresses([address], allow_private=False) == [address]


def test_one_private_address_among_public_ones_refuses_the_host() -> None:
    with pytest.raises(Refused, match="private address"):
        check_addresses(["8.8.8.8", "10.0.0.1"], allow_private=False)


def test_a_name_without_an_address_is_refused() -> None:
    with pytest.raises(Refused):
        check_addresses([], allow_private=False)


def test_ipv4_is_tried_first_and_each_address_once() -> None:
    found = ["2606:4700::1", "8.8.8.8", "8.8.4.4", "8.8.8.8"]
    tried = check_addresses(found, allow_private=False)
    assert tried == ["8.8.8.8", "8.8.4.4", "2606:4700::1"]


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "192.168.1.7", "10.1.2.3", "fd12::1"])
def test_the_local_stack_calls_private_addresses(address: str) -> None:
    assert check_addresses([address], allow_private=True) == [address]


@pytest.mark.parametrize(
    "address",
    ["169.254.169.254", "fd00:ec2::254", "169.254.170.2", "fe80::1", "224.0.0.1", ANY],
)
def test_even_the_local_stack_calls_no_metadata_service(address: str) -> None:
    with pytest.raises(Refused):
        check_addresses([address], allow_private=True)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://hooks.example.com/", "not https"),
        ("HTTP://hooks.example.com/", "not https"),
        ("ftp://hooks.example.com/", "not https"),
        ("file:///etc/passwd", "not https"),
        ("//hooks.example.com/", "not https"),
        ("hooks.example.com", "not https"),
        ("", "not https"),
        ("https://", "not a URL"),
        ("https:///path", "not a URL"),
        ("https://host:0/", "not a URL"),
        ("https://host:99999/", "not a URL"),
        ("https://host:port/", "not a URL"),
        ("https://[::1", "not a URL"),
        ("https://a..b/", "not a URL"),
        ("https://.hooks.example/", "not a URL"),
        ("https://hooks.example../", "not a URL"),
        ("https://./", "not a URL"),
        ("https://-hooks.example/", "not a URL"),
        ("https://hooks-.example/", "not a URL"),
        ("https://hooks!.example/", "not a URL"),
        ("https://hooks.example,other.example/", "not a URL"),
        ("https://*.example/", "not a URL"),
        (f"https://{'a' * 64}.example/", "not a URL"),
        (f"https://{'abcdefghi.' * 25}example/", "not a URL"),
        ("https://[1.2.3.4]/", "not a URL"),
        ("https://[v1.a]/", "not a URL"),
        ("https://[fe80::1%25eth0]/", "not a URL"),
        ("https://host/\r\nx-header: 1", "not a URL"),
        ("https://host/a b", "not a URL"),
        ("https://ho\tst/", "not a URL"),
        ("https://good.example\\@bad.example/", "not a URL"),
        ("https://b\u00fccher.example/", "not a URL"),
        ("https://127.0.0.1%2f@good.example/", "a user name or password in the URL"),
        ("https://user:word@hooks.example.com/", "a user name or password in the URL"),
        ("https://hooks.example.com/" + "a" * 2048, "not a URL"),
    ],
)
def test_what_is_not_one_plain_https_url_is_refused(url: str, why: str) -> None:
    with pytest.raises(Refused, match=f"^refused: {why}$"):
        read_url(url, allow_private=False)


def test_a_refusal_does_not_repeat_the_url() -> None:
    with pytest.raises(Refused) as caught:
        read_url("http://hooks.example.com/?key=secret", allow_private=False)
    assert "hooks" not in str(caught.value)


def test_a_url_is_taken_apart_as_it_will_be_requested() -> None:
    target = read_url("https://hooks.example.com:8443/a/b?key=1#part", allow_private=False)
    assert (target.host, target.port, target.path) == ("hooks.example.com", 8443, "/a/b?key=1")
    assert read_url("https://[2606:4700::1]", allow_private=False).host == "2606:4700::1"
    assert read_url("https://example.com?a=1", allow_private=False).path == "/?a=1"
    for host in ("XN--BCHER-KVA.example", "a_b.c--d.example", "1.example.", f"{'a' * 63}.example"):
        assert read_url(f"https://{host}/", allow_private=False).host == host.lower()


@pytest.mark.parametrize(
    ("url", "port"),
    [
        ("https://hooks.example.com", 443),
        ("https://hooks.example.com/a", 443),
        ("https://hooks.example.com:/a", 443),
        ("https://hooks.example.com:443/a", 443),
        ("https://hooks.example.com:80/a", 80),
        ("HTTPS://hooks.example.com/a", 443),
        ("https://[2606:4700::1]/a", 443),
        ("https://hooks.example.com?port=80", 443),
        ("http://hooks.example.com/a", 80),
        ("http://hooks.example.com:443/a", 443),
        ("http://[::1]", 80),
    ],
)
def test_without_a_port_a_call_goes_to_the_usual_one_of_its_scheme(url: str, port: int) -> None:
    target = read_url(url, allow_private=True)
    assert (target.port, target.is_tls) == (port, url.lower().startswith("https"))


def test_only_the_local_stack_calls_without_tls() -> None:
    target = read_url("http://localhost:9000/", allow_private=True)
    assert (target.is_tls, target.port) == (False, 9000)
