from reflow import FlowSpec, step


class GreedyFlow(FlowSpec):
    @step
    def start(self):
        print("eating", flush=True)
        eaten = []
        while True:
            eaten.append(bytearray(1 << 20))
        self.next(self.end)

    @step
    def end(self):
        pass


if __name__ == "__main__":
    GreedyFlow()
