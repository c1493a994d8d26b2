from reflow import FlowSpec, step


class NestedFlow(FlowSpec):
    @step
    def start(self):
        self.common = "c"
        self.next(self.rows, self.aside)

    @step
    def aside(self):
        self.z = 9
        self.next(self.both)

    @step
    def rows(self):
        self.items = [2, 1]
        self.next(self.row, foreach="items")

    @step
    def row(self):
        self.width = self.input
        self.cells = list(range(self.input))
        self.next(self.cell, foreach="cells")

    @step
    def cell(self):
        self.value = (self.width, self.input, self.index, [frame[0] for frame in self.foreach_stack()])
        self.next(self.row_join)

    @step
    def row_join(self, inputs):
        self.values = [i.value for i in inputs]
        self.merge_artifacts(inputs, include=["common", "width"])
        self.next(self.rows_join)

    @step
    def rows_join(self, inputs):
        self.table = [i.values for i in inputs]
        self.merge_artifacts(inputs, include=["common"])
        self.next(self.both)

    @step
    def both(self, inputs):
        self.merge_artifacts(inputs, exclude=["items"])
        self.next(self.end)

    @step
    def end(self):
        print(self.common, self.z, self.table)


if __name__ == "__main__":
    NestedFlow()
