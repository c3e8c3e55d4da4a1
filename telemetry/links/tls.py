"""TLS for links: our own certificate where we listen, a verified one where we call."""

import ssl

from telemetry.links.link import LinkContext
from telemetry.links.url import LinkKind, LinkUrl
from telemetry.model.errors import InputError

_NO_PASSPHRASE = ""  # so that an encrypted key is refused instead of asked for on the terminal


def tls_for(url: LinkUrl, context: LinkContext) -> ssl.SSLContext | None:
    """Return the TLS of a link, None for one in the clear.

    A listener shows the certificate of its options `cert` and `key`, else that of SKYBEAT_TLS_CERT and _KEY, and with `ca` asks
    its peers for one of that authority; a caller verifies its peer by `ca`, else by the system's authorities, and shows `cert`
    when it has one. Raises InputError.
    """
    if url.kind not in (LinkKind.TLS_IN, LinkKind.TLS_OUT, LinkKind.MQTTS):
        return None
    cert, key = url.options.get("cert"), url.options.get("key")
    if cert is None and url.kind is LinkKind.TLS_IN:
        cert = None if context.tls_cert is None else str(context.tls_cert)
        key = None if context.tls_key is None else str(context.tls_key)
        if cert is None:
            raise InputError(f"{url} has no certificate: set SKYBEAT_TLS_CERT and SKYBEAT_TLS_KEY, or ?cert=..&key=..")
    try:
        return _server(url, cert, key) if url.kind is LinkKind.TLS_IN else _client(url, cert, key)
    except (OSError, ValueError) as error:
        raise InputError(
            f"the certificate of {url} cannot be used ({error}): name PEM files without passphrase"
        ) from error


def _server(url: LinkUrl, cert: str | None, key: str | None) -> ssl.SSLContext:
    made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=url.options.get("ca"))
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    assert cert is not None
    made.load_cert_chain(cert, key, password=_NO_PASSPHRASE)
    if "ca" in url.options:
        made.verify_mode = ssl.CERT_REQUIRED
    return made


def _client(url: LinkUrl, cert: str | None, key: str | None) -> ssl.SSLContext:
    made = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=url.options.get("ca"))
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    if cert is not None:
        made.load_cert_chain(cert, key, password=_NO_PASSPHRASE)
    return made
