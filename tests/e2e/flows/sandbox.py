import os

from reflow import FlowSpec, step


class SandboxFlow(FlowSpec):
    @step
    def start(self):
        self.user = os.getuid()
        self.cwd = os.getcwd()
        self.home = os.path.expanduser("~")
        self.token = os.path.exists("/var/run/secrets/kubernetes.io")
        self.secrets = {
            name: value for name, value in os.environ.items() if "KEY" in name or "SECRET" in name
        }
        self.task = os.environ.get("REFLOW_TASK")
        try:
            os.mkdir("/etc/mine")
            self.root = "writable"
        except OSError as error:
            self.root = error.strerror
        with open("here.txt", "w") as file:
            file.write("mine")
        with open("/tmp/there.txt", "w") as file:
            file.write("mine")
        self.next(self.end)

    @step
    def end(self):
        assert not os.path.exists("here.txt")


if __name__ == "__main__":
    SandboxFlow()
