"""What `helm test` runs: the operator answers, and the API server serves Reflow's kinds. Addresses only, no names."""

import json
import os
import ssl
import sys
import urllib.error
import urllib.request

ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"


def address(prefix):
    host, port = os.environ[prefix + "_SERVICE_HOST"], os.environ[prefix + "_SERVICE_PORT"]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def get(url, token=None, context=None):
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"} if token else {})
    try:
        with urllib.request.urlopen(request, timeout=10, context=context) as answer:
            return answer.read()
    except urllib.error.HTTPError as error:
        sys.exit(f"{url} answers {error.code}: {error.read(500)!r}")
    except OSError as error:
        sys.exit(f"{url} can't be reached: {error}")


def main():
    ready = get(f"http://{address(os.environ['OPERATOR'])}/readyz")
    print("the operator is ready:", ready.decode(errors="replace").strip())
    with open(f"{ACCOUNT}/token") as file:
        token = file.read()
    context = ssl.create_default_context(cafile=f"{ACCOUNT}/ca.crt")
    server = f"https://{address('KUBERNETES')}"
    served = json.loads(get(f"{server}/apis/reflow.dev/v1alpha1", token, context))
    kinds = {resource["kind"] for resource in served["resources"]}
    if not {"FlowRun", "Resume"} <= kinds:
        sys.exit(f"the API server serves only {sorted(kinds)} of reflow.dev/v1alpha1")
    print("the API server serves FlowRun and Resume")


main()
