"""Sends one signed sample to a running endpoint of webhooks, and says what its answer means."""

import base64
import hashlib
import hmac
import ipaddress
import json
from urllib.parse import urlsplit

import requests
from attrs import frozen

from sesame_retail.webhooks.app import secret_variable, secrets_from_environment
from sesame_retail.webhooks.processor import PLATFORMS
from sesame_sdk import ConfigurationError, RetryableError

#: Seconds until a check gives up.
TIMEOUT = 10.0
#: An order that changes nothing at an endpoint: a test on Shopify, and a topic without orders on WooCommerce.
_SAMPLES = {
    "/shopify": ({"X-Shopify-Topic": "orders/updated", "X-Shopify-Test": "true"}, {"id": 1, "test": True}),
    "/woocommerce": ({"X-WC-Webhook-Topic": "sesame.check"}, {"id": 1}),
}
_SIGNATURES = {"/shopify": "X-Shopify-Hmac-Sha256", "/woocommerce": "X-WC-Webhook-Signature"}
_HINTS = {
    401: "the endpoint has another secret: compare {variable} here and there",
    404: "nothing is served at this path, or without a secret: check the path and {variable}",
    405: "something else answers at this path: check what the proxy before the endpoint serves there",
    413: "a proxy before the endpoint limits bodies to less than this sample",
    503: "the outbox is full, or its disk: see the endpoint's log, and run: sesame outbox deliver",
}


@frozen
class CheckResult:
    """What an endpoint answered to a signed sample; `hint` is empty if all is well."""

    status: int
    hint: str


def check_endpoint(url: str) -> CheckResult:
    """Send one signed sample to an endpoint.

    Raises:
        ConfigurationError: the URL is no endpoint's, or there is no secret for it.
        RetryableError: there was no answer.
    """
    path = f"/{urlsplit(url).path.rstrip('/').rpartition('/')[2]}"
    if path not in PLATFORMS or urlsplit(url).scheme not in {"http", "https"}:
        raise ConfigurationError(f"must end in {' or '.join(PLATFORMS)}", field="URL")
    secrets, variable = secrets_from_environment().get(path), secret_variable(path)
    if not secrets:
        raise ConfigurationError("is not set", field=variable, hint="set it as for the endpoint")
    sample, payload = _SAMPLES[path]
    headers: dict[str, str] = dict(sample)
    body = json.dumps(payload).encode()
    signature = base64.b64encode(hmac.digest(secrets[0].encode(), body, hashlib.sha256)).decode()
    headers |= {_SIGNATURES[path]: signature, "Content-Type": "application/json"}
    status = _post(url, body, headers)
    if status == requests.codes.ok:
        return CheckResult(status, "")
    hint = _HINTS.get(status, "not an answer of this program: check the proxy before the endpoint")
    return CheckResult(status, hint.format(variable=variable))


def _post(url: str, body: bytes, headers: dict[str, str]) -> int:
    with requests.Session() as session:
        session.trust_env = not _is_loopback(urlsplit(url).hostname or "")  # no proxy reaches this machine
        try:
            answer = session.post(url, data=body, headers=headers, timeout=TIMEOUT, allow_redirects=False)
        except requests.RequestException as error:
            hint = "check that it runs, its name, its port and its certificate"
            raise RetryableError(f"no answer: {type(error).__name__}", field=url, hint=hint) from error
    return answer.status_code


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
