"""Three steps in a row, and an artifact that is handed on."""

from reflow import FlowSpec, step


class HelloFlow(FlowSpec):
    @step
    def start(self):
        self.greeting = "Hello"
        self.next(self.greet)

    @step
    def greet(self):
        self.message = f"{self.greeting}, world!"
        self.next(self.end)

    @step
    def end(self):
        print(self.message)


if __name__ == "__main__":
    HelloFlow()
