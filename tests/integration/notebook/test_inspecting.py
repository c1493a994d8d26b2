"""The seed's "Inspecting data with a notebook", and runs started from one."""

from __future__ import annotations

import ast
import re
from typing import Any

from tests.integration.local.laptop import Laptop
from tests.integration.notebook.conftest import MOVIES, Play

FLOW_CELL = """
from reflow import FlowSpec, Parameter, step

class Doubling(FlowSpec):
    n = Parameter("n", default=1)

    @step
    def start(self):
        self.m = 2 * self.n
        self.next(self.end)

    @step
    def end(self):
        if self.m > 100:
            raise ValueError("too much")
"""


def value(output: dict[str, Any]) -> Any:
    """What a cell's last expression gave."""
    return ast.literal_eval(output["data"]["text/plain"])


def html(output: dict[str, Any]) -> str:
    return str(output["data"]["text/html"])


def test_flows_are_listed_the_latest_run_picked_and_an_artifact_of_a_step_read(
    movies: Laptop, play: Play
) -> None:
    assert movies.run("playlist.py", "--genre", "drama").code == 0
    flows, names, run, step, task, found, titles = play(
        "from reflow import Metaflow, Flow\nMetaflow()",
        "[flow.id for flow in Metaflow()]",
        "run = Flow('PlayListFlow').latest_run\nrun",
        "run['genre_movies']",
        "run['genre_movies'].task",
        "run['genre_movies'].task['movies']",
        "[movie['title'] for movie in run['genre_movies'].task.data.movies][:2]",
    )
    assert "PlayListFlow" in html(flows)
    assert value(names) == ["PlayListFlow"]
    assert "Run PlayListFlow/1" in html(run)
    assert "genre_movies" in html(run)
    assert "Step PlayListFlow/1/genre_movies" in html(step)
    assert "<td style='text-align:left'>movies</td>" in html(task)
    assert "list" in html(found)
    assert value(titles) == ["Paper Satellites", "Monsoon Express"]


def test_a_failed_runs_finished_steps_are_there_and_its_failure_is_told(movies: Laptop, play: Play) -> None:
    script = movies.folder / "playlist.py"
    script.write_text(script.read_text().replace("max(others", "max(othres"))
    assert movies.run("playlist.py").code == 1
    run, movie, failure = play(
        "from reflow import Flow\nrun = Flow('PlayListFlow').latest_run\nrun",
        "run['genre_movies'].task.data.movies[0]['title']",
        "run.exception.line",
    )
    assert "othres" in html(run)
    assert value(movie) == "Seven Small Robots"
    assert "NameError" in value(failure)


def test_what_an_object_shows_is_escaped(movies: Laptop, play: Play) -> None:
    assert movies.run("playlist.py", "--tag", "<script>alert(1)</script>").code == 0
    (flow,) = play("from reflow import Flow\nFlow('PlayListFlow')")
    assert "&lt;script&gt;" in html(flow)
    assert "<script>" not in html(flow)


def test_a_runner_runs_a_file_and_resumes_it(movies: Laptop, play: Play) -> None:
    *_, first, failed, resumed = play(
        "from reflow import Runner\nfrom pathlib import Path\nrunner = Runner('playlist.py', show_output=False)",
        "ended = runner.run(genre='Family', recommendations=1, max_workers=2, tags=['a', 'b'])\nrun = ended.run\n"
        "(ended.status, ended.returncode, run.data.playlist, sorted(run.user_tags), 'Done!' in ended.stdout)",
        "text = Path('playlist.py').read_text()\n"
        "Path('playlist.py').write_text(text.replace('max(others', 'max(othres'))\n"
        "ended = runner.run()\n(ended.status, ended.run.successful, 'Step failure' in ended.stderr)",
        "Path('playlist.py').write_text(text)\n"
        "ended = runner.resume()\n"
        "(ended.status, ended.run.origin_pathspec, ended.run['start'].task.origin_pathspec)",
    )
    assert value(first) == ("successful", 0, ["Seven Small Robots"], ["a", "b"], True)
    assert value(failed) == ("failed", False, True)
    assert value(resumed) == ("successful", "PlayListFlow/2", "PlayListFlow/2/start/0")


