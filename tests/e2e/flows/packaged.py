import sibling

from reflow import FlowSpec, step


class PackagedFlow(FlowSpec):
    @step
    def start(self):
        self.thing = sibling.Thing("from beside")
        self.next(self.end)

    @step
    def end(self):
        print(self.thing.word)


if __name__ == "__main__":
    PackagedFlow()
