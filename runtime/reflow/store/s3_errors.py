"""What a server's refusal means, in words, and whether trying again may help."""

from __future__ import annotations

from reflow.store.s3_url import S3Address
from reflow.values.errors import NotFound, ReflowError, StoreRefused, StoreUnreachable, StoreUnsuitable

RETRIED = frozenset({408, 429, 500, 502, 503, 504})  # statuses
_REFUSED = {
    "InvalidAccessKeyId": "it doesn't know the access key. Check AWS_ACCESS_KEY_ID"
    " (in a cluster: accessKey in the Secret)",
    "SignatureDoesNotMatch": "the secret key is wrong. Check AWS_SECRET_ACCESS_KEY"
    " (in a cluster: secretKey in the Secret)",
    "ExpiredToken": "the temporary keys have expired. Get new ones",
    "InvalidToken": "the session token isn't valid. Check AWS_SESSION_TOKEN",
    "AccessDenied": "the access key may not do this."
    " Allow it to list, get, put and delete below the store's prefix",
    "AllAccessDisabled": "all access to the bucket is disabled",
    "AccountProblem": "there is a problem with the account",
    "AuthorizationHeaderMalformed": "the region is wrong. Name the bucket's own: …?region=…",
    "XMinioStorageFull": "its disk is full. Free some space there, then try again or resume",
    "QuotaExceeded": "the bucket's quota is used up. Free some space in it, then try again or resume",
    "XMinioAdminBucketQuotaExceeded": "the bucket's quota is used up. Free some space in it, then try again or resume",
    "RequestTimeTooSkewed": "the clock of this machine is wrong. Set it",
}


def explain(address: S3Address, status: int, code: str, message: str, what: str) -> ReflowError:
    """The error for an answer that isn't success. `what`: the request in words, such as `GET
    Flow/runs/1/end`.
    """
    where = f"The store {address.url}"
    if code == "NoSuchBucket":
        return StoreRefused(
            f"{where} can't be used: there is no bucket {address.bucket}. Make it, or name another one."
        )
    if status == 404:
        return NotFound(f"{where} has no such object ({what}).")
    if code in _REFUSED or status in (401, 403):
        why = _REFUSED.get(code, f"it refused the key ({code or status}: {message})")
        return StoreRefused(f"{where} can't be used: {why}.")
    if code in ("NotImplemented", "MethodNotAllowed") or status == 501:
        return unsuitable(address)
    if status in RETRIED:
        return StoreUnreachable(f"{where} is busy or in trouble ({status} {code}; {what}). Try again later.")
    detail = f"{status} {code}: {message}".strip(": ")
    return StoreRefused(f"{where} refused a request ({what}): {detail}.")


def unreachable(address: S3Address, error: BaseException) -> StoreUnreachable:
    """The server gave no answer."""
    server = address.endpoint or f"Amazon S3 in {address.region}"
    reason = str(error) or type(error).__name__
    return StoreUnreachable(
        f"The store {address.url} can't be reached: {server} gives no answer ({reason})."
        " Check the address and the network, or that the server runs."
    )


def unsuitable(address: S3Address) -> StoreUnsuitable:
    """The server has no put that fails where an object is there already."""
    return StoreUnsuitable(
        f"The store {address.url} can't be used: its server doesn't honour If-None-Match on a put, so a second"
        " writer could replace a task's result. Use one that has conditional writes, such as Amazon S3"
        " or MinIO."
    )


def no_keys(address: S3Address) -> StoreRefused:
    """Nothing says with which keys to sign."""
    return StoreRefused(
        f"The store {address.url} needs an access key, and none is set."
        " Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
    )
