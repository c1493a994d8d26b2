import importlib
import os
import sys

from reflow import FlowSpec, step


class ForeignFlow(FlowSpec):
    @step
    def start(self):
        # A package that only this Pod has.
        os.makedirs("site/onlypod-1.2.dist-info")
        with open("site/onlypod.py", "w") as file:
            file.write("class Thing:\n    pass\n")
        with open("site/onlypod-1.2.dist-info/METADATA", "w") as file:
            file.write("Metadata-Version: 2.1\nName: onlypod\nVersion: 1.2\n")
        with open("site/onlypod-1.2.dist-info/top_level.txt", "w") as file:
            file.write("onlypod\n")
        with open("site/onlypod-1.2.dist-info/RECORD", "w") as file:
            file.write("onlypod.py,,\n")
        sys.path.append(os.path.abspath("site"))
        self.thing = importlib.import_module("onlypod").Thing()
        self.plain = 7
        self.next(self.use)

    @step
    def use(self):
        print(self.plain)
        print(self.thing)
        self.next(self.end)

    @step
    def end(self):
        pass


if __name__ == "__main__":
    ForeignFlow()
