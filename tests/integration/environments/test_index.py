"""Real packages from the index that uv is set up for, where it can be reached."""

from __future__ import annotations

import os
import subprocess

import pytest

from tests.integration.environments.conftest import UV, Bench


@pytest.fixture(scope="module")
def reachable(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Skips where the index doesn't answer."""
    if UV is None:
        pytest.skip("no uv here: pip install 'reflow[pypi]'")
    asked = subprocess.run(
        [UV, "pip", "compile", "-", "--quiet", "--no-header"],
        input="six",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=tmp_path_factory.mktemp("asking"),
    )
    if asked.returncode:
        pytest.skip(f"no index here: {asked.stderr.strip()[-200:]}")


@pytest.mark.usefixtures("reachable")
def test_packages_come_from_the_index_with_extras_ranges_and_hashes(bench: Bench) -> None:
    for name in ("UV_FIND_LINKS", "UV_NO_INDEX", "UV_OFFLINE"):
        del bench.environ[name]
    bench.environ.update({k: v for k, v in os.environ.items() if k.startswith(("UV_", "SSL_"))})
    script = bench.flow(
        "Indexed",
        """
        @pypi(packages={"six": "1.16.0", "requests[socks]": ">=2.31,<3", "markupsafe": ""})
        @step
        def start(self):
            import markupsafe, requests, six, socks
            self.versions = six.__version__, requests.__version__, socks.__version__
            self.native = markupsafe._speedups.__file__
            self.text = markupsafe.escape("<&>")
            self.next(self.end)

        @step
        def end(self):
            pass
        """,
    )
    played = bench.run(script)
    assert played.code == 0, played.all
    six, requests, _ = bench.value("Indexed", "1", "end/0", "versions")
    assert six == "1.16.0"
    assert requests.startswith("2.")
    assert str(bench.environments[0]) in bench.value("Indexed", "1", "end/0", "native")
    kept = next(iter(bench.manifest("Indexed", "1").environments["locks"].values()))
    assert kept["pins"].count("--hash=sha256:") > 20
    assert "://" not in kept["pins"]

    # Made again from the lock alone, for another platform: wheels of that platform, and no other.
    packaged = bench.reflow("package", str(script), "--platform", "linux/arm64", "--python", "3.12")
    assert packaged.code == 0, packaged.all
    wrong = bench.run(bench.write("wrong.py", script.read_text().replace("1.16.0", "0.0.99")))
    assert wrong.code == 1
    assert "six==0.0.99" in wrong.err
    assert bench.runs("Indexed") == ["1"]
