"""One task: the child that runs a step, the parent that supervises it and commits its record, a Pod's runner.

Pure Python on the standard library, quick to import: it runs beside any user's packages.
"""
