"""The README's section on Kubernetes, played command by command as it stands there."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.docs.console import commands, missing
from tests.e2e import site as sites
from tests.e2e.bucket import Bucket
from tests.e2e.kubectl import REPO, Json, Shell

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(400)]
README = REPO / "README.md"


class Reader:
    """Somebody with a cluster, who reads. Names of namespaces are made unique, and where things are is this
    cluster's; all else is as the README says.
    """

    def __init__(self, shell: Shell, folder: Path) -> None:
        self.folder = folder
        mark = f"e2e-{uuid.uuid4().hex[:5]}"
        said = shell.environment
        self.shell = shell
        self.bucket = Bucket(said, "", f"{mark}-team-a")
        self.names = {
            "reflow-system": f"{mark}-reflow-system",
            "team-a": self.bucket.namespace,
            "./helm": str(REPO / "helm"),
            "s3://reflow/": f"s3://{said['REFLOW_TEST_S3_BUCKET']}/",
            "http://10.0.0.7:9000": said["REFLOW_TEST_S3_ENDPOINT"],
        }
        kubeconfig = shutil.copy(said["KUBECONFIG"], folder / "kubeconfig")
        self.environment = {
            **self.bucket.laptop(),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{said['PATH']}",
            "KUBECONFIG": str(kubeconfig),
            "KEY": said["REFLOW_TEST_S3_ACCESS_KEY"],
            "SECRET": said["REFLOW_TEST_S3_SECRET_KEY"],
        }

    def here(self, text: str) -> str:
        for name, ours in self.names.items():
            text = re.sub(rf"(?<![\w-]){re.escape(name)}", ours, text)
        return text

    def values(self) -> Json:
        """The README's values, with what this cluster has instead of a registry and a MinIO of one's own."""
        (block,) = re.findall(r"^```yaml\n(image: .*?)^```", README.read_text(), re.M | re.S)
        values: Json = yaml.safe_load(self.here(block))
        built = sites.images(self.shell)
        for image, name in ((values["image"], "operator"), (values["runtime"]["image"], "runtime")):
            image["repository"], _, image["tag"] = built[name].rpartition(":")
        said = self.shell.environment
        values["defaultImage"] = said["REFLOW_TEST_PYTHON_IMAGE"]
        values["s3"] |= {
            "endpoint": said["REFLOW_TEST_S3_ENDPOINT_IN_CLUSTER"],
            "bucket": said["REFLOW_TEST_S3_BUCKET"],
        }
        # This cluster may be somebody else's at the same time.
        values["watchNamespaces"] = [self.bucket.namespace]
        there = self.shell.run("kubectl", "get", "crd", "flowruns.reflow.dev").returncode == 0
        return {**values, "crds": {"install": not there}}

    def plays(self, command: str) -> str:
        exported = re.match(r"export (\w+)='(.*)'$", command)
        if exported:
            self.environment[exported[1]] = exported[2]
        return subprocess.run(
            ["bash", "-c", command],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=240,
            check=False,
        ).stdout


@pytest.fixture
def reader(shell: Shell, tmp_path: Path) -> Iterator[Reader]:
    found = Reader(shell, tmp_path)
    for file in (REPO / "examples" / "debug").iterdir():
        if file.is_file():
            shutil.copy(file, tmp_path)
    (tmp_path / "values.yaml").write_text(json.dumps(found.values()))
    try:
        yield found
    finally:
        system, team = found.names["reflow-system"], found.bucket.namespace
        shell.run("kubectl", "-n", team, "delete", "resumes,flowruns", "--all", "--timeout=60s")
        shell.run("helm", "uninstall", "reflow", "-n", system, "--wait", "--timeout=60s")
        for namespace in (system, team):
            shell.run("kubectl", "delete", "namespace", namespace, "--wait=false")
        objects = found.bucket.objects
        objects.delete([entry.key for entry in objects.list("")])


def test_the_commands_of_the_readme_print_what_it_shows(reader: Reader) -> None:
    found = list(commands(README, "cluster"))
    assert len(found) >= 12
    for command in found:
        said = reader.plays(reader.here(command.text)).replace(reader.bucket.namespace, "team-a")
        lacking = missing(command, said)
        assert lacking is None, f"README.md:{command.line}: `{command.text}` lacks {lacking!r}:\n{said}"