def test_a_runner_doesnt_block_a_notebook_and_its_output_is_streamed(movies: Laptop, play: Play) -> None:
    *_, started, lines, over = play(
        "from reflow import Runner",
        "running = await Runner('playlist.py').async_run(genre='Drama')\nrunning.run.id",
        "read = [one async for one in running.stream_log('stdout')]\n"
        "[line async for _, line in running.stream_log('stdout', read[-2][0])][-1]",
        "await running.wait(30)\n(running.status, running.run.successful)",
    )
    assert value(started) == "1"
    assert "Done!" in value(lines)
    assert value(over) == ("successful", True)


def test_leaving_the_context_stops_a_run_that_still_goes(movies: Laptop, play: Play) -> None:
    movies.flow(
        "Slow",
        """
        @step
        def start(self):
            self.next(self.end)

        @step
        def end(self):
            time.sleep(600)
        """,
    )
    *_, over = play(
        "from reflow import Runner",
        "async with await Runner('slow.py').async_run() as running:\n    pass",
        "(running.status, running.run.status)",
    )
    assert value(over) == ("failed", "failed")


def test_a_flow_of_a_notebooks_cell_runs_and_resumes(movies: Laptop, play: Play) -> None:
    _, _, first, failed, refused = play(
        FLOW_CELL,
        "from reflow import NBRunner",
        "NBRunner(Doubling, show_output=False).nbrun(n=21).data.m",
        "NBRunner(Doubling, show_output=False).nbrun(n=51).exception.message",
        "try:\n    NBRunner(Doubling, show_output=False).run(m=1)\n"
        "except RuntimeError as error:\n    told = str(error)\n"
        "'no option --m' in told",
    )
    assert value(first) == 42
    assert value(failed) == "too much"
    assert value(refused) is True


def test_a_runner_takes_what_metaflows_takes_and_a_run_that_lasts_too_long_is_ended(
    movies: Laptop, play: Play
) -> None:
    movies.flow(
        "Slow",
        """
        cfg = Config("cfg", default_value={"word": "none"})

        @step
        def start(self):
            print(os.environ["MINE"], self.cfg.word, current.retry_count)
            self.next(self.end)

        @step
        def end(self):
            time.sleep(600)
        """,
    )
    *_, printed, over = play(
        "import os\nfrom reflow import Runner, namespace\nnamespace('user:nobody')",
        "runner = Runner('slow.py', True, 'a profile', {'MINE': 'mine'}, os.getcwd(), 30, pylint=False,\n"
        "    metadata='local', decospecs=['retry:times=0'], config_value=[('cfg', {'word': 'given'})],\n"
        "    package_suffixes='.py')\n"
        "running = await runner.async_run(tags=['x'])\n"
        "async for _, line in running.stream_log('stdout'):\n"
        "    if line.endswith('mine given 0'):\n        break\n"
        "line[-12:]",
        "await running.wait(0.01)\n"
        "(running.status, running.run.id, sorted(running.run.user_tags), running.runner is runner)",
    )
    assert value(printed) == "mine given 0"
    assert value(over) == ("timeout", "1", ["x"], True)


def test_the_page_on_notebooks_shows_what_works(movies: Laptop, play: Play) -> None:
    page = (MOVIES.parents[1] / "docs/notebooks.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", page, re.S)
    assert len(blocks) >= 7
    assert movies.run("playlist.py").code == 0
    outputs = play(*blocks)
    assert value(outputs[1])[0] is True
    assert "successful [" in outputs[5]["text"]


def test_a_parameter_s_dashes_are_underscores_for_a_runner(movies: Laptop, play: Play) -> None:
    movies.flow(
        "Dashed",
        """
        rate = Parameter("learning-rate", default=0.1)

        @step
        def start(self):
            self.next(self.end)

        @step
        def end(self):
            pass
        """,
    )
    *_, rate = play("from reflow import Runner", "Runner('dashed.py').run(learning_rate=0.5).run.data.rate")
    assert value(rate) == 0.5
