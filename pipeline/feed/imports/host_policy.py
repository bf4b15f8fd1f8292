"""Which hosts an import may connect to: public ones only. A feed is untrusted, and its URLs may point into a private network."""

from __future__ import annotations

import ipaddress
import socket

from pipeline.model import CauserieError, terminal_safe

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


def is_public(text: str) -> bool:
    """Whether an IP address is one of the public Internet; an IPv4 address inside an IPv6 one counts as itself."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return all(_is_public(each) for each in (address, *_embedded_ipv4(address)))


def _is_public(address: _IPAddress) -> bool:
    special = address.is_multicast or address.is_reserved or address.is_loopback or address.is_link_local or address.is_unspecified
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return True  # the embedded IPv4 address decides
        special = special or address.is_site_local
        if address in _NAT64:
            return True
    return address.is_global and not special


def _embedded_ipv4(address: _IPAddress) -> tuple[_IPAddress, ...]:
    """The IPv4 addresses that an IPv6 address stands for: mapped, 6to4, Teredo's server and client, NAT64."""
    if isinstance(address, ipaddress.IPv4Address):
        return ()
    embedded = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in _NAT64:
        embedded.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return tuple(filter(None, embedded))


def resolve_host(host: str, port: int, allow_private: bool) -> str:
    """The IP address to connect to; the name is resolved once, so that DNS cannot change between the check and the connection.

    Raises `CauserieError` when the name is unknown, or when one of its addresses is not public and `allow_private` is false.
    """
    try:
        rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise CauserieError("has no IP address", terminal_safe(host)[:100], "check the URL and your Internet connection") from error
    addresses = [str(row[4][0]) for row in rows]
    private = [] if allow_private else [each for each in addresses if not is_public(each)]
    if private or not addresses:
        where = f"{host} ({private[0]})" if private and private[0] != host else host
        raise CauserieError("is not on the public Internet", terminal_safe(where)[:200], "use --allow-private if you trust this feed")
    return addresses[0]
