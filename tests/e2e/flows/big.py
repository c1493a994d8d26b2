import hashlib

from reflow import FlowSpec, step


class BigFlow(FlowSpec):
    @step
    def start(self):
        block = hashlib.sha256(b"seed").digest() * 32768
        self.big = bytearray().join([block] * 200)
        self.size = len(self.big)
        self.next(self.end)

    @step
    def end(self):
        assert len(self.big) == self.size
        self.tail = bytes(self.big[-32:]).hex()
        with open("/proc/self/status") as status:
            print("peak", status.read().split("VmHWM:")[1].split()[0])


if __name__ == "__main__":
    BigFlow()
