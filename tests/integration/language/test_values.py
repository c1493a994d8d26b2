"""What a run is given: files, configurations, parameters given several times, the environment."""

from __future__ import annotations

import json

from tests.integration.local.laptop import Laptop

FILES = """
from reflow import FlowSpec, step, IncludeFile, Parameter

class Files(FlowSpec):
    data = IncludeFile("data", default="data.csv")
    raw = IncludeFile("raw", is_text=False, required=True)
    table = IncludeFile("table", default="data.csv", parser=lambda text: text.split(","))
    words = Parameter("words", multiple=True, default="none")

    @step
    def start(self):
        self.next(self.end)

    @step
    def end(self):
        print("seen", self.data, self.raw, self.table, self.words)

if __name__ == "__main__":
    Files()
"""

CONFIGS = """
from reflow import Config, FlowSpec, Parameter, config_expr, environment, resources, step, project

class Configured(FlowSpec):
    cfg = Config("cfg", default="cfg.json")
    more = Config("more", default_value={"deep": {"list": [1, 2]}})
    lines = Config("lines", default_value="a\\nb", parser=str.split, plain=True)
    alpha = Parameter("alpha", default=cfg.alpha)
    beta = Parameter("beta", default=config_expr("cfg.alpha * 2"))

    @environment(vars={"GREETING": config_expr("cfg.greeting"), "N": cfg["n"]})
    @resources(memory=cfg.memory)
    @step
    def start(self):
        import os
        print("seen", os.environ["GREETING"], os.environ["N"], self.cfg.alpha, self.cfg["n"],
              self.more.deep.list, self.lines, self.alpha, self.beta)
        if self.cfg.get("fail"):
            raise ValueError("told to")
        self.next(self.end)

    @step
    def end(self):
        print("end", self.cfg.greeting)

if __name__ == "__main__":
    Configured()
"""
CFG = {"alpha": 0.5, "greeting": "hi", "n": 3, "memory": 512}


def test_an_included_file_is_there_in_every_step_with_its_content_of_the_start(each_way: Laptop) -> None:
    script = each_way.write("files.py", FILES)
    each_way.write("data.csv", "a,b")
    (each_way.folder / "raw.bin").write_bytes(b"\xff\x00")
    played = each_way.run(script, "--raw", "raw.bin", "--words", "x", "--words", "y")
    assert played.code == 0, played.all
    assert r"seen a,b b'\xff\x00' ['a', 'b'] ['x', 'y']" in played.said
    assert each_way.value("Files", "1", "start/0", "data") == "a,b"


def test_a_resume_has_the_file_as_it_was_even_where_start_itself_failed(laptop: Laptop) -> None:
    broken = FILES.replace("self.next(self.end)", "1 / 0\n        self.next(self.end)")
    script = laptop.write("files.py", broken)
    data = laptop.write("data.csv", "a,b")
    (laptop.folder / "raw.bin").write_bytes(b"r")
    assert laptop.run(script, "--raw", "raw.bin").code == 1
    laptop.write("files.py", FILES)
    data.unlink()
    played = laptop.resume(script)
    assert played.code == 0, played.all
    assert "seen a,b b'r' ['a', 'b'] ['none']" in played.said


def test_a_file_that_is_not_there_is_told_before_anything_runs(laptop: Laptop) -> None:
    script = laptop.write("files.py", FILES)
    laptop.write("data.csv", "a,b")
    played = laptop.run(script, "--raw", "nowhere.bin")
    assert played.code == 2
    assert "nowhere.bin can't be read" in played.err


def test_a_configuration_shapes_decorators_parameters_and_steps(each_way: Laptop) -> None:
    script = each_way.write("configured.py", CONFIGS)
    each_way.write("cfg.json", json.dumps(CFG))
    played = each_way.run(script)
    assert played.code == 0, played.all
    assert "seen hi 3 0.5 3 [1, 2] ['a', 'b'] 0.5 1.0" in played.said
    manifest = each_way.manifest("Configured", "1")
    assert manifest.configs["cfg"] == CFG
    attributes = {d.name: d.attributes for d in manifest.graph.steps["start"].decorators}
    assert attributes["resources"] == {"memory": 512}


def test_a_configuration_is_given_as_a_value_or_as_another_file(laptop: Laptop) -> None:
    script = laptop.write("configured.py", CONFIGS)
    laptop.write("other.json", json.dumps({**CFG, "greeting": "other"}))
    played = laptop.run(
        script, "--config", "cfg", "other.json", "--config-value", "more", '{"deep": {"list": []}}'
    )
    assert played.code == 0, played.all
    assert "seen other 3 0.5 3 [] ['a', 'b'] 0.5 1.0" in played.said


def test_a_resume_reuses_the_configuration_of_its_origin(laptop: Laptop) -> None:
    script = laptop.write("configured.py", CONFIGS)
    laptop.write("cfg.json", json.dumps({**CFG, "fail": True}))
    assert laptop.run(script).code == 1
    laptop.write("configured.py", CONFIGS.replace('raise ValueError("told to")', "pass"))
    laptop.write("cfg.json", json.dumps({**CFG, "greeting": "changed"}))
    played = laptop.resume(script)
    assert played.code == 0, played.all
    assert "end hi" in played.said
    refused = laptop.resume(script, "--config", "cfg", "cfg.json")
    assert refused.code == 2
    assert "can't be set on resume" in refused.err


def test_a_configuration_that_is_missing_is_told_in_one_sentence(laptop: Laptop) -> None:
    script = laptop.write("configured.py", CONFIGS)
    played = laptop.run(script)
    assert (played.code, "the file cfg.json can't be read" in played.err) == (2, True)
