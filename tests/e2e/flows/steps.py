"""Three steps, each as long as the parameter says."""

import time

from reflow import FlowSpec, Parameter, step


class StepsFlow(FlowSpec):
    seconds = Parameter("seconds", default=0.0)

    @step
    def start(self):
        self.began = time.time()
        self.next(self.middle)

    @step
    def middle(self):
        print("in the middle", flush=True)
        time.sleep(self.seconds)
        self.next(self.end)

    @step
    def end(self):
        pass


if __name__ == "__main__":
    StepsFlow()
