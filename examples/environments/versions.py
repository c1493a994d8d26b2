"""Two versions of a package in one flow: each step has its own. `python versions.py run`."""

from reflow import FlowSpec, pypi, step


class VersionsFlow(FlowSpec):
    @step
    def start(self):
        self.next(self.old, self.new)

    @pypi(packages={"six": "1.15.0"})
    @step
    def old(self):
        import six

        self.version = six.__version__
        self.next(self.join)

    @pypi(packages={"six": ">=1.16,<1.17"})
    @step
    def new(self):
        import six

        self.version = six.__version__
        self.next(self.join)

    @step
    def join(self, inputs):
        print("six", inputs.old.version, "and", inputs.new.version)
        self.next(self.end)

    @step
    def end(self):
        pass


if __name__ == "__main__":
    VersionsFlow()
