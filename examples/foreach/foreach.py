"""A task for each item of a list, and a join that gathers what they found."""

from reflow import FlowSpec, step


class ForeachFlow(FlowSpec):
    @step
    def start(self):
        self.words = ["one", "three", "fifteen"]
        self.next(self.measure, foreach="words")

    @step
    def measure(self):
        self.length = len(self.input)
        print(f"task {self.index}: {self.input} has {self.length} letters")
        self.next(self.gather)

    @step
    def gather(self, inputs):
        self.total = sum(each.length for each in inputs)
        self.next(self.end)

    @step
    def end(self):
        print(f"{self.total} letters in all")


if __name__ == "__main__":
    ForeachFlow()
