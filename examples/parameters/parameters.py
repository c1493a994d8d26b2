"""Values that are given at the start, by `--alpha 0.5` or in a FlowRun, and can't be changed afterwards."""

from reflow import FlowSpec, JSONType, Parameter, step


class ParametersFlow(FlowSpec):
    alpha = Parameter("alpha", type=float, default=0.1, help="the learning rate")
    epochs = Parameter("epochs", type=int, default=3)
    layers = Parameter("layers", type=JSONType, default="[16, 4]")

    @step
    def start(self):
        self.loss = [self.alpha / (epoch + 1) for epoch in range(self.epochs)]
        self.next(self.end)

    @step
    def end(self):
        print(f"layers {self.layers}, last loss {self.loss[-1]:.3f}")


if __name__ == "__main__":
    ParametersFlow()
