import time

from reflow import FlowSpec, catch, current, retry, step, timeout


class TolerantFlow(FlowSpec):
    @step
    def start(self):
        self.next(self.flaky, self.broken, self.slow)

    @retry(times=2, minutes_between_retries=0)
    @step
    def flaky(self):
        print("try", current.retry_count)
        if current.retry_count < 1:
            raise ValueError("no luck yet")
        self.tries = current.retry_count + 1
        self.next(self.join)

    @catch(var="caught")
    @step
    def broken(self):
        raise KeyError("not there")
        self.next(self.join)

    @catch(var="late")
    @timeout(seconds=1)
    @step
    def slow(self):
        time.sleep(600)
        self.next(self.join)

    @step
    def join(self, inputs):
        self.tries = inputs.flaky.tries
        self.caught = repr(inputs.broken.caught)
        self.late = repr(inputs.slow.late)
        self.next(self.end)

    @step
    def end(self):
        print(self.tries, self.caught, self.late)


if __name__ == "__main__":
    TolerantFlow()
