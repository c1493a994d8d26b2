from reflow import FlowSpec, step


class LoopFlow(FlowSpec):
    @step
    def start(self):
        self.n = 0
        self.next(self.work)

    @step
    def work(self):
        self.n += 1
        self.verdict = "again" if self.n < 3 else "done"
        self.next({"again": self.work, "done": self.choose}, condition="verdict")

    @step
    def choose(self):
        self.kind = "left"
        self.next({"left": self.left, "right": self.right}, condition="kind")

    @step
    def left(self):
        self.where = "left"
        self.next(self.end)

    @step
    def right(self):
        self.where = "right"
        self.next(self.end)

    @step
    def end(self):
        print(self.n, self.where)


if __name__ == "__main__":
    LoopFlow()
