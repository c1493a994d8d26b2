"""For every test: the signals are as a user's shell hands them on."""

from __future__ import annotations

import signal

# A background job of a shell without job control ignores SIGINT and SIGQUIT, and each process that the tests start
# would inherit that: no Ctrl-C would reach it.
for _number in (signal.SIGINT, signal.SIGQUIT):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, signal.default_int_handler if _number == signal.SIGINT else signal.SIG_DFL)
