"""The figures of docs/performance.md. `python -m benchmarks NAME`; without a name, all that this machine can take."""
